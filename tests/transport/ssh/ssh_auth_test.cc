// Logging in at a real sshd: every kind of key, the agent, passphrases, passwords, and what is said when nothing works.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "graph/base/fd.h"
#include "graph/base/text.h"
#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/connect.h"
#include "transport/os/subprocess.h"

namespace otto::transport {
namespace {

using testing::run_tool;
using testing::SshdFixture;

/// An ssh-agent of the test's own, which cannot outlive it.
class Agent {
 public:
  explicit Agent(const std::filesystem::path& folder) : socket_((folder / "agent").string()) {
    auto child = spawn({.argv = {"setpriv", "--pdeathsig", "KILL", "ssh-agent", "-D", "-a", socket_}});
    OTTO_CHECK(child.ok());
    child_.emplace(std::move(child).value());
    while (!std::filesystem::exists(socket_)) OTTO_CHECK(!child_->try_wait());
    ::setenv("SSH_AUTH_SOCK", socket_.c_str(), 1);
  }
  ~Agent() {
    ::unsetenv("SSH_AUTH_SOCK");
    child_->kill_and_reap();
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  static void add(const std::filesystem::path& key) { run_tool({"ssh-add", "-q", key.string()}); }

 private:
  std::string socket_;
  std::optional<Child> child_;
};

class SshAuth : public ::testing::Test {
 protected:
  void SetUp() override { ::unsetenv("SSH_AUTH_SOCK"); }

  /// "" or the error's message.
  static std::string log_in(const Address& address, const Interaction& interaction = {}) {
    auto transport = connect(Route{{}, address}, interaction);
    if (!transport) {
      EXPECT_EQ(transport.error().code, ErrorCode::kAuthFailed) << transport.error().message;
      EXPECT_NE(transport.error().hint, "");
      return transport.error().message;
    }
    EXPECT_EQ(run_line(**transport, "echo in").out, "in\n");
    return "";
  }
  static Address with_key(const SshdFixture& sshd, const std::filesystem::path& key) {
    Address address = sshd.address();
    address.identity_files = {key.string()};
    return address;
  }
};

TEST_F(SshAuth, EveryKindOfKey) {
  SshdFixture sshd;
  EXPECT_EQ(log_in(sshd.address()), "");
  for (const char* type : {"ecdsa", "rsa"}) {
    const auto key = sshd.make_key(std::string("id_") + type, type);
    EXPECT_EQ(log_in(with_key(sshd, key)), "") << type;
  }
  const auto bare = sshd.make_key("bare");
  std::filesystem::remove(bare.string() + ".pub");
  EXPECT_EQ(log_in(with_key(sshd, bare)), "");
}

TEST_F(SshAuth, AWrongKeyIsNamed) {
  SshdFixture sshd;
  const auto key = sshd.make_key("stranger", "ed25519", "", false);
  const std::string message = log_in(with_key(sshd, key));
  EXPECT_NE(message.find("'pepper_seed' (127.0.0.1:"), std::string::npos) << message;
  EXPECT_NE(message.find("key '" + key.string() + "' (refused)"), std::string::npos) << message;
  EXPECT_NE(message.find("the host takes publickey"), std::string::npos) << message;
}

TEST_F(SshAuth, ASingleKeyIsOfferedAtOnce) {
  SshdFixture sshd({.config = {"LogLevel DEBUG1"}});
  EXPECT_EQ(log_in(sshd.address()), "");
  EXPECT_EQ(sshd.log().find("method none"), std::string::npos) << sshd.log();
  Address two = sshd.address();
  two.identity_files.push_back(sshd.make_key("second").string());
  EXPECT_EQ(log_in(two), "");
  EXPECT_NE(sshd.log().find("method none"), std::string::npos) << sshd.log();
}

TEST_F(SshAuth, ASingleKeyThatIsRefusedIsOfferedOnce) {
  SshdFixture sshd({.config = {"LogLevel DEBUG1"}});
  log_in(with_key(sshd, sshd.make_key("stranger", "ed25519", "", false)));
  const std::string log = sshd.log();
  const auto offer = log.find("method publickey");
  ASSERT_NE(offer, std::string::npos) << log;
  EXPECT_EQ(log.find("method publickey", offer + 1), std::string::npos) << log;
}

TEST_F(SshAuth, AKeyThatOthersMayReadIsNotUsed) {
  SshdFixture sshd;
  const auto key = sshd.make_key("open");
  std::filesystem::permissions(key, std::filesystem::perms(0644));
  EXPECT_NE(log_in(with_key(sshd, key)).find("chmod 600"), std::string::npos);
}

TEST_F(SshAuth, ANamedKeyFileThatIsNoneIsAMistakeOfConfiguration) {
  SshdFixture sshd;
  for (const char* name : {"nowhere", "id_ed25519.pub"}) {
    const auto transport = connect(Route{{}, with_key(sshd, sshd.folder() / name)}, {});
    ASSERT_FALSE(transport.ok());
    EXPECT_EQ(transport.error().code, ErrorCode::kConfig);
    EXPECT_NE(transport.error().message.find(name), std::string::npos);
  }
}

TEST_F(SshAuth, APassphraseIsAskedForOnceTheHostWouldTakeTheKey) {
  SshdFixture sshd;
  std::vector<std::string> asked;
  Interaction interaction;
  std::vector<std::string> answers = {"secret", "wrong"};
  interaction.ask_secret = [&](const std::string& prompt) -> std::optional<std::string> {
    asked.push_back(prompt);
    std::string answer = answers.back();
    answers.pop_back();
    return answer;
  };
  const auto foreign = sshd.make_key("foreign", "ed25519", "secret", false);
  const auto locked = sshd.make_key("locked", "ed25519", "secret");
  Address address = sshd.address();
  address.identity_files = {foreign.string(), locked.string()};
  EXPECT_EQ(log_in(address, interaction), "");
  ASSERT_EQ(asked.size(), 2U);
  for (const auto& prompt : asked) EXPECT_NE(prompt.find(locked.string()), std::string::npos);
}

TEST_F(SshAuth, APassphraseWithoutAnybodyToAskIsTold) {
  SshdFixture sshd;
  const auto locked = sshd.make_key("locked", "rsa", "secret");
  EXPECT_NE(log_in(with_key(sshd, locked)).find("needs a passphrase, and there is nobody to ask"), std::string::npos);
}

TEST_F(SshAuth, AnOldPemKeyWithAPassphrase) {
  SshdFixture sshd;
  const auto key = sshd.make_key("pem", "rsa", "secret");
  run_tool({"ssh-keygen", "-q", "-p", "-m", "PEM", "-P", "secret", "-N", "secret", "-f", key.string()});
  Interaction interaction;
  interaction.ask_secret = [](const std::string&) { return std::optional<std::string>("secret"); };
  EXPECT_EQ(log_in(with_key(sshd, key), interaction), "");
}

TEST_F(SshAuth, TheAgentServes) {
  SshdFixture sshd;
  const Agent agent(sshd.folder());
  Address address = sshd.address();
  address.identity_files = {sshd.make_key("unused", "ed25519", "", false).string()};
  EXPECT_NE(log_in(address), "");
  for (const char* type : {"ed25519", "rsa", "ecdsa"}) {
    const auto key = sshd.make_key(std::string("agent_") + type, type);
    Agent::add(key);
    std::filesystem::remove(key);
    EXPECT_EQ(log_in(address), "") << type;
    run_tool({"ssh-add", "-q", "-D"});
  }
}

TEST_F(SshAuth, AnAgentThatAsksItsUserIsWaitedForUntilTheCommandIsStopped) {
  SshdFixture sshd;
  const std::string path = (sshd.folder() / "silent").string();
  const Fd silent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  ASSERT_EQ(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  ASSERT_EQ(::listen(silent.get(), 1), 0);  // takes the connection, and never answers
  ::setenv("SSH_AUTH_SOCK", path.c_str(), 1);
  std::stop_source stop;
  const std::jthread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop.request_stop();
  });
  const auto transport = connect(Route{{}, with_key(sshd, sshd.make_key("agents", "ed25519"))}, {}, stop.get_token());
  ::unsetenv("SSH_AUTH_SOCK");
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().code, ErrorCode::kInterrupted) << transport.error().message;
}

TEST_F(SshAuth, TheAgentsKeyOfAnIdentityFileGoesFirst) {
  SshdFixture sshd({.config = {"MaxAuthTries 2"}});
  const Agent agent(sshd.folder());
  for (const char* name : {"other1", "other2", "other3"}) Agent::add(sshd.make_key(name, "ed25519", "", false));
  Address address = sshd.address();
  const std::string message = log_in(with_key(sshd, sshd.make_key("unknown_to_agent", "ed25519", "", false)));
  EXPECT_NE(message.find("closed the connection: Too many authentication failures"), std::string::npos) << message;
  Agent::add(sshd.folder() / "id_ed25519");
  EXPECT_EQ(log_in(address), "");
}

TEST_F(SshAuth, NothingToTryIsSaid) {
  SshdFixture sshd;
  Address address = sshd.address();
  address.identity_files.clear();
  const std::string home = ::getenv("HOME");
  ::setenv("HOME", sshd.home().c_str(), 1);
  const std::string message = log_in(address);
  ::setenv("HOME", home.c_str(), 1);
  EXPECT_NE(message.find("there was nothing to try"), std::string::npos) << message;
}

/// The connection goes while the user is thinking.
TEST_F(SshAuth, AConnectionThatBreaksIsNoRefusal) {
  SshdFixture sshd;
  const auto locked = sshd.make_key("locked", "ed25519", "secret");
  Interaction interaction;
  interaction.ask_secret = [&](const std::string&) {
    sshd.signal_connections(SIGKILL);
    return std::optional<std::string>("secret");
  };
  const auto transport = connect(Route{{}, with_key(sshd, locked)}, interaction);
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().code, ErrorCode::kUnreachable) << transport.error().message;
  EXPECT_NE(transport.error().message.find("the connection broke while logging in"), std::string::npos)
      << transport.error().message;
}

TEST_F(SshAuth, TwoKeysOneAfterTheOther) {
  SshdFixture sshd({.config = {"AuthenticationMethods publickey,publickey"}});
  const auto second = sshd.make_key("second");
  Address address = sshd.address();
  const std::string message = log_in(address);
  EXPECT_NE(message, "");
  address.identity_files.push_back(second.string());
  EXPECT_EQ(log_in(address), "");
}

/// A private /etc/shadow: these need root, as the lab does.
class SshPassword : public SshAuth {
 protected:
  void SetUp() override {
    SshAuth::SetUp();
    ASSERT_EQ(::getuid(), 0U) << "run the tests as root, as tools/check does";
  }
  static Address without_keys(const SshdFixture& sshd, const std::optional<std::string>& password) {
    Address address = sshd.address();
    address.identity_files = {(sshd.folder() / "host_ed25519").string()};  // a key nobody authorised
    address.password = password;
    return address;
  }
  static Address with_password(const SshdFixture& sshd, const std::string& password) {
    Address address = sshd.address();
    address.password = password;
    return address;
  }
};

TEST_F(SshPassword, FromTheConfigurationOrAsked) {
  SshdFixture sshd(
      {.config = {"PasswordAuthentication yes", "KbdInteractiveAuthentication no"}, .password = "hunter2"});
  EXPECT_EQ(log_in(without_keys(sshd, "hunter2")), "");
  const std::string message = log_in(without_keys(sshd, "wrong"));
  EXPECT_NE(message.find("password (refused)"), std::string::npos) << message;
  int asked = 0;
  Interaction interaction;
  interaction.ask_secret = [&](const std::string&) {
    return std::optional<std::string>(++asked == 1 ? "no" : "hunter2");
  };
  EXPECT_EQ(log_in(without_keys(sshd, std::nullopt), interaction), "");
  EXPECT_EQ(asked, 2);
}

TEST_F(SshPassword, ThroughPamAndItsPrompts) {
  SshdFixture sshd({.config = {"PasswordAuthentication no", "KbdInteractiveAuthentication yes"},
                    .password = "hunter2",
                    .pam = true});
  EXPECT_EQ(log_in(without_keys(sshd, "hunter2")), "");
}

TEST_F(SshPassword, AKeyAndThenAPassword) {
  SshdFixture sshd({.config = {"AuthenticationMethods publickey,password"}, .password = "hunter2"});
  std::string how;
  Interaction interaction;
  interaction.on_step = [&](const ConnectStep& step) { how = step.detail; };
  EXPECT_EQ(log_in(with_password(sshd, "hunter2"), interaction), "");
  EXPECT_NE(how.find("id_ed25519', then password"), std::string::npos) << how;

  std::string message = log_in(with_password(sshd, "wrong"));
  EXPECT_NE(message.find("(accepted, but the host wants more), password (refused); the host takes password next"),
            std::string::npos)
      << message;
  message = log_in(sshd.address());
  EXPECT_NE(message.find("the host takes password next"), std::string::npos) << message;
  message = log_in(without_keys(sshd, "hunter2"));
  EXPECT_NE(message.find("(refused); the host takes publickey"), std::string::npos) << message;
}

TEST_F(SshPassword, AKeyWithAPassphraseAndThenAPassword) {
  SshdFixture sshd({.config = {"AuthenticationMethods publickey,password"}, .password = "hunter2"});
  Address address = with_key(sshd, sshd.make_key("locked", "ed25519", "secret"));
  std::vector<std::string> answers = {"hunter2", "secret"};
  Interaction interaction;
  interaction.ask_secret = [&](const std::string&) -> std::optional<std::string> {
    if (answers.empty()) return std::nullopt;
    std::string answer = answers.back();
    answers.pop_back();
    return answer;
  };
  EXPECT_EQ(log_in(address, interaction), "");
}

TEST_F(SshPassword, APasswordAndThenAKey) {
  SshdFixture sshd({.config = {"AuthenticationMethods password,publickey"}, .password = "hunter2"});
  EXPECT_EQ(log_in(with_password(sshd, "hunter2")), "");
  const std::string message = log_in(without_keys(sshd, "hunter2"));
  EXPECT_NE(message.find("password (accepted, but the host wants more)"), std::string::npos) << message;
}

TEST_F(SshPassword, AKeyAndThenTheAnswersOfPam) {
  SshdFixture sshd(
      {.config = {"AuthenticationMethods publickey,keyboard-interactive"}, .password = "hunter2", .pam = true});
  EXPECT_EQ(log_in(with_password(sshd, "hunter2")), "");
}

}  // namespace
}  // namespace otto::transport

// Host keys at a real sshd: recorded, known, hashed, changed, strict, revoked, of another type.
#include <filesystem>
#include <fstream>

#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/connect.h"

namespace otto::transport {
namespace {

using testing::run_tool;
using testing::SshdFixture;

class SshHostKey : public ::testing::Test {
 protected:
  /// The error, or "" after a log-in.
  Error attempt(const Address& address) {
    notices_.clear();
    Interaction interaction;
    interaction.notice = [this](const std::string& notice) { notices_.push_back(notice); };
    auto transport = connect(Route{{}, address}, interaction);
    return transport ? Error{} : transport.error();
  }
  static void know(const SshdFixture& sshd, const std::string& line) {
    std::ofstream(sshd.known_hosts(), std::ios::app) << line << "\n";
  }
  static std::string name(const SshdFixture& sshd) { return "[127.0.0.1]:" + std::to_string(sshd.port()); }
  static std::string content(const SshdFixture& sshd) {
    std::ifstream in(sshd.known_hosts());
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::vector<std::string> notices_;
};

TEST_F(SshHostKey, ANewOneIsRecordedOnceAndSaid) {
  SshdFixture sshd;
  EXPECT_EQ(attempt(sshd.address()).message, "");
  ASSERT_EQ(notices_.size(), 1U);
  EXPECT_NE(notices_[0].find(sshd.known_hosts().string()), std::string::npos);
  EXPECT_NE(notices_[0].find("SHA256:"), std::string::npos);
  const std::string recorded = name(sshd) + " " + sshd.host_key() + "\n";
  EXPECT_EQ(content(sshd), recorded);
  EXPECT_EQ(std::filesystem::status(sshd.known_hosts()).permissions(), std::filesystem::perms(0600));
  EXPECT_EQ(attempt(sshd.address()).message, "");
  EXPECT_TRUE(notices_.empty());
  EXPECT_EQ(content(sshd), recorded);
}

TEST_F(SshHostKey, OpensshAgreesWithWhatWasRecorded) {
  SshdFixture sshd;
  EXPECT_EQ(attempt(sshd.address()).message, "");
  const std::string known = "UserKnownHostsFile=" + sshd.known_hosts().string();
  EXPECT_EQ(run_tool({"ssh", "-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", known, "-o", "BatchMode=yes", "-i",
                      sshd.folder() / "id_ed25519", "-p", std::to_string(sshd.port()), "127.0.0.1", "echo", "ok"}),
            "ok\n");
}

TEST_F(SshHostKey, AHashedNameIsKnown) {
  SshdFixture sshd;
  know(sshd, name(sshd) + " " + sshd.host_key());
  run_tool({"ssh-keygen", "-q", "-H", "-f", sshd.known_hosts()});
  ASSERT_EQ(content(sshd).rfind("|1|", 0), 0U);
  Address strict = sshd.address();
  strict.host_key_policy = HostKeyPolicy::kStrict;
  EXPECT_EQ(attempt(strict).message, "");
}

TEST_F(SshHostKey, AnUnknownOneIsRefusedUnderStrict) {
  SshdFixture sshd;
  Address strict = sshd.address();
  strict.host_key_policy = HostKeyPolicy::kStrict;
  const Error error = attempt(strict);
  EXPECT_EQ(error.code, ErrorCode::kHostKey);
  EXPECT_NE(error.message.find("strict"), std::string::npos) << error.message;
  EXPECT_NE(error.hint.find(sshd.known_hosts().string()), std::string::npos) << error.hint;
  EXPECT_EQ(content(sshd), "");
}

TEST_F(SshHostKey, AChangedOneIsRefusedWithFileAndLine) {
  SshdFixture sshd;
  SshdFixture other;
  know(sshd, "# a comment");
  know(sshd, name(sshd) + " " + other.host_key());
  for (const auto policy : {HostKeyPolicy::kAcceptNew, HostKeyPolicy::kStrict}) {
    Address address = sshd.address();
    address.host_key_policy = policy;
    const Error error = attempt(address);
    EXPECT_EQ(error.code, ErrorCode::kHostKey);
    EXPECT_NE(error.message.find(sshd.known_hosts().string() + ":2"), std::string::npos) << error.message;
    EXPECT_NE(error.hint.find("ssh-keygen -f"), std::string::npos) << error.hint;
  }
  Address off = sshd.address();
  off.host_key_policy = HostKeyPolicy::kOff;
  EXPECT_EQ(attempt(off).message, "");
}

TEST_F(SshHostKey, OnlyTheKnownTypeIsAskedFor) {
  SshdFixture sshd({.host_keys = {"ed25519", "rsa", "ecdsa"}});
  for (const char* type : {"rsa", "ecdsa", "ed25519"}) {
    std::filesystem::remove(sshd.known_hosts());
    know(sshd, name(sshd) + " " + sshd.host_key(type));
    Address strict = sshd.address();
    strict.host_key_policy = HostKeyPolicy::kStrict;
    EXPECT_EQ(attempt(strict).message, "") << type;
  }
}

TEST_F(SshHostKey, AnotherTypeThanTheKnownOneIsNoNewKey) {
  SshdFixture sshd;
  SshdFixture other({.host_keys = {"rsa"}});
  know(sshd, name(sshd) + " " + other.host_key("rsa"));
  const Error error = attempt(sshd.address());
  EXPECT_EQ(error.code, ErrorCode::kHostKey) << error.message;
  EXPECT_NE(error.hint.find("ssh-keygen -f "), std::string::npos);
}

TEST_F(SshHostKey, ARevokedOneIsRefused) {
  SshdFixture sshd;
  know(sshd, name(sshd) + " " + sshd.host_key());
  know(sshd, "@revoked * " + sshd.host_key());
  const Error error = attempt(sshd.address());
  EXPECT_EQ(error.code, ErrorCode::kHostKey);
  EXPECT_NE(error.message.find("revoked"), std::string::npos);
}

}  // namespace
}  // namespace otto::transport

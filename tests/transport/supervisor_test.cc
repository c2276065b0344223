// Jobs end with otto: by a stop, by a killed client, by a cut connection, by a silent one; and nothing is left behind.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "graph/base/text.h"
#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/bootstrap.h"
#include "transport/connect.h"
#include "transport/local/local_transport.h"
#include "transport/os/subprocess.h"
#include "transport/remote.h"
#include "transport/supervisor_script.h"

namespace otto::transport {
namespace {

namespace fs = std::filesystem;
using testing::SshdFixture;

/// A job that starts a grandchild, writes both pids to a file of its own and would run for a minute.
class Job {
 public:
  Job() {
    std::string pattern = (fs::temp_directory_path() / "otto-job-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    ::mkfifo((folder_ / "pids").c_str(), 0600);
  }
  ~Job() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  [[nodiscard]] std::string script(const std::string& before = {}) const {
    return before + "sleep 60 & echo $$ $! >" + (folder_ / "pids").string() + "; wait";
  }
  /// Waits until the job runs.
  void await() {
    std::ifstream in(folder_ / "pids");
    for (pid_t pid = 0; in >> pid;) pids_.push_back(pid);
    ASSERT_EQ(pids_.size(), 2U);
  }
  [[nodiscard]] bool alive() const {
    for (const pid_t pid : pids_) {
      std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
      std::string text;
      std::getline(stat, text);
      const auto end = text.rfind(')');
      if (end != std::string::npos && text[end + 2] != 'Z') return true;
    }
    return false;
  }
  /// True where all its processes have ended within `limit`.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds limit) const {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (alive()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

 private:
  fs::path folder_;
  std::vector<pid_t> pids_;
};

/// This very program as another otto: started with the variables below, it runs one job instead of the tests.
class ClientProcess {
 public:
  ClientProcess(const Address& address, const std::string& script) {
    const auto set = [](const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); };
    set("OTTO_TEST_CLIENT_PORT", std::to_string(*address.port));
    set("OTTO_TEST_CLIENT_USER", *address.user);
    set("OTTO_TEST_CLIENT_KEY", address.identity_files.front());
    set("OTTO_TEST_CLIENT_KNOWN", address.known_hosts.front());
    set("OTTO_TEST_CLIENT_SCRIPT", script);
    auto child = spawn({.argv = {fs::read_symlink("/proc/self/exe")}});
    ::unsetenv("OTTO_TEST_CLIENT_PORT");
    OTTO_CHECK(child.ok());
    child_.emplace(std::move(child).value());
  }
  void kill() { child_->kill_and_reap(); }

  static bool run_if_asked() {
    const char* port = ::getenv("OTTO_TEST_CLIENT_PORT");
    if (port == nullptr) return false;
    Address address;
    address.id = "pepper_seed";
    address.host = "127.0.0.1";
    address.port = static_cast<std::uint16_t>(std::atoi(port));
    address.user = ::getenv("OTTO_TEST_CLIENT_USER");
    address.identity_files = {::getenv("OTTO_TEST_CLIENT_KEY")};
    address.known_hosts = {::getenv("OTTO_TEST_CLIENT_KNOWN")};
    address.use_ssh_config = false;
    auto transport = connect(Route{{}, address}, {});
    if (transport.ok()) {
      Remote remote(std::move(transport).value());
      static_cast<void>(remote.run_job({.text = ::getenv("OTTO_TEST_CLIENT_SCRIPT")}));
    }
    ::_exit(1);
  }

 private:
  std::optional<Child> child_;
};

[[maybe_unused]] const bool kIsNoClient = ClientProcess::run_if_asked();

constexpr std::chrono::milliseconds kPromise{2000};

std::size_t leftover_folders(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("otto-")) ++count;
  }
  return count;
}

bool becomes_empty(const fs::path& folder) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (leftover_folders(folder) != 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class Supervised : public ::testing::Test {
 protected:
  void SetUp() override { sshd_ = std::make_unique<SshdFixture>(testing::SshdOptions{}); }
  /// A sshd whose commands have their own TMPDIR, to see what is left there.
  void with_private_tmp() {
    std::string pattern = (fs::temp_directory_path() / "otto-tmp-XXXXXX").string();
    tmp_ = ::mkdtemp(pattern.data());
    sshd_ = std::make_unique<SshdFixture>(testing::SshdOptions{.config = {"SetEnv TMPDIR=" + tmp_.string()}});
  }
  void TearDown() override {
    if (!tmp_.empty()) fs::remove_all(tmp_);
  }
  std::unique_ptr<Remote> remote() {
    return std::make_unique<Remote>(testing::connect_or_fail(Route{{}, sshd_->address()}));
  }

  fs::path tmp_;
  std::unique_ptr<SshdFixture> sshd_;
};

TEST_F(Supervised, AJobRunsLikeAnyScript) {
  const auto connected = remote();
  Script script{.text = "cat; printf '%s|' \"$@\"; echo e >&2; exit 7", .args = {"a b", "it's"}};
  script.input = [](const Writer& write) { return write("in "); };
  const auto output = connected->run_job(script);
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output->out, "in a b|it's|");
  EXPECT_EQ(output->err, "e\n");
  EXPECT_EQ(output->status.code, 7);
}

TEST_F(Supervised, AStopEndsTheWholeGroup) {
  const auto connected = remote();
  Job job;
  std::stop_source stop;
  std::jthread runner([&] {
    const auto output = connected->run_job({.text = job.script(), .stop = stop.get_token()});
    ASSERT_FALSE(output.ok());
    EXPECT_EQ(output.error().code, ErrorCode::kInterrupted);
  });
  job.await();
  stop.request_stop();
  EXPECT_TRUE(job.ends_within(kPromise));
}

TEST_F(Supervised, AJobThatIgnoresTermIsKilled) {
  const auto connected = remote();
  Job job;
  std::stop_source stop;
  std::jthread runner(
      [&] { EXPECT_FALSE(connected->run_job({.text = job.script("trap '' TERM; "), .stop = stop.get_token()}).ok()); });
  job.await();
  stop.request_stop();
  EXPECT_TRUE(job.ends_within(kPromise));
}

TEST_F(Supervised, OtherJobsGoOnWhenOneIsStopped) {
  const auto connected = remote();
  Job stopped;
  std::stop_source stop;
  std::jthread runner(
      [&] { EXPECT_FALSE(connected->run_job({.text = stopped.script(), .stop = stop.get_token()}).ok()); });
  stopped.await();
  Job other;
  std::stop_source stop_other;
  std::jthread second(
      [&] { EXPECT_FALSE(connected->run_job({.text = other.script(), .stop = stop_other.get_token()}).ok()); });
  other.await();
  stop.request_stop();
  EXPECT_TRUE(stopped.ends_within(kPromise));
  EXPECT_TRUE(other.alive());
  stop_other.request_stop();
  EXPECT_TRUE(other.ends_within(kPromise));
}

TEST_F(Supervised, AKilledClientTakesItsJobsAlong) {
  with_private_tmp();
  Job job;
  ClientProcess client(sshd_->address(), job.script());
  job.await();
  client.kill();
  EXPECT_TRUE(job.ends_within(kPromise));
  EXPECT_TRUE(becomes_empty(tmp_));
}

TEST_F(Supervised, ACutConnectionEndsJobsAndIsReported) {
  const auto connected = remote();
  Job job;
  std::jthread runner([&] {
    const auto output = connected->run_job({.text = job.script()});
    ASSERT_FALSE(output.ok());
    EXPECT_EQ(output.error().code, ErrorCode::kConnectionLost);
  });
  job.await();
  sshd_->signal_connections(SIGKILL);
  EXPECT_TRUE(job.ends_within(kPromise));
}

TEST_F(Supervised, ClosingTheRemoteLeavesNothingBehind) {
  with_private_tmp();
  {
    const auto connected = remote();
    ASSERT_TRUE(connected->run_job({.text = "true"}).ok());
    EXPECT_EQ(leftover_folders(tmp_), 1U);
  }
  EXPECT_TRUE(becomes_empty(tmp_));
}

TEST_F(Supervised, AFailingSourceEndsTheJob) {
  const auto connected = remote();
  Job job;
  Script script{.text = job.script()};
  script.input = [&](const Writer&) -> Result<void> {
    job.await();
    return make_error(ErrorCode::kInputsChanged, "the file grew");
  };
  const auto output = connected->run_job(script);
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.error().code, ErrorCode::kInputsChanged);
  EXPECT_TRUE(job.ends_within(kPromise));
}

TEST_F(Supervised, WorksWithTwoSessions) {
  sshd_ = std::make_unique<SshdFixture>(testing::SshdOptions{.config = {"MaxSessions 2"}});
  const auto connected = remote();
  std::vector<std::jthread> jobs;
  for (int i = 0; i < 3; ++i) {
    jobs.emplace_back([&] {
      const auto output = connected->run_job({.text = "echo x"});
      ASSERT_TRUE(output.ok()) << output.error().message;
      EXPECT_EQ(output->out, "x\n");
    });
  }
}

TEST_F(Supervised, WorksWithOneSessionAConnection) {
  sshd_ = std::make_unique<SshdFixture>(testing::SshdOptions{.config = {"MaxSessions 1"}});
  Job job;
  std::stop_source stop;
  const auto connected = remote();
  std::jthread beside([&] {
    const auto output = connected->run_job({.text = job.script(), .stop = stop.get_token()});
    EXPECT_FALSE(output.ok());
  });
  job.await();
  const auto output = connected->run_job({.text = "echo x"});
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output->out, "x\n");
  stop.request_stop();
  EXPECT_TRUE(job.ends_within(kPromise));
}

TEST_F(Supervised, AHostWithoutSessionsIsRefusedClearly) {
  sshd_ = std::make_unique<SshdFixture>(testing::SshdOptions{.config = {"MaxSessions 0"}});
  const auto connected = remote();
  const auto output = connected->run_job({.text = "echo x"});
  ASSERT_FALSE(output.ok());
  EXPECT_NE(output.error().hint.find("MaxSessions"), std::string::npos) << output.error().message;
}

TEST_F(Supervised, AHostWithoutARoomForTheFolderIsRefusedClearly) {
  sshd_ = std::make_unique<SshdFixture>(
      testing::SshdOptions{.config = {"SetEnv TMPDIR=/nowhere/at-all HOME=/nowhere/either"}});
  const auto connected = remote();
  const auto output = connected->run_job({.text = "echo x"});
  ASSERT_FALSE(output.ok());
  EXPECT_NE(output.error().message.find("not run"), std::string::npos) << output.error().message;
}

// The scripts by themselves, where timing can be forced.

struct Scripts : ::testing::Test {
  LocalTransport local{"here", "/bin/sh"};
  JobTicket ticket{random_token(), "j1"};

  std::unique_ptr<Process> begin(const std::string& script) {
    auto process = local.start(Command{std::string(bootstrap_line())}, {});
    EXPECT_TRUE(process.ok());
    EXPECT_TRUE((*process)->write(encode_script(script)).ok());
    return std::move(process).value();
  }
  [[nodiscard]] fs::path folder() const { return fs::temp_directory_path() / ("otto-" + ticket.token); }
  void await_folder() const {
    while (!fs::exists(folder() / "beat")) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
};

TEST_F(Scripts, AJobOrderedToEndBeforeItRegisteredNeverRuns) {
  const auto supervisor = begin(supervisor_script(ticket.token));
  await_folder();
  ASSERT_TRUE(supervisor->write(end_job_order(ticket)).ok());
  while (!fs::exists(folder() / "j1.dead")) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const auto job = begin("set --\n" + job_script("echo ran", ticket, "mark"));
  std::string out;
  for (;;) {
    auto chunk = job->read();
    ASSERT_TRUE(chunk.ok());
    if (!*chunk) break;
    if ((*chunk)->stream == Stream::kStdout) out += (*chunk)->bytes;
  }
  EXPECT_EQ(out, "");
  EXPECT_EQ(job->wait()->code, kNotSupervised);
  ASSERT_TRUE(supervisor->close_stdin().ok());
  ASSERT_TRUE(supervisor->wait().ok());
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(Scripts, ARecycledGroupIsNotHit) {
  const auto bystander = begin("echo $$; read line");
  auto first = bystander->read();
  ASSERT_TRUE(first.ok());
  const std::string pid{text::trim((*first)->bytes)};
  const auto supervisor = begin(supervisor_script(ticket.token));
  await_folder();
  std::ofstream(folder() / ("j9." + pid + ".1"));  // registered by something that started long before
  ASSERT_TRUE(supervisor->close_stdin().ok());
  ASSERT_TRUE(supervisor->wait().ok());
  EXPECT_FALSE(fs::exists(folder()));
  EXPECT_EQ(::kill(std::atoi(pid.c_str()), 0), 0);
  ASSERT_TRUE(bystander->close_stdin().ok());
  EXPECT_EQ(bystander->wait()->signal, "");
}

TEST_F(Scripts, ASilentConnectionEndsTheJobs) {
  const auto supervisor = begin(supervisor_script(ticket.token, "0.1"));
  await_folder();
  Job job;
  const auto process = begin("set --\n" + job_script(job.script(), ticket, "mark"));
  job.await();
  EXPECT_TRUE(job.ends_within(kPromise));  // nobody sent a heartbeat, and nobody closed anything
  ASSERT_TRUE(supervisor->wait().ok());
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(Scripts, AnEndOfInputDoesNotCutTheWatchdogShort) {
  const auto supervisor = begin(supervisor_script(ticket.token, "0.1"));
  await_folder();
  Job job;
  const auto process = begin("set --\n" + job_script(job.script("trap '' TERM; "), ticket, "mark"));
  job.await();
  while (fs::exists(folder())) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  ASSERT_TRUE(supervisor->close_stdin().ok());  // the watchdog has sent TERM and waits before it sends KILL
  EXPECT_TRUE(job.ends_within(kPromise));
  ASSERT_TRUE(supervisor->wait().ok());
  EXPECT_FALSE(fs::exists(folder().string() + ".end"));
}

TEST_F(Scripts, HeartbeatsKeepTheJobs) {
  const auto supervisor = begin(supervisor_script(ticket.token, "0.1"));
  await_folder();
  Job job;
  const auto process = begin("set --\n" + job_script(job.script(), ticket, "mark"));
  job.await();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1200);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE(supervisor->write(heartbeat_line()).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(job.alive());
  ASSERT_TRUE(supervisor->close_stdin().ok());
  EXPECT_TRUE(job.ends_within(kPromise));
}

TEST_F(Scripts, AJobUnregistersWhenItEnds) {
  const auto supervisor = begin(supervisor_script(ticket.token));
  const auto job = begin("set --\n" + job_script("exit 5", ticket, "mark"));
  EXPECT_EQ(job->wait()->code, 5);
  for (const auto& entry : fs::directory_iterator(folder())) EXPECT_EQ(entry.path().filename(), "beat");
  ASSERT_TRUE(supervisor->close_stdin().ok());
  ASSERT_TRUE(supervisor->wait().ok());
}

}  // namespace
}  // namespace otto::transport

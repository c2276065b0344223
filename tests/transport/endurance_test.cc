// Ten thousand short commands on one connection: nothing is left of them, on either side.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/connect.h"
#include "transport/remote.h"

namespace otto::transport {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr int kCommands = kSanitized ? 500 : 10'000;
constexpr int kJobs = kSanitized ? 50 : 300;
constexpr int kThreads = 4;
constexpr std::size_t kMostGrowthKib = 1024;

std::size_t open_descriptors() {
  const fs::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t resident_kib() {
  std::size_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

/// Processes that carry the fixture's home in their environment: those of its connections and their commands.
std::vector<std::string> remote_processes(const testing::SshdFixture& sshd) {
  std::vector<std::string> found;
  const std::string mark = "HOME=" + sshd.home().string();
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream environment(entry.path() / "environ", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(environment), {}};
    if (text.find(mark) == std::string::npos) continue;
    std::string name;
    std::getline(std::ifstream(entry.path() / "comm"), name);
    found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void run_many(int count, const std::function<bool()>& command) {
  std::atomic<int> left = count, failed = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      while (left-- > 0) {
        if (!command()) ++failed;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failed, 0);
}

TEST(Endurance, TenThousandCommandsAndSomeHundredJobsLeaveNothing) {
  testing::SshdFixture sshd({.config = {"LogLevel INFO"}});  // the fixture keeps its log in memory
  auto transport = testing::connect_or_fail(Route{{}, sshd.address()});
  ASSERT_NE(transport, nullptr);
  Remote remote(std::move(transport));
  const auto command = [&] { return run_line(remote.transport(), "echo $((6*7))").out == "42\n"; };
  const auto job = [&] {
    const auto output = remote.run_job({.text = "echo $((6*7))"});
    return output.ok() && output->out == "42\n";
  };
  run_many(200, command);
  run_many(20, job);
  const std::size_t descriptors = open_descriptors(), memory = resident_kib();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const std::vector<std::string> processes =
      remote_processes(sshd);  // the supervisor, its watchdog and that one's sleep
  run_many(kCommands, command);
  run_many(kJobs, job);
  EXPECT_EQ(open_descriptors(), descriptors);
  for (int i = 0; i < 100 && remote_processes(sshd) != processes; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the last ones are ending
  }
  EXPECT_EQ(remote_processes(sshd), processes);
  const std::size_t grown = resident_kib();
  EXPECT_TRUE(kSanitized || grown < memory + kMostGrowthKib) << memory << " to " << grown << " KiB";
}

}  // namespace
}  // namespace otto::transport

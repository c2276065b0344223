// posix_spawn, pidfd and the collecting of two output pipes.
//
// The child's signal mask is emptied and SIGPIPE restored to its default, because otto ignores SIGPIPE and blocks some
// signals in its threads.
#include "transport/os/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "graph/base/text.h"

namespace otto::transport {
namespace {

constexpr std::chrono::milliseconds kAskAgain{20};

}  // namespace

Child::Child(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

std::optional<int> Child::try_wait() {
  if (status_) return status_;
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid_, &status, WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == pid_) status_ = status;
  if (got < 0) status_ = 0;
  return status_;
}

ExitStatus to_exit_status(int wait_status) {
  ExitStatus status;
  if (WIFSIGNALED(wait_status)) {
    status.signal = signal_name(WTERMSIG(wait_status));
  } else {
    status.code = WEXITSTATUS(wait_status);
  }
  return status;
}

Result<int> Child::wait(Deadline deadline, const std::stop_token& stop) {
  for (;;) {
    if (const auto status = try_wait()) return *status;
    // Without a pidfd (a kernel before 5.3, no descriptor left) the child is asked after again and again.
    const auto wake = pidfd_.valid()
                          ? deadline
                          : Deadline(std::min(deadline.value_or(Clock::time_point::max()), Clock::now() + kAskAgain));
    switch (wait_for_fd(pidfd_.get(), POLLIN, wake, stop)) {
      case Ready::kReady: break;
      case Ready::kTimedOut:
        if (wake == deadline) return make_error(ErrorCode::kTimedOut, "the command did not end in time");
        break;
      case Ready::kStopped: return make_error(ErrorCode::kInterrupted, "interrupted");
    }
  }
}

void Child::kill_and_reap() {
  if (try_wait()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  status_ = status;
}

namespace {

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void place(int source, int target) {
    if (source >= 0) {
      ::posix_spawn_file_actions_adddup2(&actions_, source, target);
    } else {
      ::posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0);
    }
  }
  /// Opened by a session leader without a terminal, it becomes the session's.
  void place_terminal(const std::string& path) {
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, path.c_str(), O_RDWR, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, STDIN_FILENO, STDERR_FILENO);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

void set_attributes(posix_spawnattr_t& attributes, bool new_session) {
  sigset_t none;
  ::sigemptyset(&none);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  for (const int number : {SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGHUP}) ::sigaddset(&defaults, number);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (new_session) flags = static_cast<short>(flags | POSIX_SPAWN_SETSID);
  ::posix_spawnattr_setflags(&attributes, flags);
}

/// Borrows `changes`.
std::vector<char*> environment_with(const std::vector<std::string>& changes) {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const bool changed = std::any_of(changes.begin(), changes.end(), [&](const std::string& change) {
      return text.starts_with(std::string_view(change).substr(0, change.find('=') + 1));
    });
    if (!changed) variables.push_back(*variable);
  }
  for (const std::string& change : changes) variables.push_back(const_cast<char*>(change.c_str()));
  variables.push_back(nullptr);
  return variables;
}

}  // namespace

Result<Child> spawn(const SpawnRequest& request) {
  OTTO_CHECK(!request.argv.empty());
  FileActions actions;
  if (request.terminal.empty()) {
    actions.place(request.stdin_fd, STDIN_FILENO);
    actions.place(request.stdout_fd, STDOUT_FILENO);
    actions.place(request.stderr_fd, STDERR_FILENO);
  } else {
    actions.place_terminal(request.terminal);
  }

  posix_spawnattr_t attributes{};
  ::posix_spawnattr_init(&attributes);
  set_attributes(attributes, request.new_session);
  std::vector<char*> argv;
  for (const auto& word : request.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);

  std::vector<char*> variables = environment_with(request.environment);
  const char* program = request.program.empty() ? argv[0] : request.program.c_str();

  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, program, actions.get(), &attributes, argv.data(), variables.data());
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    return make_error(ErrorCode::kIo, fmt::format("cannot start '{}': {}", request.argv[0], errno_text(failed)));
  }
  return Child(pid);
}

namespace {

/// False: the pipe has ended.
bool append_available(int fd, std::string& target) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      target.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0 && errno == EAGAIN;
  }
}

}  // namespace

Result<CommandOutput> run_and_collect(const std::vector<std::string>& argv, Deadline deadline,
                                      const std::stop_token& stop) {
  OTTO_TRY(auto out, make_pipe());
  OTTO_TRY(auto err, make_pipe());
  SpawnRequest request{argv, -1, out.second.get(), err.second.get(), false};
  OTTO_TRY(Child child, spawn(request));
  out.second.reset();
  err.second.reset();
  set_nonblocking(out.first.get());
  set_nonblocking(err.first.get());

  CommandOutput output;
  while (out.first.valid() || err.first.valid()) {
    const Ready ready = wait_for_fds(out.first.get(), POLLIN, err.first.get(), POLLIN, deadline, stop);
    if (ready != Ready::kReady) {
      child.kill_and_reap();
      return ready == Ready::kStopped
                 ? make_error(ErrorCode::kInterrupted, "interrupted")
                 : make_error(ErrorCode::kTimedOut, fmt::format("'{}' did not end in time", text::shell_join(argv)));
    }
    if (out.first.valid() && !append_available(out.first.get(), output.out)) out.first.reset();
    if (err.first.valid() && !append_available(err.first.get(), output.err)) err.first.reset();
  }
  OTTO_TRY(output.wait_status, child.wait(deadline, stop));
  return output;
}

std::optional<std::string> find_program(const std::string& name) {
  const char* path = ::getenv("PATH");
  for (const auto& folder : text::split(path != nullptr ? path : "/usr/bin:/bin", ':')) {
    std::string program = folder + "/" + name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

}  // namespace otto::transport

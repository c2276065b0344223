#include "cli/terminal/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include "cli/command_line/exit_code.h"
#include "cli/terminal/terminal.h"
#include "graph/base/result.h"

namespace otto::cli {
namespace {

constexpr char kSignal = 's', kQuit = 'q';
constexpr std::array<int, 3> kTaken = {SIGINT, SIGTERM, SIGHUP};
std::atomic<int> write_end{-1};
std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void on_signal(int) {
  if (signals_seen.fetch_add(1) > 0) {
    restore_terminal_now();
    ::_exit(kExitInterrupted);
  }
  const int saved = errno;
  const char byte = kSignal;
  [[maybe_unused]] const auto written = ::write(write_end, &byte, 1);
  errno = saved;
}
extern "C" void ignore_signal(int) {}

void handle(int signal, void (*handler)(int)) {
  struct sigaction before {};
  if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN && signal == SIGHUP) return;
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt(std::function<void()> on_first) : on_first_(std::move(on_first)) {
  signals_seen = 0;
  OTTO_CHECK(::pipe2(pipe_.data(), O_CLOEXEC) == 0);
  write_end = pipe_[1];
  thread_ = std::thread([this] { listen(); });
  for (const int signal : kTaken) handle(signal, on_signal);
  handle(SIGPIPE, ignore_signal);  // not SIG_IGN, which children would inherit
}

Interrupt::~Interrupt() {
  for (const int signal : kTaken) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == on_signal) ::signal(signal, SIG_DFL);
  }
  [[maybe_unused]] const auto written = ::write(pipe_[1], &kQuit, 1);
  thread_.join();
  write_end = -1;
  for (const int fd : pipe_) ::close(fd);
}

void Interrupt::listen() {
  for (;;) {
    char byte = 0;
    if (::read(pipe_[0], &byte, 1) < 0 && errno == EINTR) continue;
    if (byte != kSignal) return;
    on_first_();
    stop_.request_stop();
  }
}

}  // namespace otto::cli

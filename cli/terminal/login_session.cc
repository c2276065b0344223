// Two threads: the keyboard's (descriptor 0, window changes) and the caller's, which shows what comes.
#include "cli/terminal/login_session.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "cli/terminal/changed_terminal.h"
#include "cli/terminal/screen_modes.h"
#include "cli/terminal/terminal.h"

namespace otto::cli {
namespace {

std::atomic<int> window_event{-1};

extern "C" void on_window_change(int) {
  const int saved = errno;
  ::eventfd_write(window_event, 1);
  errno = saved;
}

/// A descriptor that is readable once the window has changed.
class WindowWatch {
 public:
  WindowWatch() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    window_event = fd_;
    struct sigaction action {};
    action.sa_handler = on_window_change;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGWINCH, &action, &before_);
  }
  ~WindowWatch() {
    ::sigaction(SIGWINCH, &before_, nullptr);
    window_event = -1;
    ::close(fd_);
  }
  WindowWatch(const WindowWatch&) = delete;
  WindowWatch& operator=(const WindowWatch&) = delete;
  [[nodiscard]] int fd() const { return fd_; }
  void drain() const {
    eventfd_t count = 0;
    ::eventfd_read(fd_, &count);
  }

 private:
  int fd_;
  struct sigaction before_ {};
};

/// The thread that reads keys, until the user leaves, the terminal is gone, or it is destroyed.
class Keyboard {
 public:
  Keyboard(RemoteTerminal& remote, std::function<void()> on_leave)
      : remote_(remote), on_leave_(std::move(on_leave)), wake_(::eventfd(0, EFD_CLOEXEC)) {
    thread_ = std::thread([this] { listen(); });
  }
  ~Keyboard() {
    ::eventfd_write(wake_, 1);
    thread_.join();
    ::close(wake_);
  }
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;
  [[nodiscard]] bool left() const { return left_; }

 private:
  void listen() {
    for (;;) {
      std::array<pollfd, 3> waits = {{{STDIN_FILENO, POLLIN, 0}, {window_.fd(), POLLIN, 0}, {wake_, POLLIN, 0}}};
      if (::poll(waits.data(), waits.size(), -1) < 0) continue;  // EINTR
      if (waits[2].revents != 0) return;
      if (waits[1].revents != 0) {
        window_.drain();
        const FrameSize size = screen_size_of(STDIN_FILENO);
        remote_.resize(size.columns, size.rows);
      }
      if (waits[0].revents != 0 && !pass_keys()) break;
    }
    left_ = true;
    on_leave_();
  }

  /// False: that was the key to leave, or the terminal is gone.
  bool pass_keys() {
    std::array<char, 4096> keys;
    const ssize_t got = ::read(STDIN_FILENO, keys.data(), keys.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (got <= 0) return false;
    const std::string_view typed(keys.data(), static_cast<std::size_t>(got));
    const std::size_t leave = typed.find(kLeaveKey);
    static_cast<void>(remote_.type(typed.substr(0, leave)));
    return leave == std::string_view::npos;
  }

  RemoteTerminal& remote_;
  std::function<void()> on_leave_;
  WindowWatch window_;
  int wake_;
  std::atomic<bool> left_{false};
  std::thread thread_;
};

}  // namespace

Result<std::optional<int>> join_terminal(RemoteTerminal& remote, const std::function<void(std::string_view)>& show,
                                         const std::stop_token& stop) {
  const ChangedTerminal raw(STDIN_FILENO, ChangedTerminal::To::kRaw);
  if (!raw.ok()) return make_error(ErrorCode::kIo, "standard input is no terminal");
  std::stop_source over;
  const std::stop_callback forward(stop, [&over] { over.request_stop(); });
  const Keyboard keyboard(remote, [&over] { over.request_stop(); });
  ScreenModes screen;
  const auto put_back = [&] { show(screen.undo()); };
  for (;;) {
    auto shown = remote.read({}, over.get_token());
    if (!shown && keyboard.left()) return put_back(), std::optional<int>();
    if (!shown) return put_back(), std::move(shown).error();
    if (!*shown) break;
    screen.watch(**shown);
    show(**shown);
  }
  OTTO_TRY(const int code, remote.exit_code(over.get_token()));
  return std::optional(code);
}

}  // namespace otto::cli

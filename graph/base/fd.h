// File descriptors with an owner, and the few ways this layer waits for them.
//
// Everything made here is close-on-exec, so nothing leaks into what the process starts. Must not know ssh or hosts.
// Fd is move-only; Wakeup may be notified from any thread and is polled by one. Waiting is always for a descriptor, a
// deadline or a stop_token at once: there is no wait here that cannot be cancelled.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "graph/base/clock.h"
#include "graph/base/result.h"

namespace otto {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// An eventfd: notify() makes fd() readable until drain().
class Wakeup {
 public:
  Wakeup();
  void notify() const;
  void drain() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Fd fd_;
};

/// {read end, write end}. kIo.
Result<std::pair<Fd, Fd>> make_pipe();
/// Two connected stream sockets. kIo.
Result<std::pair<Fd, Fd>> make_socket_pair();
void set_nonblocking(int fd);

enum class Ready { kReady, kTimedOut, kStopped };

/// Waits until one of two descriptors (each -1: none) shows one of its poll(2) events, an error or a hang-up.
Ready wait_for_fds(int fd1, short events1, int fd2, short events2, Deadline deadline, const std::stop_token& stop);
inline Ready wait_for_fd(int fd, short events, Deadline deadline, const std::stop_token& stop) {
  return wait_for_fds(fd, events, -1, 0, deadline, stop);
}

/// "No such file or directory", thread-safe.
std::string errno_text(int number);

}  // namespace otto

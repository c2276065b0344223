// Descriptors, polling and the small file helpers of this layer, over Linux calls.
//
// A stop_token is turned into a descriptor (an eventfd notified by a stop_callback), so one poll covers all reasons to
// go on. No state beyond the objects themselves.
#include "graph/base/fd.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace otto {

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Wakeup::Wakeup() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { OTTO_CHECK(fd_.valid()); }

void Wakeup::notify() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

void Wakeup::drain() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_.get(), &count, sizeof count);
}

Result<std::pair<Fd, Fd>> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return make_error(ErrorCode::kIo, fmt::format("cannot make a pipe: {}", errno_text(errno)));
  }
  return std::pair{Fd(ends[0]), Fd(ends[1])};
}

Result<std::pair<Fd, Fd>> make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return make_error(ErrorCode::kIo, fmt::format("cannot make a socket pair: {}", errno_text(errno)));
  }
  return std::pair{Fd(ends[0]), Fd(ends[1])};
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

namespace {

int poll_timeout(const Deadline& deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left, 3'600'000));
}

}  // namespace

Ready wait_for_fds(int fd1, short events1, int fd2, short events2, Deadline deadline, const std::stop_token& stop) {
  std::optional<Wakeup> stopped;
  if (stop.stop_possible()) stopped.emplace();
  const std::stop_callback on_stop(stop, [&] {
    if (stopped) stopped->notify();
  });
  for (;;) {
    std::array<pollfd, 3> fds{pollfd{fd1, events1, 0}, pollfd{fd2, events2, 0},
                              pollfd{stopped ? stopped->fd() : -1, POLLIN, 0}};
    const int timeout = poll_timeout(deadline);
    const int count = ::poll(fds.data(), fds.size(), timeout);
    if (stop.stop_requested()) return Ready::kStopped;
    if (fds[0].revents != 0 || fds[1].revents != 0) return Ready::kReady;
    if (count == 0 && deadline && Clock::now() >= *deadline) return Ready::kTimedOut;
  }
}

std::string errno_text(int number) { return std::generic_category().message(number); }

}  // namespace otto

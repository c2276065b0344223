// posix_openpt and what follows. The master reads EIO once nobody has the terminal open any more.
#include "transport/local/local_pty.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "transport/classify.h"
#include "transport/os/terminal_modes.h"

namespace otto::transport {
namespace {

constexpr std::size_t kPtyReadSize = 64 * 1024;

struct Pty {
  Fd master;
  Fd slave;  ///< holds the terminal open until the command has it
  std::string path;
};

Result<Pty> open_pty(const PtyRequest& request) {
  const auto failed = [](std::string_view what) {
    return make_error(ErrorCode::kIo, fmt::format("cannot {} a terminal: {}", what, errno_text(errno)));
  };
  Pty pty;
  pty.master = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 64> path{};
  if (!pty.master.valid() || ::grantpt(pty.master.get()) != 0 || ::unlockpt(pty.master.get()) != 0 ||
      ::ptsname_r(pty.master.get(), path.data(), path.size()) != 0) {
    return failed("make");
  }
  pty.path = path.data();
  pty.slave = Fd(::open(path.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  if (!pty.slave.valid() || ::tcgetattr(pty.slave.get(), &settings) != 0) return failed("open");
  settings.c_iflag |= IUTF8;
  apply_modes(requested_modes(request), settings);
  ::tcsetattr(pty.slave.get(), TCSANOW, &settings);
  return pty;
}

void set_size(int fd, unsigned columns, unsigned rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  ::ioctl(fd, TIOCSWINSZ, &size);
}

}  // namespace

LocalPtyProcess::~LocalPtyProcess() {
  master_.reset();
  if (!child_.try_wait()) transport_.adopt(std::move(child_));
}

Result<void> LocalPtyProcess::write(std::string_view bytes, std::stop_token stop) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(master_.get(), bytes.data(), bytes.size());
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      transport_.sent_ += static_cast<std::uint64_t>(sent);
    } else if (errno == EAGAIN) {
      if (wait_for_fd(master_.get(), POLLOUT, {}, stop) == Ready::kStopped) return interrupted();
    } else if (errno != EINTR) {
      return make_error(ErrorCode::kRemoteFailed, fmt::format("'{}': the command has ended", transport_.host_id()));
    }
  }
  return {};
}

Result<std::optional<Chunk>> LocalPtyProcess::read(std::chrono::milliseconds timeout, std::stop_token stop) {
  const Deadline deadline = timeout.count() == 0 ? Deadline() : Clock::now() + timeout;
  std::string bytes(kPtyReadSize, '\0');
  while (!ended_) {
    const ssize_t got = ::read(master_.get(), bytes.data(), bytes.size());
    if (got > 0) {
      transport_.received_ += static_cast<std::uint64_t>(got);
      bytes.resize(static_cast<std::size_t>(got));
      return std::optional(Chunk{Stream::kStdout, std::move(bytes)});
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || errno != EAGAIN) {
      ended_ = true;
      break;
    }
    switch (wait_for_fd(master_.get(), POLLIN, deadline, stop)) {
      case Ready::kReady: break;
      case Ready::kTimedOut:
        return make_error(ErrorCode::kTimedOut, fmt::format("'{}': no output in time", transport_.host_id()));
      case Ready::kStopped: return interrupted();
    }
  }
  return std::optional<Chunk>();
}

Result<ExitStatus> LocalPtyProcess::wait(std::stop_token stop) {
  for (;;) {
    OTTO_TRY(const auto chunk, read({}, stop));
    if (!chunk) break;
  }
  OTTO_TRY(const int status, child_.wait({}, stop));
  return to_exit_status(status);
}

Result<void> LocalPtyProcess::signal(std::string_view name) {
  const int number = signal_number(name);
  if (number == 0) return make_error(ErrorCode::kUnsupported, fmt::format("no signal is named '{}'", name));
  const pid_t group = ::tcgetpgrp(master_.get());
  if (group > 0) ::kill(-group, number);
  return {};
}

Result<void> LocalPtyProcess::resize(unsigned columns, unsigned rows) {
  set_size(master_.get(), columns, rows);
  return {};
}

Result<std::unique_ptr<Process>> start_on_local_pty(LocalTransport& transport, const std::string& shell,
                                                    const Command& command) {
  OTTO_TRY(Pty pty, open_pty(*command.pty));
  set_size(pty.master.get(), command.pty->columns, command.pty->rows);
  SpawnRequest request;
  request.new_session = true;
  request.terminal = pty.path;
  request.program = shell;
  request.environment = {"TERM=" + command.pty->term};
  if (command.line.empty()) {
    request.argv = {"-" + shell.substr(shell.rfind('/') + 1)};
  } else {
    request.argv = {shell, "-c", command.line};
  }
  OTTO_TRY(Child child, spawn(request));
  return std::unique_ptr<Process>(
      std::make_unique<LocalPtyProcess>(transport, std::move(child), std::move(pty.master)));
}

}  // namespace otto::transport

// Pipes, poll and a pidfd.
//
// A Process that is destroyed leaves its command running with broken pipes, as a closed ssh channel does; the Child
// goes to the transport, which reaps it once it has ended.
#include "transport/local/local_transport.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>

#include "transport/classify.h"
#include "transport/local/local_pty.h"

namespace otto::transport {
namespace {

constexpr std::size_t kPipeReadSize = 64 * 1024;

}  // namespace

class LocalProcess final : public Process {
 public:
  LocalProcess(LocalTransport& transport, Child child, Fd in, Fd out, Fd err)
      : transport_(transport),
        child_(std::move(child)),
        in_(std::move(in)),
        out_(std::move(out)),
        err_(std::move(err)) {
    for (const Fd* fd : {&in_, &out_, &err_}) set_nonblocking(fd->get());
  }
  ~LocalProcess() override {
    if (!child_.try_wait()) transport_.adopt(std::move(child_));
  }
  LocalProcess(const LocalProcess&) = delete;
  LocalProcess& operator=(const LocalProcess&) = delete;

  Result<void> write(std::string_view bytes, std::stop_token stop) override;
  Result<void> close_stdin() override {
    in_.reset();
    return {};
  }
  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override;
  Result<ExitStatus> wait(std::stop_token stop) override;
  Result<void> signal(std::string_view name) override;
  Result<void> resize(unsigned /*columns*/, unsigned /*rows*/) override {
    return make_error(ErrorCode::kUnsupported, "only a command with a terminal can be resized");
  }

 private:
  [[nodiscard]] Error ended() const {
    return make_error(ErrorCode::kRemoteFailed, fmt::format("'{}': the command has ended", transport_.host_id()));
  }
  std::optional<Chunk> take(Fd& fd, Stream stream);

  LocalTransport& transport_;
  Child child_;
  Fd in_;
  Fd out_;
  Fd err_;
};

Result<void> LocalProcess::write(std::string_view bytes, std::stop_token stop) {
  while (!bytes.empty()) {
    if (!in_.valid()) return ended();
    const ssize_t sent = ::write(in_.get(), bytes.data(), bytes.size());
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      transport_.sent_ += static_cast<std::uint64_t>(sent);
      if (stop.stop_requested()) return interrupted();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return ended();
    if (wait_for_fd(in_.get(), POLLOUT, {}, stop) == Ready::kStopped) return interrupted();
  }
  return {};
}

/// What can be read at once; resets `fd` at its end.
std::optional<Chunk> LocalProcess::take(Fd& fd, Stream stream) {
  if (!fd.valid()) return std::nullopt;
  std::array<char, kPipeReadSize> buffer;
  ssize_t got = 0;
  do {
    got = ::read(fd.get(), buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return std::nullopt;
  if (got <= 0) {
    fd.reset();
    return std::nullopt;
  }
  transport_.received_ += static_cast<std::uint64_t>(got);
  return Chunk{stream, std::string(buffer.data(), static_cast<std::size_t>(got))};
}

Result<std::optional<Chunk>> LocalProcess::read(std::chrono::milliseconds timeout, std::stop_token stop) {
  const Deadline deadline = timeout.count() == 0 ? Deadline() : Clock::now() + timeout;
  for (;;) {
    if (auto chunk = take(out_, Stream::kStdout)) return chunk;
    if (auto chunk = take(err_, Stream::kStderr)) return chunk;
    if (!out_.valid() && !err_.valid()) return std::optional<Chunk>();
    switch (wait_for_fds(out_.get(), POLLIN, err_.get(), POLLIN, deadline, stop)) {
      case Ready::kReady: break;
      case Ready::kTimedOut:
        return make_error(ErrorCode::kTimedOut, fmt::format("'{}': no output in time", transport_.host_id()));
      case Ready::kStopped: return interrupted();
    }
  }
}

Result<ExitStatus> LocalProcess::wait(std::stop_token stop) {
  for (;;) {
    OTTO_TRY(const auto chunk, read({}, stop));
    if (!chunk) break;
  }
  OTTO_TRY(const int status, child_.wait({}, stop));
  return to_exit_status(status);
}

Result<void> LocalProcess::signal(std::string_view name) {
  const int number = signal_number(name);
  if (number == 0) return make_error(ErrorCode::kUnsupported, fmt::format("no signal is named '{}'", name));
  if (!child_.try_wait()) ::kill(-child_.pid(), number);
  return {};
}

LocalTransport::LocalTransport(std::string host_id, std::string shell)
    : host_id_(std::move(host_id)), shell_(std::move(shell)) {
  static std::once_flag sigpipe;
  std::call_once(sigpipe, [] {
    struct sigaction current {};
    ::sigaction(SIGPIPE, nullptr, &current);
    if (current.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
  });
  const char* from_environment = ::getenv("SHELL");
  if (shell_.empty()) shell_ = from_environment != nullptr && *from_environment == '/' ? from_environment : "/bin/sh";
}

LocalTransport::~LocalTransport() {
  auto left = left_behind_.lock();
  for (auto& child : *left) child.try_wait();
}

void LocalTransport::adopt(Child child) {
  auto left = left_behind_.lock();
  std::erase_if(*left, [](Child& old) { return old.try_wait().has_value(); });
  left->push_back(std::move(child));
}

Result<std::unique_ptr<Process>> LocalTransport::start(const Command& command, std::stop_token stop) {
  if (stop.stop_requested()) return interrupted();
  if (command.pty) return start_on_local_pty(*this, shell_, command);
  OTTO_TRY(auto in, make_pipe());
  OTTO_TRY(auto out, make_pipe());
  OTTO_TRY(auto err, make_pipe());
  const SpawnRequest request{{shell_, "-c", command.line}, in.first.get(), out.second.get(), err.second.get(), true};
  OTTO_TRY(Child child, spawn(request));
  return std::unique_ptr<Process>(std::make_unique<LocalProcess>(*this, std::move(child), std::move(in.second),
                                                                 std::move(out.first), std::move(err.first)));
}

}  // namespace otto::transport

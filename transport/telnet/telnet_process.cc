#include "transport/telnet/telnet_process.h"
#include "graph/base/base64.h"

#include <fmt/format.h>

#include <charconv>

#include "transport/classify.h"
#include "transport/ssh/key_file.h"
#include "transport/ssh/known_hosts.h"
#include "transport/telnet/telnet_script.h"

namespace otto::transport {
namespace {

int to_code(std::string_view digits) {
  int code = 255;
  std::from_chars(digits.data(), digits.data() + digits.size(), code);
  return code;
}

Deadline deadline_after(std::chrono::milliseconds timeout) {
  return timeout.count() == 0 ? Deadline() : Clock::now() + timeout;
}

}  // namespace

// --- framed ---

TelnetProcess::~TelnetProcess() {
  const bool over = code_ && out_ended_ && err_ended_ && !broken_;
  transport_.give_back(std::move(session_), before_, over);
}

Result<void> TelnetProcess::write(std::string_view bytes, std::stop_token stop) {
  while (!bytes.empty()) {
    const std::lock_guard lock(input_);
    if (input_ended_) {
      return make_error(ErrorCode::kRemoteFailed, fmt::format("'{}': the command has ended", transport_.host_id()));
    }
    const std::string_view piece = bytes.substr(0, kTelnetInputBytes);
    auto sent = session_->stream().send(base64_encode(piece) + "\n", stop);
    if (!sent.ok()) {
      broken_ = true;
      return sent;
    }
    bytes.remove_prefix(piece.size());
  }
  return {};
}

Result<void> TelnetProcess::close_stdin() { return end_input({}); }

Result<void> TelnetProcess::end_input(const std::stop_token& stop) {
  const std::lock_guard lock(input_);
  if (std::exchange(input_ended_, true)) return {};
  auto sent = session_->stream().send(".\n", stop);
  broken_ = broken_ || !sent.ok();
  return sent;
}

std::optional<Chunk> TelnetProcess::take_frame(const std::string& line) {
  if (line == "O") out_ended_ = true;
  if (line == "E") err_ended_ = true;
  if (line.starts_with('x')) {
    code_ = to_code(std::string_view(line).substr(1));
    // The far end of standard error closes with that of the input, which a command that has ended takes no more of.
    static_cast<void>(end_input({}));
  }
  if (!line.starts_with('o') && !line.starts_with('e')) return std::nullopt;
  auto bytes = base64_decode(std::string_view(line).substr(1));
  if (!bytes || bytes->empty()) return std::nullopt;
  return Chunk{line[0] == 'o' ? Stream::kStdout : Stream::kStderr, std::move(*bytes)};
}

Result<std::optional<Chunk>> TelnetProcess::read(std::chrono::milliseconds timeout, std::stop_token stop) {
  const Deadline deadline = deadline_after(timeout);
  while (!out_ended_ || !err_ended_) {
    OTTO_TRY(const std::string line, session_->read_line(deadline, stop));
    if (auto chunk = take_frame(line)) return chunk;
  }
  return std::optional<Chunk>();
}

Result<ExitStatus> TelnetProcess::wait(std::stop_token stop) {
  for (;;) {
    OTTO_TRY(const auto chunk, read({}, stop));
    if (!chunk) break;
  }
  while (!code_) {
    OTTO_TRY(const std::string line, session_->read_line({}, stop));
    take_frame(line);
  }
  return ExitStatus{*code_, {}};
}

Result<void> TelnetProcess::signal(std::string_view /*name*/) {
  return make_error(ErrorCode::kUnsupported, fmt::format("'{}': telnet sends no signals", transport_.host_id()));
}

Result<void> TelnetProcess::resize(unsigned /*columns*/, unsigned /*rows*/) {
  return make_error(ErrorCode::kUnsupported, "only a command with a terminal can be resized");
}

// --- on the terminal ---

TelnetPtyProcess::~TelnetPtyProcess() { transport_.give_back(std::move(session_), before_, false); }

Result<void> TelnetPtyProcess::write(std::string_view bytes, std::stop_token stop) {
  return session_->stream().send(bytes, stop);
}

Result<std::optional<Chunk>> TelnetPtyProcess::read(std::chrono::milliseconds timeout, std::stop_token stop) {
  const std::string end = telnet_pty_end(session_->token());
  const Deadline deadline = deadline_after(timeout);
  held_ += session_->take_rest();
  for (;;) {
    if (code_) return std::optional<Chunk>();
    const std::size_t at = held_.find(end);
    const std::size_t semicolon = at == std::string::npos ? at : held_.find(';', at);
    if (semicolon != std::string::npos) {
      code_ = to_code(std::string_view(held_).substr(at + end.size()));
      held_.resize(at);
    }
    // The end may be cut by a packet's border: what could begin it waits.
    std::size_t ready = code_ ? held_.size() : std::min(at, held_.size());
    if (!code_ && at == std::string::npos) {
      for (std::size_t n = std::min(end.size() - 1, held_.size()); n > 0; --n) {
        if (!held_.ends_with(std::string_view(end).substr(0, n))) continue;
        ready = held_.size() - n;
        break;
      }
    }
    if (ready > 0) {
      Chunk chunk{Stream::kStdout, held_.substr(0, ready)};
      held_.erase(0, ready);
      return std::optional(std::move(chunk));
    }
    if (code_) continue;
    OTTO_TRY(const auto bytes, session_->stream().receive(deadline, stop));
    if (!bytes) return classify_lost(session_->stream().who(), "the server closed it");
    held_ += *bytes;
  }
}

Result<ExitStatus> TelnetPtyProcess::wait(std::stop_token stop) {
  for (;;) {
    OTTO_TRY(const auto chunk, read({}, stop));
    if (!chunk) return ExitStatus{*code_, {}};
  }
}

Result<void> TelnetPtyProcess::signal(std::string_view name) {
  if (name == "INT") return write("\x03", {});
  return make_error(ErrorCode::kUnsupported, fmt::format("'{}': telnet sends no signals", transport_.host_id()));
}

Result<void> TelnetPtyProcess::resize(unsigned columns, unsigned rows) {
  return session_->stream().resize(columns, rows, {});
}

}  // namespace otto::transport

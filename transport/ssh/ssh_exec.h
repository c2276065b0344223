// A command on an ssh channel: the state shared between the I/O loop and the Process that reads and writes it.
//
// The loop owns the object and frees it only after the Process has let go (release()) and the channel is closed, so the
// Process may keep a plain pointer. State behind Sync is for both; everything else belongs to the loop. Back pressure
// both ways: write() waits while kInputCap bytes are queued, and the loop stops reading a channel whose reader is
// kOutputCap behind, which closes the peer's window. Included by .cc files of this folder only.
#pragma once

#include <atomic>
#include <deque>
#include <optional>
#include <variant>

#include "graph/base/sync.h"
#include "transport/os/terminal_modes.h"
#include "transport/ssh/ssh_channel.h"
#include "transport/transport.h"

namespace otto::transport {

/// What all channels of a connection share with their Processes; outlives both.
struct LoopLink {
  Wakeup wakeup;
  std::string who;
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> bytes_received{0};
};

class ExecChannel final : public Channel {
 public:
  ExecChannel(Command command, LoopLink& link)
      : command_(std::move(command)), modes_(command_.pty ? requested_modes(*command_.pty) : ""), link_(link) {}

  // For the Process, from any thread.
  Result<void> wait_started(const std::stop_token& stop);
  Result<void> write(std::string_view bytes, const std::stop_token& stop);
  Result<void> close_stdin();
  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, const std::stop_token& stop);
  Result<ExitStatus> wait(const std::stop_token& stop);
  Result<void> signal(std::string_view name);
  Result<void> resize(unsigned columns, unsigned rows);
  void release();

  // For the loop.
  [[nodiscard]] std::string_view type() const override { return "session"; }
  [[nodiscard]] Claim claim() const override { return command_.claim; }
  void opened(LIBSSH2_CHANNEL* channel) override { channel_ = channel; }
  void fail(const Error& error) override;
  Step step(SshHandle& handle) override;
  [[nodiscard]] bool wants_input() override;
  [[nodiscard]] bool closed() const override { return phase_ == Phase::kGone; }
  [[nodiscard]] bool abandoned() override;

 private:
  enum class Phase { kPty, kExec, kRunning, kClosing, kGone };
  enum Op { kRequestPty, kStart, kReadOut, kReadErr, kSend, kSendEof, kControl, kAwaitClose, kClose, kFree };
  struct SignalOrder {
    std::string name;
  };
  struct ResizeOrder {
    unsigned columns;
    unsigned rows;
  };
  using Order = std::variant<SignalOrder, ResizeOrder>;

  struct State {
    bool started = false;
    bool released = false;
    bool output_ended = false;
    bool reading_paused = false;
    bool input_end_wanted = false;
    std::size_t output_bytes = 0;
    std::size_t input_bytes = 0;  ///< queued here and in sending_
    std::deque<Chunk> output;
    std::deque<std::string> input;
    std::deque<Order> orders;
    std::optional<ExitStatus> exit;
    std::optional<Error> failure;
  };

  ssize_t call(int op) override;
  Step done(int op, ssize_t result) override;
  Step start(SshHandle& handle);
  Step attempt_request(SshHandle& handle, Op op);
  Step run(SshHandle& handle);
  Step read_stream(SshHandle& handle, Op op);
  Step send_input(SshHandle& handle);
  Step finish(SshHandle& handle);
  void take_requests();
  void mark_started();
  void deliver(Stream stream, std::size_t size);
  void note_exit();
  [[nodiscard]] bool ended(const State& state) const { return state.exit || state.failure; }

  const Command command_;
  const std::string modes_;
  LoopLink& link_;
  Sync<State> state_;
  std::condition_variable_any changed_;

  LIBSSH2_CHANNEL* channel_ = nullptr;
  Phase phase_ = Phase::kPty;
  bool exec_confirmed_ = false;
  bool eof_seen_ = false;
  bool eof_sent_ = false;
  bool paused_ = false;
  bool let_go_ = false;
  bool end_input_ = false;
  std::deque<std::string> sending_;
  std::size_t sending_offset_ = 0;
  std::size_t sent_ = 0;  ///< not yet taken off input_bytes
  std::deque<Order> orders_;
};

}  // namespace otto::transport

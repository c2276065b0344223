// The Process of the ssh transport: a handle on an ExecChannel that the session's loop owns.
//
// Lets go of the channel when destroyed; the loop then closes it. Included by .cc files of this folder only.
#pragma once

#include "transport/ssh/ssh_exec.h"
#include "transport/transport.h"

namespace otto::transport {

class SshProcess final : public Process {
 public:
  explicit SshProcess(ExecChannel* channel) : channel_(channel) {}
  ~SshProcess() override { channel_->release(); }
  SshProcess(const SshProcess&) = delete;
  SshProcess& operator=(const SshProcess&) = delete;

  Result<void> write(std::string_view bytes, std::stop_token stop) override { return channel_->write(bytes, stop); }
  Result<void> close_stdin() override { return channel_->close_stdin(); }
  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override {
    return channel_->read(timeout, stop);
  }
  Result<ExitStatus> wait(std::stop_token stop) override { return channel_->wait(stop); }
  Result<void> signal(std::string_view name) override { return channel_->signal(name); }
  Result<void> resize(unsigned columns, unsigned rows) override { return channel_->resize(columns, rows); }

 private:
  ExecChannel* channel_;
};

}  // namespace otto::transport

// A command of this machine on a pseudo-terminal of its own.
//
// As with sshd: the command leads a session whose terminal it is, and when its Process goes, the terminal hangs up.
// Included by .cc files of this folder only.
#pragma once

#include <memory>
#include <string>

#include "transport/local/local_transport.h"

namespace otto::transport {

class LocalPtyProcess final : public Process {
 public:
  LocalPtyProcess(LocalTransport& transport, Child child, Fd master)
      : transport_(transport), child_(std::move(child)), master_(std::move(master)) {
    set_nonblocking(master_.get());
  }
  ~LocalPtyProcess() override;
  LocalPtyProcess(const LocalPtyProcess&) = delete;
  LocalPtyProcess& operator=(const LocalPtyProcess&) = delete;

  Result<void> write(std::string_view bytes, std::stop_token stop) override;
  Result<void> close_stdin() override { return write("\x04", {}); }  // as the terminal's own end of file
  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override;
  Result<ExitStatus> wait(std::stop_token stop) override;
  /// To what is in the foreground, as the terminal's own keys.
  Result<void> signal(std::string_view name) override;
  Result<void> resize(unsigned columns, unsigned rows) override;

 private:
  LocalTransport& transport_;
  Child child_;
  Fd master_;
  bool ended_ = false;  ///< the reader's
};

/// `shell -c` command.line, or the shell as after a log-in where that is empty. kIo.
Result<std::unique_ptr<Process>> start_on_local_pty(LocalTransport& transport, const std::string& shell,
                                                    const Command& command);

}  // namespace otto::transport

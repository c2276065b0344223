// The Transport to this very machine: commands of the user's login shell, each in a session of its own.
//
// Same contract as ssh, so whatever is written on Transport works for term = "local". No loop thread: the caller's own
// thread polls the pipes. A terminal is a pseudo-terminal of its own (local_pty.h).
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "graph/base/sync.h"
#include "transport/os/subprocess.h"
#include "transport/transport.h"

namespace otto::transport {

class LocalTransport final : public Transport {
 public:
  /// `shell`: empty for $SHELL, else /bin/sh.
  explicit LocalTransport(std::string host_id, std::string shell = {});
  ~LocalTransport() override;

  Result<std::unique_ptr<Process>> start(const Command& command, std::stop_token stop) override;
  [[nodiscard]] const std::string& host_id() const override { return host_id_; }
  [[nodiscard]] Counters counters() const override { return {sent_.load(), received_.load()}; }

 private:
  friend class LocalProcess;
  friend class LocalPtyProcess;
  void adopt(Child child);

  std::string host_id_;
  std::string shell_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> received_{0};
  Sync<std::vector<Child>> left_behind_;  ///< still running though their Process is gone: reaped when they end
};

}  // namespace otto::transport

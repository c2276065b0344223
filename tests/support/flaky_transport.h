// A Transport around another that breaks after a number of bytes, as a pulled cable does.
//
// Where it breaks is drawn from a seed, so a failing test can be run again exactly. The cut is the connection's: every
// process and every later start() fails with kConnectionLost, and the inner processes are closed. Bytes up to the cut
// pass. Any thread; must outlive its processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "graph/base/sync.h"
#include "transport/transport.h"

namespace otto::testing {

class FlakyTransport final : public transport::Transport {
 public:
  /// Cuts after a number of payload bytes (both ways together) drawn evenly from [least, most].
  FlakyTransport(std::unique_ptr<transport::Transport> inner, std::uint64_t seed, std::uint64_t least,
                 std::uint64_t most);

  Result<std::unique_ptr<transport::Process>> start(const transport::Command& command, std::stop_token stop) override;
  [[nodiscard]] const std::string& host_id() const override { return inner_->host_id(); }
  [[nodiscard]] transport::Counters counters() const override { return inner_->counters(); }

  [[nodiscard]] std::uint64_t cut_after() const { return cut_after_; }
  [[nodiscard]] bool broken() const;

 private:
  friend class FlakyProcess;
  /// How many of `wanted` bytes may still pass.
  std::uint64_t take(std::uint64_t wanted);
  [[nodiscard]] Error lost() const;

  std::unique_ptr<transport::Transport> inner_;
  std::uint64_t cut_after_;
  mutable Sync<std::uint64_t> passed_;
};

}  // namespace otto::testing

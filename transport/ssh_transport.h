// The Transport over ssh: the last session of a hop chain, with the chain.
//
// Thin on purpose: what a command is lives in ssh_exec.h, what a connection is in ssh_loop.h.
#pragma once

#include <string>

#include "transport/hop_chain.h"
#include "transport/transport.h"

namespace otto::transport {

class SshTransport final : public Transport {
 public:
  SshTransport(std::string host_id, HopChain chain) : host_id_(std::move(host_id)), chain_(std::move(chain)) {}

  Result<std::unique_ptr<Process>> start(const Command& command, std::stop_token stop) override {
    return chain_.last().start(command, stop);
  }
  [[nodiscard]] const std::string& host_id() const override { return host_id_; }
  [[nodiscard]] Counters counters() const override { return chain_.last().counters(); }

 private:
  std::string host_id_;
  HopChain chain_;
};

}  // namespace otto::transport

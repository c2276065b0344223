// The Transport over ssh: the last session of a hop chain, with the chain, and further chains where one is not enough.
//
// A server may take few sessions a connection (MaxSessions), and some commands cannot wait for others to end. What
// finds no room on the connections there are gets a connection of its own, logged in as the first was; secrets that
// were typed for it are typed again from memory. What a command is lives in ssh_exec.h, what a connection is in
// ssh_loop.h.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "graph/base/sync.h"
#include "transport/ssh/hop_chain.h"
#include "transport/transport.h"

namespace otto::transport {

class SshTransport final : public Transport {
 public:
  /// Connects along `hosts`; `interaction` is used for the first connection only. Errors of HopChain::connect().
  static Result<std::unique_ptr<SshTransport>> connect(std::string host_id, std::vector<ResolvedHost> hosts,
                                                       const Interaction& interaction, const std::stop_token& stop);

  Result<std::unique_ptr<Process>> start(const Command& command, std::stop_token stop) override;
  [[nodiscard]] const std::string& host_id() const override { return host_id_; }
  [[nodiscard]] Counters counters() const override;

 private:
  using Chains = std::vector<std::unique_ptr<HopChain>>;

  SshTransport(std::string host_id, std::vector<ResolvedHost> hosts)
      : host_id_(std::move(host_id)), hosts_(std::move(hosts)) {}
  /// The connection of that number; the next one is made.
  Result<HopChain*> chain(std::size_t number, const std::stop_token& stop);

  const std::string host_id_;
  const std::vector<ResolvedHost> hosts_;
  std::map<std::string, std::string> secrets_;  ///< by prompt; constant once connected
  mutable Sync<Chains> chains_;
  std::mutex growing_;  ///< held while one more is connected
};

}  // namespace otto::transport

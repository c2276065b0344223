// One connection after the other, until one has room.
//
// See ssh_transport.h.
#include "transport/ssh/ssh_transport.h"

#include "transport/ssh/ssh_channel.h"

namespace otto::transport {

Result<std::unique_ptr<SshTransport>> SshTransport::connect(std::string host_id, std::vector<ResolvedHost> hosts,
                                                            const Interaction& interaction,
                                                            const std::stop_token& stop) {
  std::unique_ptr<SshTransport> transport(new SshTransport(std::move(host_id), std::move(hosts)));
  Interaction first = interaction;
  if (interaction.ask_secret) {
    first.ask_secret = [&](const std::string& prompt) {
      auto answer = interaction.ask_secret(prompt);
      if (answer) transport->secrets_[prompt] = *answer;
      return answer;
    };
  }
  OTTO_TRY(auto chain, HopChain::connect(transport->hosts_, first, stop));
  transport->chains_.lock()->push_back(std::make_unique<HopChain>(std::move(chain)));
  return transport;
}

Result<HopChain*> SshTransport::chain(std::size_t number, const std::stop_token& stop) {
  const auto known = [&]() -> HopChain* {
    auto chains = chains_.lock();
    return number < chains->size() ? (*chains)[number].get() : nullptr;
  };
  if (HopChain* const there = known()) return there;
  const std::scoped_lock growing(growing_);
  if (HopChain* const there = known()) return there;
  Interaction again;
  again.ask_secret = [&](const std::string& prompt) {
    const auto secret = secrets_.find(prompt);
    return secret != secrets_.end() ? std::optional(secret->second) : std::nullopt;
  };
  OTTO_TRY(auto chain, HopChain::connect(hosts_, again, stop));
  auto chains = chains_.lock();
  chains->push_back(std::make_unique<HopChain>(std::move(chain)));
  return chains->back().get();
}

Result<std::unique_ptr<Process>> SshTransport::start(const Command& command, std::stop_token stop) {
  for (std::size_t number = 0;; ++number) {
    auto found = chain(number, stop);
    if (!found)
      return std::move(found).error().in("opening one more connection, those there are being full (MaxSessions)");
    auto process = (*found)->last().start(command, stop);
    if (process.ok() || process.error().code != kNoRoom) return process;
  }
}

Counters SshTransport::counters() const {
  Counters sum;
  auto chains = chains_.lock();
  for (const auto& chain : *chains) {
    const Counters counters = chain->last().counters();
    sum.bytes_sent += counters.bytes_sent;
    sum.bytes_received += counters.bytes_received;
  }
  return sum;
}

}  // namespace otto::transport

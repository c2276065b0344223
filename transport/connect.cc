// Picks the implementation by protocol.
//
// See connect.h.
#include "transport/connect.h"

#include <fmt/format.h>

#include "transport/local/local_transport.h"
#include "transport/ssh/hop_chain.h"
#include "transport/ssh/ssh_transport.h"
#include "transport/telnet/telnet_transport.h"

namespace otto::transport {

Result<std::unique_ptr<Transport>> connect(const Route& route, const Interaction& interaction, std::stop_token stop) {
  switch (route.target.protocol) {
    case Protocol::kLocal:
      if (!route.via.empty()) {
        return make_error(ErrorCode::kConfig, fmt::format("host '{}' is local and cannot have a hop", route.target.id),
                          "remove \"hop\" in hosts.json");
      }
      interaction.tell(route.target.id, ConnectStage::kResolved, "this machine");
      return std::unique_ptr<Transport>(std::make_unique<LocalTransport>(route.target.id));
    case Protocol::kTelnet: {
      OTTO_TRY(auto transport, TelnetTransport::connect(route, interaction, stop));
      return std::unique_ptr<Transport>(std::move(transport));
    }
    case Protocol::kSsh: break;
  }
  OTTO_TRY(auto hosts, resolve_route(route, interaction.ssh_answers, stop));
  announce_route(hosts, interaction);
  OTTO_TRY(auto transport, SshTransport::connect(route.target.id, std::move(hosts), interaction, stop));
  return std::unique_ptr<Transport>(std::move(transport));
}

}  // namespace otto::transport

#include "transport/telnet/telnet_transport.h"

#include <fmt/format.h>

#include "transport/classify.h"
#include "transport/os/tcp.h"
#include "transport/telnet/telnet_process.h"
#include "transport/telnet/telnet_script.h"

namespace otto::transport {
namespace {

constexpr std::uint16_t kTelnetPort = 23;
constexpr std::chrono::seconds kConnectTimeout{10};

}  // namespace

Result<std::unique_ptr<TelnetTransport>> TelnetTransport::connect(const Route& route, const Interaction& interaction,
                                                                  const std::stop_token& stop) {
  std::unique_ptr<TelnetTransport> transport(new TelnetTransport(route.target));
  Address& address = transport->address_;
  if (!address.port) address.port = kTelnetPort;
  if (!address.connect_timeout) address.connect_timeout = kConnectTimeout;
  const std::string where = fmt::format("{}:{} by telnet, unencrypted", address.host, *address.port);
  if (route.via.empty()) {
    interaction.tell(address.id, ConnectStage::kResolved, where);
  } else {
    Route way{route.via, route.via.back()};
    way.via.pop_back();
    transport->last_hop_ = way.target.id;
    OTTO_TRY(const auto hosts, resolve_route(way, interaction.ssh_answers, stop));
    announce_route(hosts, interaction);
    interaction.tell(address.id, ConnectStage::kResolved, where);
    OTTO_TRY(HopChain hops, HopChain::connect(hosts, interaction, stop));
    transport->hops_.emplace(std::move(hops));
  }
  OTTO_TRY(auto session, transport->open(interaction, stop));
  transport->idle_.lock()->push_back(std::move(session));
  return transport;
}

Result<std::unique_ptr<TelnetSession>> TelnetTransport::open(const Interaction& interaction,
                                                             const std::stop_token& stop) {
  const std::string who = fmt::format("'{}' ({}:{}, telnet)", address_.id, address_.host, *address_.port);
  Fd socket;
  if (hops_) {
    auto tunnel =
        hops_->last().open_tunnel(address_.host, *address_.port, Clock::now() + *address_.connect_timeout, stop);
    if (!tunnel) return classify_tunnel(who, last_hop_, std::move(tunnel).error());
    socket = std::move(tunnel).value();
  } else {
    OTTO_TRY(socket, connect_tcp(who, address_.host, *address_.port, *address_.connect_timeout, stop));
  }
  interaction.tell(address_.id, ConnectStage::kConnected,
                   hops_ ? fmt::format("reached from hop '{}'", last_hop_) : "reached");
  OTTO_TRY(auto session, TelnetSession::log_in(std::move(socket), who, address_, stop));
  interaction.tell(address_.id, ConnectStage::kLoggedIn, fmt::format("as '{}'", address_.user.value_or("")));
  return session;
}

Result<std::unique_ptr<TelnetSession>> TelnetTransport::idle_or_open(const std::stop_token& stop) {
  for (;;) {
    std::unique_ptr<TelnetSession> session;
    {
      auto idle = idle_.lock();
      if (idle->empty()) break;
      session = std::move(idle->back());
      idle->pop_back();
    }
    // One that has something to say has been closed, or is in a state nobody knows.
    if (session->stream().quiet()) return session;
  }
  return open({}, stop);
}

void TelnetTransport::give_back(std::unique_ptr<TelnetSession> session, const Counters& before, bool reusable) {
  const Counters now = session->stream().counters();
  sent_ += now.bytes_sent - before.bytes_sent;
  received_ += now.bytes_received - before.bytes_received;
  if (reusable) idle_.lock()->push_back(std::move(session));
}

Result<std::unique_ptr<Process>> TelnetTransport::start(const Command& command, std::stop_token stop) {
  OTTO_TRY(auto session, idle_or_open(stop));
  const Counters before = session->stream().counters();
  TelnetStream& stream = session->stream();
  if (!command.pty) {
    OTTO_RETURN_IF_ERROR(stream.send(telnet_command(session->token(), command.line), stop));
    return std::unique_ptr<Process>(std::make_unique<TelnetProcess>(*this, std::move(session), before));
  }
  OTTO_RETURN_IF_ERROR(stream.ask_binary(stop));
  OTTO_RETURN_IF_ERROR(stream.resize(command.pty->columns, command.pty->rows, stop));
  OTTO_RETURN_IF_ERROR(stream.send(telnet_pty_command(session->token(), command.line, *command.pty), stop));
  OTTO_RETURN_IF_ERROR(
      session->read_past(telnet_pty_begin(session->token()), Clock::now() + *address_.connect_timeout, stop));
  return std::unique_ptr<Process>(std::make_unique<TelnetPtyProcess>(*this, std::move(session), before));
}

}  // namespace otto::transport

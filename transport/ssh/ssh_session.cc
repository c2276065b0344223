// From a connected socket to a running loop.
//
// Two spare channels are opened at once on the last host of a route: the first command and the supervisor that comes
// with the first job then start without the round trip of opening theirs.
#include "transport/ssh/ssh_session.h"

#include "transport/ssh/ssh_loop.h"
#include "transport/ssh/ssh_process.h"
#include "transport/ssh/ssh_tunnel.h"

namespace otto::transport {
namespace {

constexpr int kSpareChannels = 2;

}  // namespace

SshSession::SshSession(std::unique_ptr<SshLoop> loop) : loop_(std::move(loop)) {}
SshSession::~SshSession() = default;

Result<std::unique_ptr<SshSession>> SshSession::log_in(Fd socket, const ResolvedHost& host, std::string who, bool hop,
                                                       const Interaction& interaction, const std::stop_token& stop,
                                                       bool& turned_away) {
  auto handle = std::make_unique<SshHandle>(std::move(socket), std::move(who));
  auto shaken = handshake(*handle, host, interaction, stop);
  turned_away = !shaken.ok() && handle->was_turned_away();
  OTTO_RETURN_IF_ERROR(std::move(shaken));
  OTTO_RETURN_IF_ERROR(authenticate(*handle, host, interaction, stop));
  auto loop = std::make_unique<SshLoop>(std::move(handle), host.keepalive_interval, hop ? 0 : kSpareChannels);
  return std::unique_ptr<SshSession>(new SshSession(std::move(loop)));
}

Result<std::unique_ptr<Process>> SshSession::start(const Command& command, const std::stop_token& stop) {
  auto channel = std::make_unique<ExecChannel>(command, loop_->link());
  ExecChannel* const borrowed = channel.get();
  loop_->post(std::move(channel));
  auto process = std::make_unique<SshProcess>(borrowed);
  OTTO_RETURN_IF_ERROR(borrowed->wait_started(stop));
  return std::unique_ptr<Process>(std::move(process));
}

Result<Fd> SshSession::open_tunnel(const std::string& host, std::uint16_t port, Deadline deadline,
                                   const std::stop_token& stop) {
  OTTO_TRY(auto ends, make_socket_pair());
  auto tunnel = std::make_unique<TunnelChannel>(host, port, std::move(ends.first));
  TunnelChannel* const borrowed = tunnel.get();
  loop_->post(std::move(tunnel));
  auto opened = borrowed->wait_open(deadline, stop);
  borrowed->release();
  OTTO_RETURN_IF_ERROR(std::move(opened));
  return std::move(ends.second);
}

Counters SshSession::counters() const {
  const auto& link = loop_->link();
  return Counters{link.bytes_sent.load(), link.bytes_received.load()};
}

}  // namespace otto::transport

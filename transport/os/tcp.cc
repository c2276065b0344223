// getaddrinfo and non-blocking connect.
//
// getaddrinfo cannot be cancelled, so names (not numeric addresses) are resolved on a thread of their own that is left
// behind when the user stops waiting: it owns its state through a shared_ptr and nothing else.
#include "transport/os/tcp.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "graph/base/sync.h"
#include "graph/base/text.h"
#include "transport/classify.h"

namespace otto::transport {
namespace {

/// Bytes the kernel may hold unsent: small, so that a heartbeat does not queue behind megabytes of an upload.
constexpr int kNotSentLowWater = 256 * 1024;

struct AddressesDeleter {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDeleter>;

struct Lookup {
  struct State {
    bool done = false;
    int error = 0;
    Addresses addresses;
  };
  Sync<State> state;
  std::condition_variable_any changed;
};

int number_of(AddressFamily family) {
  return family == AddressFamily::kIpv4 ? AF_INET : family == AddressFamily::kIpv6 ? AF_INET6 : AF_UNSPEC;
}

int look_up(const std::string& host, std::uint16_t port, int family, int flags, Addresses& result) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error == 0) result.reset(list);
  return error;
}

Result<Addresses> resolve(const std::string& who, const std::string& host, std::uint16_t port, int family,
                          Clock::time_point deadline, const std::stop_token& stop) {
  Addresses numeric;
  if (look_up(host, port, family, AI_NUMERICHOST, numeric) == 0) return numeric;
  const auto lookup = std::make_shared<Lookup>();
  std::thread([lookup, host, port, family] {
    Addresses found;
    const int error = look_up(host, port, family, 0, found);
    auto state = lookup->state.lock();
    *state = Lookup::State{true, error, std::move(found)};
    lookup->changed.notify_all();
  }).detach();
  const std::stop_callback wake(stop, [&] {
    const auto locked = lookup->state.lock();
    lookup->changed.notify_all();
  });
  auto state = lookup->state.lock();
  state.wait_for(lookup->changed, deadline - Clock::now(),
                 [&](const Lookup::State& s) { return s.done || stop.stop_requested(); });
  if (stop.stop_requested()) return interrupted();
  if (!state->done) return timed_out(who, fmt::format("resolving '{}'", host));
  if (state->error != 0) return classify_lookup(who, host, state->error);
  return std::move(state->addresses);
}

/// To whichever of `own` the kernel takes; true where there is one of that family.
bool bind_to(const Fd& socket, const addrinfo* own, int family) {
  for (const addrinfo* at = own; at != nullptr; at = at->ai_next) {
    if (at->ai_family == family && ::bind(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return true;
  }
  return false;
}

Error cannot_bind(const std::string& who, const std::string& address) {
  return make_error(ErrorCode::kConfig,
                    fmt::format("{}: cannot connect from BindAddress '{}'", who, text::printable(address)),
                    "name an address of this machine in BindAddress of ~/.ssh/config, of the family that the host has");
}

Result<Fd> connect_one(const std::string& who, const addrinfo& address, Clock::time_point deadline,
                       const std::stop_token& stop, const addrinfo* own, const std::string& own_name) {
  Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!socket.valid()) return classify_connect(who, errno);
  if (own != nullptr && !bind_to(socket, own, address.ai_family)) return cannot_bind(who, own_name);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return classify_connect(who, errno);
    switch (wait_for_fd(socket.get(), POLLOUT, deadline, stop)) {
      case Ready::kReady: break;
      case Ready::kTimedOut: return timed_out(who, "connecting");
      case Ready::kStopped: return interrupted();
    }
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return classify_connect(who, error);
  }
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentLowWater, sizeof kNotSentLowWater);
  return socket;
}

}  // namespace

Result<Fd> connect_tcp(const std::string& who, const std::string& host, std::uint16_t port,
                       std::chrono::milliseconds timeout, const std::stop_token& stop, const LocalEnd& local) {
  const auto deadline = Clock::now() + timeout;
  OTTO_TRY(const Addresses addresses, resolve(who, host, port, number_of(local.family), deadline, stop));
  Addresses own;
  if (local.address) {
    auto found = resolve(who, *local.address, 0, number_of(local.family), deadline, stop);
    if (!found.ok() && found.error().code == ErrorCode::kInterrupted) return std::move(found).error();
    if (!found.ok()) return cannot_bind(who, *local.address);
    own = std::move(*found);
  }
  long left = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) ++left;
  std::optional<Error> refused;  // says more than that another family has no local end
  Result<Fd> result = classify_connect(who, EHOSTUNREACH);
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next, --left) {
    const auto share = (deadline - Clock::now()) / left;
    result = connect_one(who, *at, Clock::now() + share, stop, own.get(), local.address.value_or(""));
    if (result.ok() || result.error().code == ErrorCode::kInterrupted) return result;
    if (result.error().code != ErrorCode::kConfig) refused = result.error();
  }
  if (refused) return *refused;
  return result;
}

}  // namespace otto::transport

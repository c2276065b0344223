// The telnet stream over a socket pair: what no server can be made to do on demand.
#include "transport/telnet/telnet_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace otto::transport {
namespace {

constexpr std::string_view kDoSomething = "\xff\xfd\x4d";  // IAC DO 77; the answer is as long

std::string many_requests() {
  std::string requests;
  while (requests.size() < std::size_t{3} << 20) requests += kDoSomething;
  return requests;
}

/// Reads nothing before all is sent, then `wanted` bytes.
void send_then_read(int fd, std::string_view bytes, std::size_t wanted) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(fd, bytes.data(), bytes.size());
    ASSERT_GT(sent, 0);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string buffer(64 * 1024, '\0');
  while (wanted > 0) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    ASSERT_GT(got, 0);
    wanted -= std::min(wanted, static_cast<std::size_t>(got));
  }
}

TEST(TelnetStream, AReceiverNeverWaitsForAPeerThatDoesNotRead) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Fd near_end(ends[0]);
  Fd far_end(ends[1]);
  TelnetStream stream(std::move(near_end), "far", {});
  std::stop_source give_up;
  const std::string requests = many_requests();
  std::jthread peer([&] { send_then_read(far_end.get(), requests + "end", requests.size()); });
  std::jthread watchdog([&](const std::stop_token& done) {
    for (int i = 0; i < 300 && !done.stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (done.stop_requested()) return;
    give_up.request_stop();
    ::shutdown(far_end.get(), SHUT_RDWR);
  });
  std::string said;
  while (said != "end") {
    const auto bytes = stream.receive({}, give_up.get_token());
    ASSERT_TRUE(bytes.ok() && bytes->has_value());
    said += **bytes;
  }
  // The answers that the socket did not take go out with the next turn.
  std::jthread reader([&] { static_cast<void>(stream.receive({}, give_up.get_token())); });
  peer.join();
  give_up.request_stop();
}

}  // namespace
}  // namespace otto::transport

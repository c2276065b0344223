// The ciphers of an ssh connection, each against a real sshd that offers no other: packets of every size, both ways,
// and a byte changed on the way.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <thread>

#include "graph/base/fd.h"
#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"
#include "transport/connect.h"
#include "transport/os/tcp.h"

namespace otto::transport {
namespace {

using testing::connect_or_fail;
using testing::SshdFixture;

/// Passes one TCP connection on to a port of this machine; after spoil() a bit of what the server sends next is
/// another.
class Relay {
 public:
  explicit Relay(std::uint16_t to) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this, to](const std::stop_token& stop) { run(to, stop); });
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void spoil() { spoil_ = true; }

 private:
  void run(std::uint16_t to, const std::stop_token& stop) {
    if (wait_for_fd(listener_.get(), POLLIN, {}, stop) != Ready::kReady) return;
    const Fd client(::accept(listener_.get(), nullptr, nullptr));
    auto server = connect_tcp("the sshd", "127.0.0.1", to, std::chrono::seconds(10), stop);
    if (!server) return;
    while (!stop.stop_requested()) {
      if (wait_for_fds(client.get(), POLLIN, server->get(), POLLIN, {}, stop) != Ready::kReady) return;
      if (!pass(client.get(), server->get(), false) || !pass(server->get(), client.get(), true)) return;
    }
  }

  bool pass(int from, int to, bool from_server) {
    std::array<char, 16384> buffer;
    const ssize_t size = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size == 0) return false;
    if (size < 0) return true;
    if (from_server && spoil_.exchange(false)) buffer[static_cast<std::size_t>(size) / 2] ^= 4;
    for (ssize_t sent = 0; sent < size;) {
      const ssize_t more = ::send(to, buffer.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
      if (more < 0) return false;
      sent += more;
    }
    return true;
  }

  Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> spoil_ = false;
  std::jthread thread_;
};

class SshCipher : public ::testing::TestWithParam<std::string> {
 protected:
  static testing::SshdOptions options() { return {.config = {"Ciphers " + GetParam()}}; }
};

INSTANTIATE_TEST_SUITE_P(All, SshCipher,
                         ::testing::Values("chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com",
                                           "aes128-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr"));

TEST_P(SshCipher, CarriesPacketsOfEverySizeBothWays) {
  SshdFixture sshd(options());
  const auto transport = connect_or_fail(Route{{}, sshd.address()});
  ASSERT_NE(transport, nullptr);
  auto process = transport->start(Command{"exec cat"});
  ASSERT_TRUE(process.ok());
  const std::string bytes = noise(300);
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const std::string_view sent = std::string_view(bytes).substr(0, size);
    ASSERT_TRUE((*process)->write(sent).ok());
    std::string got;
    while (got.size() < size) {
      const auto chunk = (*process)->read(std::chrono::seconds(20));
      ASSERT_TRUE(chunk.ok() && *chunk) << "after " << got.size() << " of " << size;
      got += (*chunk)->bytes;
    }
    ASSERT_EQ(got, sent);
  }
  const std::string many = noise(3'000'017);
  EXPECT_EQ(run_line(*transport, "cat", many).out, many);
}

TEST_P(SshCipher, AByteChangedOnTheWayEndsTheConnection) {
  SshdFixture sshd(options());
  Relay relay(sshd.port());
  Address address = sshd.address();
  address.port = relay.port();
  const auto transport = connect_or_fail(Route{{}, address});
  ASSERT_NE(transport, nullptr);
  auto process = transport->start(Command{"cat"});
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE((*process)->write("whole\n").ok());
  const auto whole = (*process)->read(std::chrono::seconds(20));
  ASSERT_TRUE(whole.ok() && *whole);
  EXPECT_EQ((*whole)->bytes, "whole\n");
  relay.spoil();
  ASSERT_TRUE((*process)->write(noise(1000)).ok());
  const auto spoilt = (*process)->read(std::chrono::seconds(20));
  ASSERT_FALSE(spoilt.ok()) << "what was changed on the way was taken for what was sent";
  EXPECT_EQ(spoilt.error().code, ErrorCode::kConnectionLost) << spoilt.error().message;
}

}  // namespace
}  // namespace otto::transport

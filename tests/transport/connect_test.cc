// Reaching a host at all, losing it again, and the protocols.
#include "transport/connect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/support/sshd_fixture.h"
#include "tests/transport/exec_helpers.h"

namespace otto::transport {
namespace {

using std::chrono::milliseconds;
using testing::connect_or_fail;
using testing::SshdFixture;

Address somewhere(std::uint16_t port) {
  Address address;
  address.id = "pepper_seed";
  address.host = "127.0.0.1";
  address.port = port;
  address.user = "nobody";
  address.use_ssh_config = false;
  address.connect_timeout = milliseconds(200);
  return address;
}

Error connect_error(const Address& address, std::stop_token stop = {}) {
  auto transport = connect(Route{{}, address}, {}, stop);
  if (transport) {
    ADD_FAILURE() << "it connected";
    return {};
  }
  return transport.error();
}

/// A listener that accepts into its backlog and never says a word.
class Silence {
 public:
  Silence() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    OTTO_CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    OTTO_CHECK(::listen(fd_, 1) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  ~Silence() { ::close(fd_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Says the same without an end, until the other side goes.
  void talk(std::string_view words) const {
    std::string many;
    for (int i = 0; i < 5000; ++i) many += words;
    const int other = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    while (::send(other, many.data(), many.size(), MSG_NOSIGNAL) > 0) continue;
    ::close(other);
  }
  /// As sshd beyond its MaxStartups, until shut; gives how often somebody came.
  int turn_away() const {
    constexpr std::string_view kWords = "Exceeded MaxStartups\r\n";
    for (int came = 0;; ++came) {
      const int other = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (other < 0) return came;
      static_cast<void>(::send(other, kWords.data(), kWords.size(), MSG_NOSIGNAL));
      ::close(other);
    }
  }
  void shut() const { ::shutdown(fd_, SHUT_RDWR); }
  void hang_up() const { ::close(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST(Connect, ARefusedConnectionNamesHostAndPort) {
  const std::uint16_t port = testing::free_port();
  const Error error = connect_error(somewhere(port));
  EXPECT_EQ(error.code, ErrorCode::kUnreachable);
  EXPECT_EQ(error.message, "'pepper_seed' (127.0.0.1:" + std::to_string(port) + "): connection refused");
  EXPECT_NE(error.hint, "");
}

TEST(Connect, AnUnknownNameIsNamed) {
  Address address = somewhere(22);
  address.host = "no-such-host.invalid";
  address.connect_timeout = std::chrono::seconds(5);
  const Error error = connect_error(address);
  EXPECT_EQ(error.code, ErrorCode::kUnreachable);
  EXPECT_NE(error.message.find("cannot resolve 'no-such-host.invalid'"), std::string::npos) << error.message;
}

TEST(Connect, AHostThatSaysNothingTimesOut) {
  const Silence silence;
  const Error error = connect_error(somewhere(silence.port()));
  EXPECT_EQ(error.code, ErrorCode::kTimedOut);
  EXPECT_NE(error.message.find("ssh handshake"), std::string::npos) << error.message;
}

TEST(Connect, WhoIsTurnedAwayAsksAgain) {
  const Silence busy;
  int came = 0;
  std::jthread other([&] { came = busy.turn_away(); });
  Address address = somewhere(busy.port());
  address.connect_timeout = std::chrono::seconds(1);
  const Error error = connect_error(address);
  busy.shut();
  other.join();
  EXPECT_GE(came, 3);
  EXPECT_LE(came, 6);
  EXPECT_NE(error.message.find("cut short"), std::string::npos) << error.message;
}

TEST(Connect, AHostThatTalksWithoutAnEndTimesOut) {
  const Silence silence;
  std::jthread other([&] { silence.talk("hello there\r\n"); });
  const Error error = connect_error(somewhere(silence.port()));
  EXPECT_EQ(error.code, ErrorCode::kTimedOut) << error.message;
}

TEST(Connect, AHostOfTheFirstProtocolIsNamed) {
  const Silence silence;
  std::jthread other([&] { silence.talk("SSH-1.5-OpenSSH_2.0\r\n"); });
  const Error error = connect_error(somewhere(silence.port()));
  EXPECT_NE(error.message.find("first ssh protocol"), std::string::npos) << error.message;
}

TEST(Connect, AHostThatHangsUpIsNoSshServer) {
  const Silence silence;
  std::jthread other([&] { silence.hang_up(); });
  Address address = somewhere(silence.port());
  address.connect_timeout = std::chrono::seconds(1);
  const Error error = connect_error(address);  // who asks again is answered by nobody
  EXPECT_EQ(error.code, ErrorCode::kUnreachable);
  EXPECT_NE(error.hint.find("ssh server"), std::string::npos) << error.message;
}

TEST(Connect, AStopInterrupts) {
  const Silence silence;
  Address address = somewhere(silence.port());
  address.connect_timeout = std::chrono::seconds(60);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(connect_error(address, stop.get_token()).code, ErrorCode::kInterrupted);
}

TEST(Connect, ByNameAndByIpv6) {
  SshdFixture sshd;
  Address address = sshd.address();
  address.host = "localhost";  // ::1 first where the resolver says so: nothing listens there
  EXPECT_NE(connect_or_fail(Route{{}, address}), nullptr);
}

TEST(Connect, OddNamesNeverReachAnything) {
  for (const char* host : {"-oProxyCommand=touch /tmp/x", "a b", "$(id)", ""}) {
    Address address = somewhere(22);
    address.host = host;
    address.use_ssh_config = true;
    EXPECT_EQ(connect_error(address).code, ErrorCode::kConfig) << host;
  }
  Address address = somewhere(22);
  address.user = "-lroot";
  EXPECT_EQ(connect_error(address).code, ErrorCode::kConfig);
}

TEST(Connect, LocalHostsTakeNoHop) {
  Address local;
  local.id = "here";
  local.protocol = Protocol::kLocal;
  const auto transport = connect(Route{{}, local}, {});
  ASSERT_TRUE(transport.ok());
  EXPECT_EQ(run_line(**transport, "echo here").out, "here\n");
  const auto refused = connect(Route{{somewhere(22)}, local}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kConfig);
}

TEST(ConnectionLoss, MidTransferIsToldToReadersAndWriters) {
  SshdFixture sshd;
  const auto transport = connect_or_fail(Route{{}, sshd.address()});
  ASSERT_NE(transport, nullptr);
  auto reading = transport->start(Command{"echo begun; cat /dev/zero"});
  auto writing = transport->start(Command{"cat >/dev/null"});
  ASSERT_TRUE(reading.ok() && writing.ok());
  std::jthread writer([&] {
    const std::string block(1 << 16, 'x');
    for (;;) {
      const auto written = (*writing)->write(block);
      if (written.ok()) continue;
      EXPECT_EQ(written.error().code, ErrorCode::kConnectionLost);
      return;
    }
  });
  bool cut = false;
  for (;;) {
    auto chunk = (*reading)->read();
    if (!chunk) {
      EXPECT_EQ(chunk.error().code, ErrorCode::kConnectionLost);
      EXPECT_NE(chunk.error().message.find("'pepper_seed' (127.0.0.1:"), std::string::npos);
      break;
    }
    ASSERT_TRUE(chunk->has_value());
    if (!std::exchange(cut, true)) sshd.signal_connections(SIGKILL);
  }
  EXPECT_EQ((*reading)->wait().error().code, ErrorCode::kConnectionLost);
  const auto again = transport->start(Command{"echo x"});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kConnectionLost);
}

TEST(ConnectionLoss, WhileNothingRuns) {
  SshdFixture sshd;
  const auto transport = connect_or_fail(Route{{}, sshd.address()});
  ASSERT_NE(transport, nullptr);
  EXPECT_EQ(run_line(*transport, "echo x").out, "x\n");
  sshd.signal_connections(SIGKILL);
  const auto again = transport->start(Command{"cat"});
  const auto read = again.ok() ? (*again)->read() : Result<std::optional<Chunk>>(again.error());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kConnectionLost);
}

/// Until the kernel takes no more, a packet is half sent: nothing tells when, so the counter is watched.
void await_stuck(const Transport& transport) {
  for (std::uint64_t before = 1, now = 0; before != now || now == 0;) {
    before = now;
    std::this_thread::sleep_for(milliseconds(100));
    now = transport.counters().bytes_sent;
  }
}

/// A command whose input the stopped host will not read.
std::unique_ptr<Process> start_unread(Transport& transport, SshdFixture& sshd) {
  auto process = transport.start(Command{"echo begun; cat >/dev/null"});
  if (!process.ok() || !(*process)->read().ok()) return nullptr;
  sshd.signal_connections(SIGSTOP);
  return std::move(*process);
}

TEST(ConnectionLoss, InTheMiddleOfAPacket) {  // the leak sanitizer sees a session that could not be freed
  SshdFixture sshd;
  auto transport = connect_or_fail(Route{{}, sshd.address()});
  ASSERT_NE(transport, nullptr);
  const auto process = start_unread(*transport, sshd);
  ASSERT_NE(process, nullptr);
  std::jthread writer([&] {
    const auto written = process->write(std::string(64 << 20, 'x'));
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, ErrorCode::kConnectionLost);
  });
  await_stuck(*transport);
  sshd.signal_connections(SIGKILL);
  writer.join();
}

TEST(ConnectionLoss, AStuckConnectionCanBeTakenDown) {
  SshdFixture sshd;
  auto transport = connect_or_fail(Route{{}, sshd.address()});
  ASSERT_NE(transport, nullptr);
  auto process = start_unread(*transport, sshd);
  ASSERT_NE(process, nullptr);
  std::stop_source stop;
  std::jthread writer([&] {
    const auto written = process->write(std::string(64 << 20, 'x'), stop.get_token());
    EXPECT_EQ(written.error().code, ErrorCode::kInterrupted);
  });
  await_stuck(*transport);
  stop.request_stop();
  writer.join();
  process.reset();
  transport.reset();
}

TEST(ConnectionLoss, ASilentPeerIsNoticed) {
  SshdFixture sshd;
  Address address = sshd.address();
  address.keepalive_interval = milliseconds(150);
  const auto transport = connect_or_fail(Route{{}, address});
  ASSERT_NE(transport, nullptr);
  auto process = transport->start(Command{"echo begun; read line"});
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE((*process)->read().ok());
  sshd.signal_connections(SIGSTOP);
  auto chunk = (*process)->read();
  ASSERT_FALSE(chunk.ok());
  EXPECT_EQ(chunk.error().code, ErrorCode::kConnectionLost);
  EXPECT_NE(chunk.error().message.find("no answer"), std::string::npos) << chunk.error().message;
}

TEST(ConnectionLoss, AQuietButLivingPeerIsKept) {
  SshdFixture sshd;
  Address address = sshd.address();
  address.keepalive_interval = milliseconds(700);
  const auto transport = connect_or_fail(Route{{}, address});
  ASSERT_NE(transport, nullptr);
  EXPECT_EQ(run_line(*transport, "sleep 2.3; echo x").out, "x\n");  // longer than three intervals
}

}  // namespace
}  // namespace otto::transport

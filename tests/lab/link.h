// A link of the test lab: relays TCP connections with a round-trip time, a bandwidth, byte counters and a pair of
// scissors. It knows nothing of SSH, nor how its sockets were made (link_proxy.cc). One thread, one poll loop; settings
// change while it runs over a Unix control socket: one line of key=value words in, one line of JSON out (see apply()).
// Delay is half the round-trip time each way; the target is dialled after one and a half, when a real accept() would
// return. What a stalled link holds back it neither reads nor acknowledges with an end of file: a cable pulled
// silently.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace otto::lab {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::microseconds;

constexpr size_t kReadSize = 256 * 1024;
constexpr size_t kMaxInFlight = 64 * 1024 * 1024;  // a direction's delayed bytes; more is left in the sender's kernel
constexpr microseconds kRateSlack{5000};           // how far ahead of the rate a direction is read
constexpr long long kNever = -1;

[[noreturn]] inline void die(const std::string& what) {
  std::fprintf(stderr, "link_proxy: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

struct Chunk {
  Time due;
  std::vector<char> bytes;  // empty: end of file
  size_t sent = 0;
};

/// One direction of the link, shared by all its connections.
struct Lane {
  Time free_at{};
  unsigned long long bytes = 0;
};

/// One direction of one connection.
struct Pipe {
  int from = -1;
  int to = -1;
  Lane* lane = nullptr;
  std::deque<Chunk> queue{};
  size_t queued = 0;
  bool read_ended = false;
  bool write_ended = false;
  bool blocked = false;
};

struct Connection {
  int client = -1;
  int server = -1;
  Time dial_at{};
  bool connected = false;
  bool broken = false;
  Pipe up{};
  Pipe down{};
};

inline void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Closes with a reset, as a cut connection looks to its ends.
inline void reset_fd(int& fd) {
  if (fd < 0) return;
  const linger hard{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(fd);
  fd = -1;
}

class Link {
 public:
  Link(int listener, int control, sockaddr_in target) : listener_(listener), control_(control), target_(target) {}

  /// Takes one word of the control protocol; false: unknown or malformed.
  bool apply(const std::string& word) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) return false;
    const std::string key = word.substr(0, equals);
    char* end = nullptr;
    const long long value = std::strtoll(word.c_str() + equals + 1, &end, 10);
    if (*end != '\0' || end == word.c_str() + equals + 1) return false;
    if (key == "rtt_us") {
      rtt_ = microseconds(std::max(0LL, value));
    } else if (key == "rate_bit") {  // bits a second in each direction, 0: unlimited
      rate_bit_ = std::max(0LL, value);
    } else if (key == "cut_after") {  // bytes, both directions; resets all connections once; -1: off
      cut_after_ = value;
    } else if (key == "stall_after") {  // the same, but stalls; -1: off
      stall_after_ = value;
    } else if (key == "stall") {
      stalled_ = value != 0;
    } else if (key == "refuse") {  // new connections are reset
      refused_ = value != 0;
    } else if (key == "cut") {
      cut();
    } else if (key == "clear") {  // counters to zero
      up_.bytes = down_.bytes = accepted_ = cuts_ = 0;
    } else {
      return false;
    }
    return true;
  }

  void run() {
    for (;;) {
      wait();
      const Time now = Clock::now();
      if (ready(listener_)) accept_client(now);
      if (ready(control_)) accept_control();
      serve_controls();
      for (auto& connection : connections_) serve(connection, now);
      connections_.remove_if([](const Connection& c) { return c.client < 0 && c.server < 0; });
    }
  }

 private:
  void wait() {
    polls_.clear();
    wake_ = Time::max();
    const Time now = Clock::now();
    watch(listener_, POLLIN);
    watch(control_, POLLIN);
    for (const auto& control : controls_) watch(control.fd, POLLIN);
    for (auto& c : connections_) {
      if (c.server < 0) {
        wake_ = std::min(wake_, c.dial_at);
      } else if (!c.connected) {
        watch(c.server, POLLOUT);
      } else if (!stalled_) {
        watch_pipe(c.up, now);
        watch_pipe(c.down, now);
      }
    }
    timespec timeout{0, 0};
    if (wake_ != Time::max()) {
      const auto left = std::max<long long>(0, std::chrono::nanoseconds(wake_ - now).count());
      timeout = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
    }
    if (ppoll(polls_.data(), polls_.size(), wake_ == Time::max() ? nullptr : &timeout, nullptr) < 0 && errno != EINTR) {
      die("poll");
    }
  }

  void watch(int fd, short events) { polls_.push_back({fd, events, 0}); }

  bool ready(int fd) const {
    return std::any_of(polls_.begin(), polls_.end(), [fd](const pollfd& p) { return p.fd == fd && p.revents != 0; });
  }

  void watch_pipe(const Pipe& pipe, Time now) {
    if (!pipe.queue.empty()) {
      if (pipe.blocked)
        watch(pipe.to, POLLOUT);
      else
        wake_ = std::min(wake_, pipe.queue.front().due);
    }
    if (pipe.read_ended || pipe.queued >= kMaxInFlight) return;
    if (may_read(pipe, now))
      watch(pipe.from, POLLIN);
    else
      wake_ = std::min(wake_, pipe.lane->free_at - kRateSlack);
  }

  bool may_read(const Pipe& pipe, Time now) const { return rate_bit_ == 0 || pipe.lane->free_at <= now + kRateSlack; }

  void accept_client(Time now) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    if (refused_) {
      int fd = client;
      reset_fd(fd);
      return;
    }
    ++accepted_;
    no_delay(client);
    connections_.push_back({.client = client, .dial_at = now + rtt_ + rtt_ / 2});
  }

  void dial(Connection& c) {
    c.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c.server < 0) die("socket");
    no_delay(c.server);
    if (connect(c.server, reinterpret_cast<sockaddr*>(&target_), sizeof target_) != 0 && errno != EINPROGRESS) {
      c.broken = true;
    }
    c.up = {.from = c.client, .to = c.server, .lane = &up_};
    c.down = {.from = c.server, .to = c.client, .lane = &down_};
  }

  void serve(Connection& c, Time now) {
    if (c.client < 0) return;  // cut
    if (c.server < 0) {
      if (now < c.dial_at || stalled_) return;
      dial(c);
      return;
    }
    if (!c.connected && !c.broken) {
      if (!ready(c.server)) return;
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(c.server, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) c.broken = true;
      c.connected = true;
    }
    if (!c.broken && !stalled_) pump(c, now);
    if (c.broken) {
      reset_fd(c.client);
      reset_fd(c.server);
    } else if (c.up.write_ended && c.down.write_ended) {
      close(c.client);
      close(c.server);
      c.client = c.server = -1;
    }
  }

  void pump(Connection& c, Time now) {
    for (Pipe* pipe : {&c.up, &c.down}) {
      c.broken = c.broken || !drain(*pipe, now);
      const bool wanted = !pipe->read_ended && pipe->queued < kMaxInFlight && may_read(*pipe, now);
      if (!c.broken && !stalled_ && wanted && !fill(*pipe, now)) c.broken = true;
      c.broken = c.broken || !drain(*pipe, now);
    }
  }

  /// Reads once from the pipe's source into its queue, or straight on where nothing delays it. False: connection lost.
  bool fill(Pipe& pipe, Time now) {
    size_t want = kReadSize;
    if (rate_bit_ > 0) want = std::clamp<size_t>(static_cast<size_t>(rate_bit_ / 8 / 200), 1460, kReadSize);
    for (const long long limit : {cut_after_, stall_after_}) {
      if (limit >= 0) want = std::min(want, static_cast<size_t>(std::max(1LL, limit)));
    }
    const ssize_t got = recv(pipe.from, buffer_.get(), want, 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    Time due = now + rtt_ / 2;
    if (got == 0) {
      pipe.read_ended = true;
      pipe.queue.push_back({std::max(due, pipe.lane->free_at + rtt_ / 2), {}});
      return true;
    }
    pipe.lane->bytes += static_cast<size_t>(got);
    if (rate_bit_ > 0) {
      pipe.lane->free_at = std::max(now, pipe.lane->free_at) + microseconds(got * 8'000'000LL / rate_bit_);
      due = pipe.lane->free_at + rtt_ / 2;
    }
    size_t sent = 0;
    if (due <= now && pipe.queue.empty()) {
      const ssize_t wrote = send(pipe.to, buffer_.get(), static_cast<size_t>(got), MSG_NOSIGNAL);
      if (wrote < 0 && errno != EAGAIN && errno != EINTR) return false;
      sent = wrote > 0 ? static_cast<size_t>(wrote) : 0;
    }
    if (sent < static_cast<size_t>(got)) {
      pipe.queue.push_back({due, {buffer_.get() + sent, buffer_.get() + got}});
      pipe.queued += static_cast<size_t>(got) - sent;
    }
    count_down(got);
    return true;
  }

  void count_down(long long bytes) {
    if (cut_after_ >= 0 && (cut_after_ -= bytes) <= 0) cut();
    if (stall_after_ >= 0 && (stall_after_ -= bytes) <= 0) {
      stall_after_ = kNever;
      stalled_ = true;
    }
  }

  /// Writes what is due. False: connection lost.
  bool drain(Pipe& pipe, Time now) {
    pipe.blocked = false;
    while (!pipe.queue.empty() && pipe.queue.front().due <= now) {
      Chunk& chunk = pipe.queue.front();
      if (chunk.bytes.empty()) {
        shutdown(pipe.to, SHUT_WR);
        pipe.write_ended = true;
      } else {
        const ssize_t wrote =
            send(pipe.to, chunk.bytes.data() + chunk.sent, chunk.bytes.size() - chunk.sent, MSG_NOSIGNAL);
        if (wrote < 0) {
          pipe.blocked = errno == EAGAIN || errno == EINTR;
          return pipe.blocked;
        }
        chunk.sent += static_cast<size_t>(wrote);
        pipe.queued -= static_cast<size_t>(wrote);
        if (chunk.sent < chunk.bytes.size()) continue;
      }
      pipe.queue.pop_front();
    }
    return true;
  }

  /// Resets every connection; what was in flight is lost. New ones are accepted.
  void cut() {
    cut_after_ = kNever;
    ++cuts_;
    for (auto& c : connections_) {
      c.broken = true;
      if (c.server < 0) reset_fd(c.client);  // not dialled yet
    }
    for (auto& c : connections_) {
      if (c.server >= 0) {
        reset_fd(c.client);
        reset_fd(c.server);
      }
    }
  }

  struct Control {
    int fd = -1;
    std::string input{};
  };

  void accept_control() {
    const int fd = accept4(control_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) controls_.push_back({fd, {}});
  }

  void serve_controls() {
    for (auto& control : controls_) {
      if (!ready(control.fd)) continue;
      char bytes[4096];
      const ssize_t got = recv(control.fd, bytes, sizeof bytes, 0);
      if (got > 0) control.input.append(bytes, static_cast<size_t>(got));
      if (const auto line_end = control.input.find('\n'); line_end != std::string::npos) {
        const std::string reply = answer(control.input.substr(0, line_end));
        send(control.fd, reply.data(), reply.size(), MSG_NOSIGNAL);
      } else if (got != 0) {
        continue;
      }
      close(control.fd);
      control.fd = -1;
    }
    controls_.remove_if([](const Control& control) { return control.fd < 0; });
  }

  std::string answer(const std::string& line) {
    for (size_t at = line.find_first_not_of(' '); at != std::string::npos; at = line.find_first_not_of(' ', at)) {
      const size_t end = std::min(line.find(' ', at), line.size());
      if (!apply(line.substr(at, end - at)))
        return "{\"error\": \"not understood: " + line.substr(at, end - at) + "\"}\n";
      at = end;
    }
    const auto field = [](const char* name, auto value) {
      return std::string("\"") + name + "\": " + std::to_string(value);
    };
    const auto flag = [](const char* name, bool value) {
      return std::string("\"") + name + "\": " + (value ? "true" : "false");
    };
    return "{" + field("rtt_us", rtt_.count()) + ", " + field("rate_bit", rate_bit_) + ", " +
           field("up_bytes", up_.bytes) + ", " + field("down_bytes", down_.bytes) + ", " +
           field("connections", accepted_) + ", " + field("open", connections_.size()) + ", " + field("cuts", cuts_) +
           ", " + field("cut_after", cut_after_) + ", " + field("stall_after", stall_after_) + ", " +
           flag("stalled", stalled_) + ", " + flag("refused", refused_) + "}\n";
  }

  int listener_;
  int control_;
  sockaddr_in target_;
  microseconds rtt_{0};
  long long rate_bit_ = 0;
  long long cut_after_ = kNever;
  long long stall_after_ = kNever;
  bool stalled_ = false;
  bool refused_ = false;
  unsigned long long accepted_ = 0;
  unsigned long long cuts_ = 0;
  Lane up_{};
  Lane down_{};
  std::list<Connection> connections_{};
  std::list<Control> controls_{};
  std::vector<pollfd> polls_{};
  Time wake_{};
  std::unique_ptr<char[]> buffer_ = std::make_unique<char[]>(kReadSize);
};

}  // namespace otto::lab

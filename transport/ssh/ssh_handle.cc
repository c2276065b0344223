// The libssh2 session object, its socket callbacks, and the handshake with the host key check.
//
// Algorithms: curve25519 first (sntrup is not in libssh2); ChaCha20 before AES-GCM, as in OpenSSH, because libssh2
// hands OpenSSL one AES block at a time (1.5 against 2.3 s of CPU for 512 MB); no SHA-1, unless
// the ssh configuration has it, and then last. libssh2 1.11.1 adds
// strict key exchange itself.
#include "transport/ssh/ssh_handle.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "graph/base/base64.h"
#include "graph/base/text.h"
#include "transport/classify.h"
#include "transport/ssh/known_hosts.h"

namespace otto::transport {

void ensure_libssh2() {
  static const int initialised = libssh2_init(0);
  OTTO_CHECK(initialised == 0);
}

SshHandle::SshHandle(Fd socket, std::string who) : socket_(std::move(socket)), who_(std::move(who)) {
  ensure_libssh2();
  set_nonblocking(socket_.get());
  session_ = libssh2_session_init_ex(nullptr, nullptr, nullptr, this);
  OTTO_CHECK(session_ != nullptr);
  libssh2_session_set_blocking(session_, 0);
  const auto as_callback = [](auto* function) { return reinterpret_cast<libssh2_cb_generic*>(function); };
  libssh2_session_callback_set2(session_, LIBSSH2_CALLBACK_SEND, as_callback(&SshHandle::on_send));
  libssh2_session_callback_set2(session_, LIBSSH2_CALLBACK_RECV, as_callback(&SshHandle::on_receive));
  libssh2_session_callback_set2(session_, LIBSSH2_CALLBACK_DISCONNECT, as_callback(&SshHandle::on_disconnect));
}

SshHandle::~SshHandle() {
  if (!abandoned_ && send_errno_ == 0 && receive_errno_ == 0 && !peer_closed_) {
    libssh2_session_disconnect(session_, "done");
    flush();
  }
  abandon();
  libssh2_session_free(session_);
}

std::size_t SshHandle::send_now(std::string_view bytes) {
  if (abandoned_ || send_failed()) return bytes.size();
  const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) {
    sent_ += static_cast<std::uint64_t>(sent);
    return static_cast<std::size_t>(sent);
  }
  if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) return 0;
  send_errno_ = errno;
  return bytes.size();
}

void SshHandle::flush() {
  if (!unsent_.empty()) unsent_.erase(0, send_now(unsent_));
}

/// libssh2 talks to the agent through the same two functions, over the agent's own (blocking) socket.
ssize_t SshHandle::on_send(libssh2_socket_t socket, const void* buffer, size_t length, int flags, void** abstract) {
  auto& self = *static_cast<SshHandle*>(*abstract);
  if (socket != self.fd()) return ::send(socket, buffer, length, flags | MSG_NOSIGNAL);
  std::string_view bytes(static_cast<const char*>(buffer), length);
  self.flush();
  if (self.unsent_.empty()) bytes.remove_prefix(self.send_now(bytes));
  self.unsent_ += bytes;
  return static_cast<ssize_t>(length);
}

ssize_t SshHandle::on_receive(libssh2_socket_t socket, void* buffer, size_t length, int flags, void** abstract) {
  auto& self = *static_cast<SshHandle*>(*abstract);
  if (socket != self.fd()) return self.receive_from_agent(socket, buffer, length, flags);
  if (self.abandoned_) return -ECONNRESET;
  if (self.muted_ || self.must_end()) return -EAGAIN;
  const ssize_t got = ::recv(socket, buffer, length, flags);
  if (got > 0) {
    self.received_ += static_cast<std::uint64_t>(got);
    self.last_received_ = Clock::now();
    return got;
  }
  if (got < 0 && errno == EINTR) return -EAGAIN;
  if (self.send_failed()) return -self.send_errno_;
  if (got == 0) {
    self.peer_closed_ = true;
    return 0;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK) return -EAGAIN;
  self.receive_errno_ = errno;
  return -errno;
}

bool SshHandle::must_end() const { return stopped_.stop_requested() || (deadline_ && Clock::now() > *deadline_); }

ssize_t SshHandle::receive_from_agent(int socket, void* buffer, std::size_t length, int flags) const {
  const Ready ready = wait_for_fd(socket, POLLIN, Deadline(), agent_stop_);
  return ready == Ready::kStopped ? -ECONNRESET : ::recv(socket, buffer, length, flags);
}

LIBSSH2_DISCONNECT_FUNC(SshHandle::on_disconnect) {
  static_cast<void>(session), static_cast<void>(reason), static_cast<void>(language), static_cast<void>(language_len);
  auto& self = *static_cast<SshHandle*>(*abstract);
  self.peer_closed_ = true;
  if (message != nullptr && message_len > 0) self.farewell_.assign(message, static_cast<std::size_t>(message_len));
}

std::string SshHandle::last_message() const {
  char* message = nullptr;
  int length = 0;
  libssh2_session_last_error(session_, &message, &length, 0);
  return message != nullptr ? std::string(message, static_cast<std::size_t>(length)) : std::string();
}

bool SshHandle::was_turned_away() const {
  const char* said = libssh2_session_banner_get(session_);  // "Exceeded MaxStartups", of newer ones
  return (peer_closed_ || receive_errno_ == ECONNRESET) && farewell_.empty() &&
         (said == nullptr || !std::string_view(said).starts_with("SSH-"));
}

std::string SshHandle::socket_cause() const {
  if (!farewell_.empty()) return "the host closed the connection: " + text::printable(farewell_);
  const int number = receive_errno_ != 0 ? receive_errno_ : send_errno_;
  if (number != 0) return text::to_lower(errno_text(number));
  return peer_closed_ ? "the host closed the connection" : "";
}

Result<int> SshHandle::drive(const std::function<int()>& call, Deadline deadline, const std::stop_token& stop,
                             std::string_view doing) {
  deadline_ = deadline;
  stopped_ = stop;
  struct Driven {
    SshHandle& handle;
    ~Driven() {
      handle.deadline_ = Deadline();
      handle.stopped_ = std::stop_token();
    }
  } driven{*this};
  for (;;) {
    if (stop.stop_requested()) return interrupted();
    flush();
    const int result = call();
    if (result != 0 && stop.stop_requested()) return interrupted();
    if (result != LIBSSH2_ERROR_EAGAIN) return result;
    if (deadline && Clock::now() > *deadline) return timed_out(who_, doing);  // though there may be more to read
    const int events = send_blocked() ? POLLIN | POLLOUT : POLLIN;
    switch (wait_for_fd(fd(), static_cast<short>(events), deadline, stop)) {
      case Ready::kReady: break;
      case Ready::kTimedOut: return timed_out(who_, doing);
      case Ready::kStopped: return interrupted();
    }
  }
}

namespace {

/// What otto offers where the ssh configuration does not say: what OpenSSH offers by default and libssh2 has.
struct Offer {
  std::vector<int> methods;
  std::string_view words;     ///< for messages
  std::string_view keywords;  ///< of ssh_config(5)
  std::string own;
  std::string_view configured;
};

std::vector<Offer> offers(const ResolvedHost& host, const std::string& host_keys) {
  const SshAlgorithms& asked = host.algorithms;
  return {{{LIBSSH2_METHOD_KEX},
           "key exchange",
           "KexAlgorithms",
           "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
           "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group-exchange-sha256,"
           "diffie-hellman-group14-sha256",
           asked.key_exchange},
          {{LIBSSH2_METHOD_HOSTKEY}, "host keys", "HostKeyAlgorithms", host_keys, asked.host_keys},
          {{LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC},
           "ciphers",
           "Ciphers",
           "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,"
           "aes256-ctr",
           asked.ciphers},
          {{LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC},
           "MACs",
           "MACs",
           "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512",
           asked.macs}};
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// What the configuration names, as far as the library has it. Of host keys otto's own order counts, because keys that
/// are known must come first.
std::string chosen(LIBSSH2_SESSION* session, const Offer& offer) {
  if (offer.configured.empty()) return offer.own;
  const char** supported = nullptr;
  const int count = libssh2_session_supported_algs(session, offer.methods.front(), &supported);
  const std::vector<std::string> known(supported, supported + std::max(count, 0));
  if (supported != nullptr) libssh2_free(session, supported);
  const std::vector<std::string> asked = text::split(offer.configured, ',');
  std::vector<std::string> names;
  if (offer.methods.front() == LIBSSH2_METHOD_HOSTKEY) {
    for (std::string& name : text::split(offer.own, ',')) {
      if (has(asked, name)) names.push_back(std::move(name));
    }
  }
  for (const std::string& name : asked) {
    if (has(known, name) && !has(names, name)) names.push_back(name);
  }
  // `ssh -G` tells its defaults, too, among which some are left for old servers.
  std::ranges::stable_partition(names, [](const std::string& name) {
    return name.find("sha1") == std::string::npos && name.find("md5") == std::string::npos && name != "ssh-rsa" &&
           name != "ssh-dss";
  });
  return text::join(names, ",");
}

Result<void> prefer_algorithms(LIBSSH2_SESSION* session, const std::string& who, const std::vector<Offer>& all) {
  for (const Offer& offer : all) {
    const std::string names = chosen(session, offer);
    if (names.empty()) {
      return make_error(ErrorCode::kUnsupported,
                        fmt::format("{}: of {} in the ssh configuration ({}) otto's ssh library has none", who,
                                    offer.keywords, offer.configured),
                        fmt::format("add one of {}", offer.own));
    }
    for (const int method : offer.methods) libssh2_session_method_pref(session, method, names.c_str());
  }
  for (const int method : {LIBSSH2_METHOD_COMP_CS, LIBSSH2_METHOD_COMP_SC}) {
    libssh2_session_method_pref(session, method, "none");
  }
  return {};
}

/// RSA keys sign by the first of these that the server takes.
void prefer_signatures(LIBSSH2_SESSION* session, const std::string& configured) {
  std::vector<std::string> names = text::split(configured, ',');
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("rsa-sha2-") && name != "ssh-rsa"; });
  if (!names.empty()) libssh2_session_method_pref(session, LIBSSH2_METHOD_SIGN_ALGO, text::join(names, ",").c_str());
}

bool is_first_protocol(std::string_view banner) {
  return banner.starts_with("SSH-1.") && !banner.starts_with("SSH-1.99");
}

/// What the two sides could not agree on, and what was offered.
std::string disagreement(LIBSSH2_SESSION* session, const std::vector<Offer>& all) {
  const auto agreed = [&](int method) { return libssh2_session_methods(session, method) != nullptr; };
  const auto words = [&](const Offer& offer) { return fmt::format("{} ({})", offer.words, chosen(session, offer)); };
  if (!agreed(LIBSSH2_METHOD_KEX)) {
    return fmt::format("the server takes nothing of what otto offers for {} or {}", words(all[0]), words(all[1]));
  }
  const Offer& offer = agreed(LIBSSH2_METHOD_CRYPT_CS) && agreed(LIBSSH2_METHOD_CRYPT_SC) ? all[3] : all[2];
  return fmt::format("the server takes nothing of what otto offers for {}", words(offer));
}

/// The type string at the front of a public key blob (RFC 4253, 6.6).
std::string key_type_of(std::string_view blob) {
  if (blob.size() < 4) return {};
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(blob[i])); };
  const std::size_t length = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
  return length <= blob.size() - 4 ? std::string(blob.substr(4, length)) : std::string();
}

}  // namespace

Result<void> handshake(SshHandle& handle, const ResolvedHost& host, const Interaction& interaction,
                       const std::stop_token& stop) {
  const bool checked = host.host_key_policy != HostKeyPolicy::kOff;
  const KnownHosts known =
      checked ? KnownHosts::read(host.known_hosts, host.key_name) : KnownHosts::read({}, host.key_name);
  const std::vector<Offer> offered = offers(host, known.algorithms());
  OTTO_RETURN_IF_ERROR(prefer_algorithms(handle.get(), handle.who(), offered));
  prefer_signatures(handle.get(), host.algorithms.signatures);
  OTTO_TRY(const int code, handle.drive([&] { return libssh2_session_handshake(handle.get(), handle.fd()); },
                                        Clock::now() + host.connect_timeout, stop, "waiting for the ssh handshake"));
  if (code != 0) {
    const char* banner = libssh2_session_banner_get(handle.get());
    if (banner != nullptr && is_first_protocol(banner)) {
      return make_error(
          ErrorCode::kUnreachable,
          fmt::format("{}: it speaks the first ssh protocol only ({})", handle.who(), text::printable(banner)),
          "that protocol is broken and no longer used: the host needs a newer ssh server");
    }
    const bool disagreed = code == LIBSSH2_ERROR_KEX_FAILURE || code == LIBSSH2_ERROR_METHOD_NONE;
    return classify_handshake(handle.who(), code,
                              disagreed ? disagreement(handle.get(), offered) : handle.last_message(),
                              handle.socket_cause());
  }

  std::size_t length = 0;
  int type = 0;
  const char* blob = libssh2_session_hostkey(handle.get(), &length, &type);
  const char* digest = libssh2_hostkey_hash(handle.get(), LIBSSH2_HOSTKEY_HASH_SHA256);
  if (blob == nullptr || digest == nullptr) {
    return make_error(ErrorCode::kHostKey, fmt::format("{}: the host showed no usable key", handle.who()));
  }
  const std::string_view key(blob, length);
  HostKeyQuestion question{
      handle.who(),         host.key_name,   key_type_of(key), base64_encode(key), fingerprint_text({digest, 32}),
      host.host_key_policy, host.known_hosts};
  if (host.revoked_host_keys) OTTO_RETURN_IF_ERROR(refuse_revoked_key(*host.revoked_host_keys, question));
  OTTO_TRY(const auto said, judge_host_key(known, question));
  if (said && interaction.notice) interaction.notice(*said);
  interaction.tell(host.id, ConnectStage::kHostKey,
                   fmt::format("{} {}, {}", question.type, question.fingerprint,
                               !checked ? "not checked"
                               : said   ? "new"
                                        : "known"));
  return {};
}

}  // namespace otto::transport

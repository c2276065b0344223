// The known_hosts files: which keys a host has shown before, whether a presented one is among them, recording new ones.
//
// Format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": several files, patterns, hashed names, [host]:port, @revoked and
// @cert-authority. A certificate authority never vouches for a plain key; a revoked key is always refused. Pure of
// network and libssh2 types. The key type of what is known decides which algorithms are offered, so that a host known
// by its ed25519 key cannot pass with a new RSA key (ssh does the same).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "transport/address.h"

namespace otto::transport {

struct KnownKey {
  std::string type;  ///< "ssh-ed25519"
  std::string key;   ///< base64
  std::string file;
  int line = 0;
  bool revoked = false;
};

enum class KeyVerdict { kMatch, kUnknown, kChanged, kRevoked };

struct KeyCheck {
  KeyVerdict verdict = KeyVerdict::kUnknown;
  std::string file;  ///< of the entry that decided
  int line = 0;
};

class KnownHosts {
 public:
  /// Reads what the files say about `name` ("host" or "[host]:port"). Files that are not there are empty; lines that
  /// make no sense are passed over. Where nothing is known for [host]:port, the plain host's keys count as well, as in
  /// ssh.
  static KnownHosts read(const std::vector<std::string>& files, const std::string& name);

  /// The verdict on a presented key, in base64.
  [[nodiscard]] KeyCheck check(std::string_view type, std::string_view key) const;
  /// Signature algorithms to offer, best first: those of keys known for the host before the others.
  [[nodiscard]] std::string algorithms() const;
  [[nodiscard]] bool knows_any() const;

 private:
  std::vector<KnownKey> keys_;
  std::vector<KnownKey> plain_keys_;  ///< of the host without its port: they may match, never contradict
};

/// Appends "name type key" (O_APPEND, 0600; makes the folder 0700). kIo.
Result<void> record_host_key(const std::string& file, const std::string& name, std::string_view type,
                             std::string_view key);

/// "SHA256:…" as ssh prints it, from the 32 digest bytes.
std::string fingerprint_text(std::string_view sha256);

/// Judges a presented key by policy: records unknown ones under accept-new and says so in `notice`. kHostKey with file
/// and line. `who` names the host in messages.
struct HostKeyQuestion {
  std::string who;
  std::string name;
  std::string type;
  std::string key;
  std::string fingerprint;
  HostKeyPolicy policy = HostKeyPolicy::kAcceptNew;
  std::vector<std::string> files;
};
Result<std::optional<std::string>> judge_host_key(const KnownHosts& known, const HostKeyQuestion& question);

/// kHostKey where `file` (RevokedHostKeys of ssh_config(5): public keys, one a line) has the key, and where the file
/// cannot be read, or is a binary list (ssh-keygen(1), KEY REVOCATION LISTS), which is not understood: then no key is
/// believed.
Result<void> refuse_revoked_key(const std::string& file, const HostKeyQuestion& question);

}  // namespace otto::transport

// Parsing known_hosts lines; hashed names are matched by libssh2, everything else here.
//
// libssh2's own reader stops at the first line it does not know (@revoked, a new key type) and knows no patterns, so
// only its HMAC comparison is used: one line, one throw-away collection with the key type mask given.
#include "transport/ssh/known_hosts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "graph/base/base64.h"
#include "graph/base/fd.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::transport {
namespace {

struct Algorithm {
  std::string_view key_type;
  std::string_view signatures;
};
/// Best first. SHA-1 signatures (ssh-rsa, ssh-dss) are not offered, as in OpenSSH.
constexpr std::array<Algorithm, 5> kAlgorithms = {{{"ssh-ed25519", "ssh-ed25519"},
                                                   {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
                                                   {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
                                                   {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
                                                   {"ssh-rsa", "rsa-sha2-512,rsa-sha2-256"}}};

/// Glob with * and ? (ssh_config(5), PATTERNS).
bool pattern_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

struct KnownHostsDeleter {
  void operator()(LIBSSH2_KNOWNHOSTS* hosts) const { libssh2_knownhost_free(hosts); }
};
struct SessionDeleter {
  void operator()(LIBSSH2_SESSION* session) const { libssh2_session_free(session); }
};

/// Compares "|1|salt|hash" with names; the session is only libssh2's allocator here.
class HashedNames {
 public:
  bool matches(const std::string& hashed, const std::string& name) {
    static constexpr char kAnyKey[] = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if (!session_) session_.reset(libssh2_session_init_ex(nullptr, nullptr, nullptr, nullptr));
    const std::unique_ptr<LIBSSH2_KNOWNHOSTS, KnownHostsDeleter> hosts(libssh2_knownhost_init(session_.get()));
    if (!hosts) return false;
    const std::string line = hashed + " ssh-ed25519 " + kAnyKey + "\n";
    if (libssh2_knownhost_readline(hosts.get(), line.c_str(), line.size(), LIBSSH2_KNOWNHOST_FILE_OPENSSH) != 0) {
      return false;
    }
    const int mask = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_BASE64 | LIBSSH2_KNOWNHOST_KEY_ED25519;
    return libssh2_knownhost_checkp(hosts.get(), name.c_str(), -1, kAnyKey, sizeof kAnyKey - 1, mask, nullptr) ==
           LIBSSH2_KNOWNHOST_CHECK_MATCH;
  }

 private:
  std::unique_ptr<LIBSSH2_SESSION, SessionDeleter> session_;
};

bool names_match(const std::string& names, const std::string& name, HashedNames& hashed) {
  if (names.starts_with("|1|")) return hashed.matches(names, name);
  bool matched = false;
  for (const auto& part : text::split(names, ',')) {
    const std::string pattern = text::to_lower(part);
    if (pattern.starts_with('!')) {
      if (pattern_matches(std::string_view(pattern).substr(1), name)) return false;
    } else if (pattern_matches(pattern, name)) {
      matched = true;
    }
  }
  return matched;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::string field;
  for (const char c : line) {
    if (c != ' ' && c != '\t' && c != '\r') {
      field += c;
    } else if (!field.empty()) {
      fields.push_back(std::exchange(field, {}));
    }
  }
  if (!field.empty()) fields.push_back(field);
  return fields;
}

/// "[host]:port" → "host"; else empty.
std::string without_port(const std::string& name) {
  const auto end = name.rfind("]:");
  return name.starts_with('[') && end != std::string::npos ? name.substr(1, end - 1) : std::string();
}

}  // namespace

KnownHosts KnownHosts::read(const std::vector<std::string>& files, const std::string& name) {
  KnownHosts known;
  HashedNames hashed;
  const std::string lower = text::to_lower(name);
  const std::string plain = without_port(lower);
  for (const auto& file : files) {
    const auto content = read_small_file(file);
    if (!content) continue;
    int number = 0;
    for (const auto& line : text::split(*content, '\n')) {
      ++number;
      auto fields = fields_of(line);
      if (fields.empty() || fields[0].starts_with('#')) continue;
      bool revoked = false;
      if (fields[0].starts_with('@')) {
        revoked = fields[0] == "@revoked";
        if (!revoked) continue;
        fields.erase(fields.begin());
      }
      if (fields.size() < 3) continue;
      KnownKey key{fields[1], fields[2], file, number, revoked};
      if (names_match(fields[0], lower, hashed)) {
        known.keys_.push_back(std::move(key));
      } else if (!plain.empty() && names_match(fields[0], plain, hashed)) {
        known.plain_keys_.push_back(std::move(key));
      }
    }
  }
  return known;
}

KeyCheck KnownHosts::check(std::string_view type, std::string_view key) const {
  KeyCheck result;
  const auto same = [&](const KnownKey& known) { return known.type == type && known.key == key; };
  const auto found = [](KeyVerdict verdict, const KnownKey& known) {
    return KeyCheck{verdict, known.file, known.line};
  };
  for (const auto* list : {&keys_, &plain_keys_}) {
    for (const auto& known : *list) {
      if (known.revoked && same(known)) return found(KeyVerdict::kRevoked, known);
    }
  }
  for (const auto& known : keys_) {
    if (known.revoked) continue;
    if (same(known)) return found(KeyVerdict::kMatch, known);
    if (result.verdict == KeyVerdict::kUnknown) result = found(KeyVerdict::kChanged, known);
  }
  if (result.verdict != KeyVerdict::kUnknown) return result;
  for (const auto& known : plain_keys_) {
    if (!known.revoked && same(known)) return found(KeyVerdict::kMatch, known);
  }
  return result;
}

bool KnownHosts::knows_any() const {
  return std::any_of(keys_.begin(), keys_.end(), [](const KnownKey& key) { return !key.revoked; });
}

std::string KnownHosts::algorithms() const {
  std::vector<std::string> known;
  std::vector<std::string> others;
  const auto& basis = knows_any() ? keys_ : plain_keys_;
  for (const auto& algorithm : kAlgorithms) {
    const bool has = std::any_of(basis.begin(), basis.end(),
                                 [&](const KnownKey& key) { return !key.revoked && key.type == algorithm.key_type; });
    (has ? known : others).emplace_back(algorithm.signatures);
  }
  known.insert(known.end(), others.begin(), others.end());
  return text::join(known, ",");
}

Result<void> record_host_key(const std::string& file, const std::string& name, std::string_view type,
                             std::string_view key) {
  const auto failed = [&] {
    return make_error(ErrorCode::kIo, fmt::format("cannot record the host key in '{}': {}", file, errno_text(errno)));
  };
  const auto folder = std::filesystem::path(file).parent_path();
  if (!folder.empty() && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed();
  const Fd target(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!target.valid()) return failed();
  char last = '\n';
  struct stat status {};
  if (::fstat(target.get(), &status) == 0 && status.st_size > 0) {
    if (::pread(target.get(), &last, 1, status.st_size - 1) != 1) last = '\n';
  }
  const std::string line = fmt::format("{}{} {} {}\n", last == '\n' ? "" : "\n", name, type, key);
  if (::write(target.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) return failed();
  return {};
}

std::string fingerprint_text(std::string_view sha256) {
  std::string text = "SHA256:" + base64_encode(sha256);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Result<std::optional<std::string>> judge_host_key(const KnownHosts& known, const HostKeyQuestion& question) {
  const std::optional<std::string> nothing_to_say;
  if (question.policy == HostKeyPolicy::kOff) return nothing_to_say;
  const KeyCheck check = known.check(question.type, question.key);
  const std::string file = question.files.empty() ? "~/.ssh/known_hosts" : question.files.front();
  switch (check.verdict) {
    case KeyVerdict::kMatch: return nothing_to_say;
    case KeyVerdict::kRevoked:
      return make_error(ErrorCode::kHostKey, fmt::format("{}: its host key {} is marked as revoked in {}:{}",
                                                         question.who, question.fingerprint, check.file, check.line));
    case KeyVerdict::kChanged:
      return make_error(ErrorCode::kHostKey,
                        fmt::format("{}: the host key has changed: it showed {} {}, but {}:{} says otherwise",
                                    question.who, question.type, question.fingerprint, check.file, check.line),
                        fmt::format("someone may be listening in; if the host was set up anew: ssh-keygen -f {} -R {}",
                                    text::shell_quote(check.file), text::shell_quote(question.name)));
    case KeyVerdict::kUnknown: break;
  }
  if (question.policy == HostKeyPolicy::kStrict) {
    return make_error(ErrorCode::kHostKey,
                      fmt::format("{}: its host key {} {} is not known, and host_key_policy is strict", question.who,
                                  question.type, question.fingerprint),
                      fmt::format("add its key to {} (ssh-keyscan), or use host_key_policy accept-new", file));
  }
  const auto recorded = record_host_key(file, question.name, question.type, question.key);
  if (!recorded) {
    return std::optional(fmt::format("{}: new host key {} {} accepted, but {}", question.who, question.type,
                                     question.fingerprint, recorded.error().message));
  }
  return std::optional(
      fmt::format("{}: new host key {} {} recorded in {}", question.who, question.type, question.fingerprint, file));
}

Result<void> refuse_revoked_key(const std::string& file, const HostKeyQuestion& question) {
  constexpr std::string_view kBinary = "SSHKRL\n";
  const auto refuse = [&](std::string_view why, std::string hint) {
    return make_error(ErrorCode::kHostKey, fmt::format("{}: {}", question.who, why), std::move(hint));
  };
  const auto content = read_small_file(file);
  const std::string name = text::printable(file);
  if (!content.ok()) {
    return refuse(fmt::format("no host key is believed, because RevokedHostKeys {} cannot be read", name),
                  "make it readable, or take RevokedHostKeys out of the ssh configuration");
  }
  if (content->starts_with(kBinary)) {
    return refuse(fmt::format("no host key is believed, because RevokedHostKeys {} is a binary list", name),
                  "otto reads RevokedHostKeys as text: public keys, one a line");
  }
  int number = 0;
  for (const std::string& line : text::split(*content, '\n')) {
    ++number;
    const std::vector<std::string> fields = fields_of(line);
    if (fields.empty() || fields[0].starts_with('#')) continue;
    if (fields.size() < 2 || !base64_decode(fields[1])) {
      return refuse(fmt::format("no host key is believed, because RevokedHostKeys has a line that is no key ({}:{})",
                                name, number),
                    "each line is a public key, as ssh-keygen writes it: its type and its text, no host before them");
    }
    if (fields[0] != question.type || fields[1] != question.key) continue;
    return refuse(fmt::format("its {} key {} is revoked ({}:{})", question.type, question.fingerprint, name, number),
                  "whoever keeps that list has withdrawn the key: ask for the host's new one");
  }
  return {};
}

}  // namespace otto::transport

// Logging in, in OpenSSH's order: none (but see try_only_key()), agent and identity files, keyboard-interactive,
// password.
//
// Keys come as ssh offers them: those of the agent that an identity file names, the agent's others (not under
// IdentitiesOnly), then the files. A passphrase is asked for only once the server has said that it would take the key
// (where the .pub is there to ask with). Every way that was tried is kept for the message.
//
// A host may want several proofs, one after the other (AuthenticationMethods of sshd_config). libssh2 does not tell a
// partial success (RFC 4252, 5.1) from a refusal, so the methods are asked for again where a refusal may have been one:
// if they are others now, the proof counted and those are next. The question costs one of MaxAuthTries, so it is asked
// only after a signed key, and after a password where the host takes no key. Runs on the connecting thread.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "graph/base/text.h"
#include "transport/classify.h"
#include "transport/ssh/key_file.h"
#include "transport/ssh/ssh_agent.h"
#include "transport/ssh/ssh_handle.h"

namespace otto::transport {
namespace {

constexpr std::chrono::seconds kLeastAuthTime{30};  ///< PAM delays failures by seconds; longer than a connect
constexpr int kAttemptsAtASecret = 3;               ///< ssh's NumberOfPasswordPrompts

enum class Outcome {
  kLoggedIn,
  kRefused,
  kPartly,  ///< the host took it and wants more
};

constexpr int kMostProofs = 8;  ///< of one log-in; no sshd asks for so many

LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(on_prompts) {
  static_cast<void>(name), static_cast<void>(name_len);
  static_cast<void>(instruction), static_cast<void>(instruction_len);
  auto& handle = *static_cast<SshHandle*>(*abstract);
  for (int i = 0; i < num_prompts; ++i) {
    const std::string_view prompt(reinterpret_cast<const char*>(prompts[i].text), prompts[i].length);
    const std::string answer = handle.answer_prompt(prompt);
    responses[i].text = ::strdup(answer.c_str());
    responses[i].length = static_cast<unsigned>(answer.size());
  }
}

std::string agent_key(const SshAgent& agent, std::size_t index) {
  return fmt::format("agent key '{}'", text::printable(agent.comment(index)));
}

/// What there is to offer, in order: keys of the agent by their index in it, then the files that it has not.
struct Keys {
  Keys(SshHandle& handle, const ResolvedHost& host, const std::stop_token& stop)
      : must_exist(host.identities_named), agent((handle.stop_agent_with(stop), handle.get())) {
    if (host.agent_socket) agent.connect(*host.agent_socket);
    for (const auto& path : host.identity_files) files.push_back(inspect_key_file(path));
    in_agent.resize(files.size(), false);
    for (std::size_t f = 0; f < files.size(); ++f) {
      for (std::size_t a = 0; a < agent.size(); ++a) {
        if (!files[f].public_blob || agent.blob(a) != *files[f].public_blob) continue;
        in_agent[f] = true;
        order.push_back(a);
      }
    }
    for (std::size_t a = 0; a < agent.size() && !host.identities_only; ++a) {
      if (std::find(order.begin(), order.end(), a) == order.end()) order.push_back(a);
    }
  }
  /// The first file that is there and not in the agent.
  [[nodiscard]] std::optional<std::size_t> first_file() const {
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (!in_agent[f] && files[f].state != KeyFileState::kMissing) return f;
    }
    return std::nullopt;
  }
  /// One key is all there is, and it can be used as it is.
  [[nodiscard]] bool single() const {
    std::size_t count = order.size();
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (in_agent[f] || (files[f].state == KeyFileState::kMissing && !must_exist)) continue;
      if (files[f].state != KeyFileState::kUsable || files[f].encrypted) return false;
      ++count;
    }
    return count == 1;
  }

  bool must_exist;
  SshAgent agent;
  std::vector<KeyFile> files;
  std::vector<std::size_t> order;
  std::vector<bool> in_agent;
};

class Login {
 public:
  Login(SshHandle& handle, const ResolvedHost& host, const Interaction& interaction, const std::stop_token& stop)
      : handle_(handle), host_(host), interaction_(interaction), stop_(stop) {}

  Result<void> run();
  /// What the host took, once run() has succeeded.
  [[nodiscard]] const std::string& accepted() const { return accepted_; }

 private:
  Result<std::string> probe();
  Result<Outcome> try_methods();
  Result<bool> try_only_key();
  Result<Outcome> try_keys();
  Result<Outcome> try_agent_key(SshAgent& agent, std::size_t index);
  Result<Outcome> try_file(const std::string& path, const KeyFile& key);
  Result<Outcome> try_encrypted(const std::string& path, const KeyFile& key);
  Result<int> offer_file(const std::string& path, const KeyFile& key, const std::string& passphrase);
  Result<Outcome> try_prompts();
  Result<Outcome> try_password();
  Result<Outcome> judge(Result<int> code, const std::string& what);
  /// Of a proof that was not enough: whether the host took it, and wants more.
  Result<bool> counts(const std::string& what);
  [[nodiscard]] Error refused() const;
  [[nodiscard]] Error broken() const;
  [[nodiscard]] bool takes(std::string_view method) const;

  Result<int> drive(const std::function<int()>& call) {
    const auto limit = std::max<std::chrono::milliseconds>(host_.connect_timeout, kLeastAuthTime);
    return handle_.drive(call, Clock::now() + limit, stop_, "logging in");
  }
  std::optional<std::string> ask(const std::string& prompt) const {
    return interaction_.ask_secret ? interaction_.ask_secret(prompt) : std::nullopt;
  }
  [[nodiscard]] unsigned user_length() const { return static_cast<unsigned>(host_.user.size()); }

  SshHandle& handle_;
  const ResolvedHost& host_;
  const Interaction& interaction_;
  const std::stop_token& stop_;
  char* listed_ = nullptr;  ///< libssh2's last list of methods
  std::string methods_;     ///< what the host takes next, as a list with commas
  std::vector<std::string> tried_;
  std::vector<std::string> counted_;  ///< proofs the host took but found too few
  bool key_refused_ = false;          ///< the only one, before the methods were known
  std::string accepted_ = "nothing: the host asks for no proof";
};

bool connection_broke(int code) {
  return code == LIBSSH2_ERROR_SOCKET_RECV || code == LIBSSH2_ERROR_SOCKET_SEND ||
         code == LIBSSH2_ERROR_SOCKET_DISCONNECT;
}

/// The methods the server takes, "" if it let us in without any.
Result<std::string> Login::probe() {
  // libssh2 forgets the memory of its last list when it makes the next one, and not before.
  if (listed_ != nullptr) libssh2_free(handle_.get(), std::exchange(listed_, nullptr));
  char* methods = nullptr;
  OTTO_TRY(const int code, drive([&] {
             methods = libssh2_userauth_list(handle_.get(), host_.user.c_str(), user_length());
             return methods != nullptr ? 0 : libssh2_session_last_errno(handle_.get());
           }));
  listed_ = methods;
  if (methods != nullptr) return std::string(methods);
  if (libssh2_userauth_authenticated(handle_.get()) != 0) return std::string();
  if (connection_broke(code) || !handle_.socket_cause().empty()) return broken();
  return classify_handshake(handle_.who(), code, handle_.last_message(), handle_.socket_cause());
}

/// No refusal: nobody has judged what was offered.
Error Login::broken() const {
  const std::string cause = handle_.socket_cause();
  return make_error(ErrorCode::kUnreachable,
                    fmt::format("{}: the connection broke while logging in: {}", handle_.who(),
                                cause.empty() ? handle_.last_message() : cause),
                    "run the command again; if it stays so, look at the host's sshd log (LoginGraceTime, PAM)");
}

Result<Outcome> Login::judge(Result<int> code, const std::string& what) {
  OTTO_TRY(const int value, std::move(code));
  if (value == 0) {
    counted_.push_back(what);
    accepted_ = text::join(counted_, ", then ");
    return Outcome::kLoggedIn;
  }
  const std::string cause = handle_.socket_cause();
  if (handle_.peer_said_why()) {
    tried_.push_back(fmt::format("{} (then {})", what, cause));
    methods_.clear();
    return refused().with_hint(
        "sshd allows few attempts (MaxAuthTries): name one key with identity_files, and set "
        "IdentitiesOnly for this host in ~/.ssh/config");
  }
  if (connection_broke(value) || !cause.empty()) {
    return broken();
  }
  const bool signed_key = value == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
  if (signed_key || !takes("publickey")) {
    OTTO_TRY(const bool counted, counts(what));
    if (counted) return Outcome::kPartly;
  }
  tried_.push_back(what + " (refused)");
  return Outcome::kRefused;
}

Result<bool> Login::counts(const std::string& what) {
  const std::string before = methods_;
  OTTO_TRY(methods_, probe());
  if (methods_ == before) return false;
  counted_.push_back(what);
  tried_.push_back(what + " (accepted, but the host wants more)");
  return true;
}

bool Login::takes(std::string_view method) const {
  const auto taken = text::split(methods_, ',');
  return std::find(taken.begin(), taken.end(), method) != taken.end();
}

Error Login::refused() const {
  const std::string tried = tried_.empty() ? "there was nothing to try" : "tried " + text::join(tried_, ", ");
  const std::string taken =
      methods_.empty() ? "" : fmt::format("; the host takes {}{}", methods_, counted_.empty() ? "" : " next");
  return make_error(
      ErrorCode::kAuthFailed, fmt::format("{}: cannot log in as '{}': {}{}", handle_.who(), host_.user, tried, taken),
      counted_.empty() ? fmt::format("check the user, and that one of these keys is in {}'s authorized_keys; keys come "
                                     "from the agent, identity_files and ~/.ssh, passwords from creds",
                                     host_.user)
                       : "the host asks for several proofs (AuthenticationMethods in its sshd_config): give it the "
                         "others too, keys by the agent or identity_files, passwords by creds or at the prompt");
}

Result<Outcome> Login::try_agent_key(SshAgent& agent, std::size_t index) {
  return judge(drive([&] { return agent.log_in(host_.user, index); }), agent_key(agent, index));
}

Result<int> Login::offer_file(const std::string& path, const KeyFile& key, const std::string& passphrase) {
  return drive([&] {
    return libssh2_userauth_publickey_fromfile_ex(handle_.get(), host_.user.c_str(), user_length(),
                                                  key.public_path ? key.public_path->c_str() : nullptr, path.c_str(),
                                                  passphrase.c_str());
  });
}

/// A wrong passphrase and a signature that is not enough have one code (PUBLICKEY_UNVERIFIED).
Result<Outcome> Login::try_encrypted(const std::string& path, const KeyFile& key) {
  const std::string what = fmt::format("key '{}'", path);
  const auto judged = [](int code) { return code == LIBSSH2_ERROR_AUTHENTICATION_FAILED || connection_broke(code); };
  if (key.public_path) {
    OTTO_TRY(const int code, offer_file(path, key, ""));
    if (judged(code)) return judge(code, what);
  }
  for (int attempt = 0; attempt < kAttemptsAtASecret; ++attempt) {
    const auto passphrase = ask(fmt::format("passphrase for key '{}': ", path));
    if (!passphrase) {
      tried_.push_back(what + " (needs a passphrase, and there is nobody to ask)");
      return Outcome::kRefused;
    }
    OTTO_TRY(const int code, offer_file(path, key, *passphrase));
    if (code == 0 || judged(code)) return judge(code, what);
    if (code != LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) continue;
    OTTO_TRY(const bool counted, counts(what));
    if (counted) return Outcome::kPartly;
  }
  tried_.push_back(what + " (wrong passphrase)");
  return Outcome::kRefused;
}

Result<Outcome> Login::try_file(const std::string& path, const KeyFile& key) {
  const auto skip = [&](std::string_view why) -> Result<Outcome> {
    tried_.push_back(fmt::format("key '{}' ({})", path, why));
    return Outcome::kRefused;
  };
  switch (key.state) {
    case KeyFileState::kMissing:
      if (!host_.identities_named) return Outcome::kRefused;
      return make_error(ErrorCode::kConfig, fmt::format("host '{}': key file '{}' does not exist", host_.id, path),
                        "correct identity_files in hosts.json");
    case KeyFileState::kNotAKey:
      if (!host_.identities_named) return skip("not a private key");
      return make_error(ErrorCode::kConfig, fmt::format("host '{}': '{}' is not a private key", host_.id, path),
                        "name the private key, not the .pub beside it");
    case KeyFileState::kUnreadable: return skip("cannot be read");
    case KeyFileState::kTooOpen: return skip("not used: others may read it, chmod 600 it");
    case KeyFileState::kUsable: break;
  }
  if (key.encrypted) return try_encrypted(path, key);
  OTTO_TRY(const int code, offer_file(path, key, ""));
  const std::string what = fmt::format("key '{}'", path);
  const bool judged = code == 0 || code == LIBSSH2_ERROR_AUTHENTICATION_FAILED;
  if (judged || connection_broke(code) || !handle_.socket_cause().empty()) return judge(code, what);
  const std::string problem = text::printable(handle_.last_message());
  if (code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
    OTTO_TRY(const bool counted, counts(what));
    if (counted) return Outcome::kPartly;
  }
  return skip(fmt::format("cannot be used: {}", problem));
}

Result<Outcome> Login::try_keys() {
  if (std::exchange(key_refused_, false)) return Outcome::kRefused;
  Keys keys(handle_, host_, stop_);
  for (const std::size_t index : keys.order) {
    OTTO_TRY(const Outcome outcome, try_agent_key(keys.agent, index));
    if (outcome != Outcome::kRefused) return outcome;
  }
  for (std::size_t f = 0; f < keys.files.size(); ++f) {
    if (keys.in_agent[f]) continue;
    OTTO_TRY(const Outcome outcome, try_file(host_.identity_files[f], keys.files[f]));
    if (outcome != Outcome::kRefused) return outcome;
  }
  return Outcome::kRefused;
}

/// Where there is one key to offer and nothing else, asking first which methods the host takes would be a round trip
/// for nothing. True: logged in. A refusal costs one attempt more: the question's.
Result<bool> Login::try_only_key() {
  if (host_.password) return false;
  Keys keys(handle_, host_, stop_);
  if (!keys.single()) return false;
  const auto file = keys.first_file();
  const std::string what =
      file ? fmt::format("key '{}'", host_.identity_files[*file]) : agent_key(keys.agent, keys.order[0]);
  OTTO_TRY(const int code, file ? offer_file(host_.identity_files[*file], keys.files[*file], "")
                                : drive([&] { return keys.agent.log_in(host_.user, keys.order[0]); }));
  if (code == 0) {
    accepted_ = what;
    return true;
  }
  if (connection_broke(code) || !handle_.socket_cause().empty()) return broken();
  OTTO_TRY(methods_, probe());
  const bool taken = takes("publickey");
  key_refused_ = taken && code == LIBSSH2_ERROR_AUTHENTICATION_FAILED;
  if (key_refused_) tried_.push_back(what + " (refused)");
  if (!taken && code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
    counted_.push_back(what);
    tried_.push_back(what + " (accepted, but the host wants more)");
  }
  return methods_.empty();
}

Result<Outcome> Login::try_prompts() {
  const int attempts = host_.password ? 1 : kAttemptsAtASecret;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    bool password_used = false;
    bool nobody = false;
    handle_.answer_prompt = [&](std::string_view prompt) -> std::string {
      if (host_.password && !std::exchange(password_used, true)) return *host_.password;
      auto answer = ask(fmt::format("{}@{}: {}", host_.user, host_.id, text::printable(prompt)));
      nobody = nobody || !answer;
      return answer.value_or("");
    };
    auto code = drive([&] {
      return libssh2_userauth_keyboard_interactive_ex(handle_.get(), host_.user.c_str(), user_length(), &on_prompts);
    });
    handle_.answer_prompt = nullptr;
    OTTO_TRY(const Outcome outcome, judge(std::move(code), "keyboard-interactive"));
    if (outcome != Outcome::kRefused || nobody) return outcome;
  }
  return Outcome::kRefused;
}

Result<Outcome> Login::try_password() {
  const int attempts = host_.password ? 1 : kAttemptsAtASecret;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const auto password =
        host_.password ? host_.password : ask(fmt::format("{}@{}'s password: ", host_.user, host_.id));
    if (!password) return Outcome::kRefused;
    auto code = drive([&] {
      return libssh2_userauth_password_ex(handle_.get(), host_.user.c_str(), user_length(), password->c_str(),
                                          static_cast<unsigned>(password->size()), nullptr);
    });
    if (code.ok() && *code == LIBSSH2_ERROR_PASSWORD_EXPIRED) {
      return make_error(ErrorCode::kAuthFailed,
                        fmt::format("{}: the password of '{}' has expired", handle_.who(), host_.user),
                        "log in with ssh once and change it");
    }
    OTTO_TRY(const Outcome outcome, judge(std::move(code), "password"));
    if (outcome != Outcome::kRefused) return outcome;
  }
  return Outcome::kRefused;
}

Result<Outcome> Login::try_methods() {
  const bool secret = host_.password.has_value() || static_cast<bool>(interaction_.ask_secret);
  Outcome outcome = Outcome::kRefused;
  if (takes("publickey")) {
    OTTO_TRY(outcome, try_keys());
  }
  if (outcome == Outcome::kRefused && takes("keyboard-interactive") && secret) {
    OTTO_TRY(outcome, try_prompts());
  }
  if (outcome == Outcome::kRefused && takes("password") && secret) {
    OTTO_TRY(outcome, try_password());
  }
  return outcome;
}

Result<void> Login::run() {
  OTTO_TRY(const bool logged_in, try_only_key());
  if (logged_in) return {};
  if (methods_.empty()) {
    OTTO_TRY(methods_, probe());
  }
  for (int proof = 0; proof < kMostProofs && !methods_.empty(); ++proof) {
    OTTO_TRY(const Outcome outcome, try_methods());
    if (outcome == Outcome::kLoggedIn) return {};
    if (outcome == Outcome::kRefused) return refused();
  }
  return methods_.empty() ? Result<void>() : refused();
}

}  // namespace

Result<void> authenticate(SshHandle& handle, const ResolvedHost& host, const Interaction& interaction,
                          const std::stop_token& stop) {
  Login login(handle, host, interaction, stop);
  OTTO_RETURN_IF_ERROR(login.run());
  interaction.tell(host.id, ConnectStage::kLoggedIn, fmt::format("as '{}' by {}", host.user, login.accepted()));
  return {};
}

}  // namespace otto::transport

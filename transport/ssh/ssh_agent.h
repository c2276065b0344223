// The ssh agent's keys, as libssh2 lists them.
//
// Borrows the session; lives only while logging in. An agent that is not there has no keys: that is no error. Included
// by .cc files of this folder only.
#pragma once

#include <libssh2.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace otto::transport {

class SshAgent {
 public:
  explicit SshAgent(LIBSSH2_SESSION* session) : agent_(libssh2_agent_init(session)) {}
  ~SshAgent() {
    if (!agent_) return;
    if (connected_) libssh2_agent_disconnect(agent_.get());
  }
  SshAgent(const SshAgent&) = delete;
  SshAgent& operator=(const SshAgent&) = delete;

  void connect(const std::string& socket_path) {
    if (!agent_) return;
    libssh2_agent_set_identity_path(agent_.get(), socket_path.c_str());
    connected_ = libssh2_agent_connect(agent_.get()) == 0;
    if (!connected_ || libssh2_agent_list_identities(agent_.get()) != 0) return;
    libssh2_agent_publickey* previous = nullptr;
    libssh2_agent_publickey* key = nullptr;
    while (libssh2_agent_get_identity(agent_.get(), &key, previous) == 0) keys_.push_back(previous = key);
  }

  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  [[nodiscard]] std::string_view blob(std::size_t index) const {
    return {reinterpret_cast<const char*>(keys_[index]->blob), keys_[index]->blob_len};
  }
  [[nodiscard]] std::string comment(std::size_t index) const {
    return keys_[index]->comment != nullptr ? keys_[index]->comment : "";
  }
  /// libssh2's code; LIBSSH2_ERROR_EAGAIN: again.
  int log_in(const std::string& user, std::size_t index) {
    return libssh2_agent_userauth(agent_.get(), user.c_str(), keys_[index]);
  }

 private:
  struct Deleter {
    void operator()(LIBSSH2_AGENT* agent) const { libssh2_agent_free(agent); }
  };
  std::unique_ptr<LIBSSH2_AGENT, Deleter> agent_;
  bool connected_ = false;
  std::vector<libssh2_agent_publickey*> keys_;
};

}  // namespace otto::transport

// A real sshd on a free loopback port, with keys and configuration of its own in a private folder.
//
// Runs as whoever runs the tests: as root it serves root, else it serves that user. The daemon is tied to the test
// process (PR_SET_PDEATHSIG), so it never outlives it. Commands get a home folder inside the fixture, so no rc file of
// the machine takes part. Knows Address but nothing else of the code under test.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "graph/base/sync.h"
#include "transport/address.h"
#include "transport/connect.h"

namespace otto::testing {

struct SshdOptions {
  std::vector<std::string> config = {};              ///< further sshd_config lines; the first of a keyword wins
  std::vector<std::string> host_keys = {"ed25519"};  ///< types for ssh-keygen -t
  /// Lets root log in with this password, by a private /etc/shadow in a mount namespace; needs root.
  std::string password = {};
  bool pam = false;
};

class SshdFixture {
 public:
  explicit SshdFixture(SshdOptions options = {});
  ~SshdFixture();
  SshdFixture(const SshdFixture&) = delete;
  SshdFixture& operator=(const SshdFixture&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path known_hosts() const { return folder_ / "known_hosts"; }
  [[nodiscard]] std::filesystem::path home() const { return folder_ / "home"; }
  /// "type base64" of a host key.
  [[nodiscard]] std::string host_key(const std::string& type = "ed25519") const;
  /// Ready to connect: the authorised ed25519 key, the fixture's known_hosts (empty at first), no ~/.ssh/config.
  [[nodiscard]] transport::Address address(const std::string& id = "pepper_seed") const;
  /// Makes a private key in the folder; its path.
  std::filesystem::path make_key(const std::string& name, const std::string& type = "ed25519",
                                 const std::string& passphrase = "", bool authorised = true);
  /// Sends a signal to every process of every connection, not to the listener.
  void signal_connections(int number) const;
  /// What sshd has logged so far.
  [[nodiscard]] std::string log() const;

 private:
  void write_config(const SshdOptions& options);
  void start(const SshdOptions& options);
  bool await_listening();
  void stop();

  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
  int log_pipe_ = -1;
  mutable Sync<std::string> log_;
  std::condition_variable_any log_grew_;
  std::jthread log_reader_;
};

/// A port of 127.0.0.1 that was free a moment ago.
std::uint16_t free_port();
/// Runs a program to its end; its standard output. Aborts the test program where it fails.
std::string run_tool(const std::vector<std::string>& argv);

/// Connects and fails the test where that does not work.
std::unique_ptr<transport::Transport> connect_or_fail(const transport::Route& route,
                                                      const transport::Interaction& interaction = {});

}  // namespace otto::testing

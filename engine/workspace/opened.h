// What is open while a command works: the repos, the chosen lab, the memo, and the connections to hosts.
//
// The library's Workspace is the outside of it (otto/workspace.h). Opening reads and checks the whole configuration and
// contacts nothing. Connections are made on first use, kept until this goes, and may be started early (connect_early)
// so that the handshake overlaps with scanning. Owns everything it hands out references to. Threads: one thread calls
// it; remote() may be called from any.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "cache/database.h"
#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "graph/base/result.h"
#include "otto/workspace.h"
#include "transport/connect.h"
#include "transport/remote.h"

namespace otto::parent {
class Parent;
struct ParentSettings;
}  // namespace otto::parent

namespace otto::workspace {

class Opened;

/// Gives the engine's side of a parent (parent/parent.h), which this room only hands on.
using ReachParent = std::function<Result<std::unique_ptr<parent::Parent>>(
    Opened& workspace, const config::HostEntry& host, const parent::ParentSettings& settings,
    const std::stop_token& stop)>;

/// Told, on the connecting thread, how far the way to a host has been gone.
using TellStep = std::function<void(const std::string& host_id, const transport::ConnectStep& step)>;

struct OpenRequest {
  WorkspaceOptions options;
  /// Adds what compose files declare to a repo's images; this room knows no compose files. May be empty.
  std::function<void(config::Settings& repo, const std::function<const char*(const char*)>& getenv)> join_images = {};
  ReachParent reach_parent = {};  ///< empty: for commands that ask no parent
};

class Opened {
 public:
  /// As otto::Workspace::open.
  static Result<std::unique_ptr<Opened>> open(const OpenRequest& request, Reporter& reporter, std::stop_token stop);
  ~Opened();
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  [[nodiscard]] const std::vector<config::Settings>& repos() const;
  [[nodiscard]] const config::Lab& lab() const;
  [[nodiscard]] Result<std::vector<std::string>> lab_names() const;
  [[nodiscard]] Reporter& reporter() const;
  [[nodiscard]] std::stop_token stop() const;
  [[nodiscard]] const char* getenv(const char* name) const;

  /// The memo, opened on first use. kDatabase.
  Result<cache::Database*> memo();
  /// The connected host, connecting now if need be; `stop` ends the waiting, not the attempt. Errors as
  /// transport::connect; a failed attempt is not repeated.
  Result<transport::Remote*> remote(const config::HostEntry& host, const std::stop_token& stop = {});
  /// How a parent is reached.
  [[nodiscard]] const ReachParent& reach_parent() const;
  /// From now on, before anything connects.
  void tell_steps(TellStep tell);
  /// Starts connecting in the background; remote() picks it up.
  void connect_early(const config::HostEntry& host);

 private:
  struct State;
  explicit Opened(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace otto::workspace

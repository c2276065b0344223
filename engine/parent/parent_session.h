// One repo at work on one parent: its connection, remembered facts and docker settings.
//
// The meeting point of configuration, memo and connection; decides nothing. The parent may be asked while the contexts
// are still scanned: ask_early(). Call from one thread, but remote() may be used from workers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/database.h"
#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "engine/parent/parent.h"
#include "graph/base/result.h"
#include "otto/workspace.h"
#include "transport/remote.h"

namespace otto::execute {

/// A repo and a parent that a command concerns.
struct Target {
  const config::Settings* repo = nullptr;
  const config::HostEntry* host = nullptr;
  std::vector<const config::ComposeSettings*> composes;  ///< those that live on this parent
};

/// Where a command works: --on, else the default_host of each compose, else the only docker_capable host. kUsage where
/// that leaves a choice, kUnknownName, kConfig where the host is not docker_capable.
Result<std::vector<Target>> choose_targets(Workspace& workspace, const std::optional<std::string>& on);

class ParentSession {
 public:
  /// Loads the remembered facts; waits for nothing. kDatabase.
  static Result<ParentSession> begin(Workspace& workspace, const Target& target);
  /// begin() and connect().
  static Result<ParentSession> open(Workspace& workspace, const Target& target);
  ParentSession(ParentSession&&) noexcept;
  ParentSession& operator=(ParentSession&&) noexcept;
  ~ParentSession();

  /// Connects, or picks up the early connection. Errors as transport::connect.
  Result<void> connect();

  [[nodiscard]] Workspace& workspace() const { return *workspace_; }
  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] const config::Settings& repo() const { return *target_.repo; }
  [[nodiscard]] const config::HostEntry& host() const { return *target_.host; }
  [[nodiscard]] cache::Database& memo() const { return *memo_; }
  /// Valid once connected.
  [[nodiscard]] transport::Remote& remote() const { return *remote_; }
  [[nodiscard]] const docker::ParentSettings& settings() const { return settings_; }
  /// Valid after the first probe().
  [[nodiscard]] const docker::ParentFacts& facts() const { return *facts_; }

  /// Asks on a thread of its own as soon as the host is connected; the next probe() of the same has the answer, unless
  /// it has grown old. Asks nothing where that would change something.
  Result<void> ask_early(docker::ProbeRequest request);
  /// One round trip: what the parent has. Asks for facts too where none are remembered, and remembers them, as it does
  /// what never changes of containers; so `want_facts` and `known_containers` of the request are set here.
  Result<docker::Probe> probe(docker::ProbeRequest request);
  /// The facts proved wrong: ask again next time.
  Result<void> forget_facts();

 private:
  class EarlyProbe;
  ParentSession();
  /// Adds what is remembered to a question.
  Result<void> complete(docker::ProbeRequest& request) const;
  Result<void> remember(const docker::ProbeRequest& request, const docker::Probe& probe);
  Workspace* workspace_ = nullptr;
  Target target_;
  cache::Database* memo_ = nullptr;
  transport::Remote* remote_ = nullptr;
  docker::ParentSettings settings_;
  std::optional<docker::ParentFacts> facts_;
  std::unique_ptr<EarlyProbe> early_;
};

/// The stage of a compose project's files.
std::string stack_stage_key(const std::string& compose_project);

/// A host's docker command and stage directory: hosts.json wins over the repo's settings.
docker::ParentSettings parent_settings(const config::Settings& repo, const config::HostEntry& host);

}  // namespace otto::execute

// One repo at work on one parent: its connection, remembered facts and docker settings.
//
// The meeting point of configuration, memo and connection; decides nothing. The parent may be asked while the contexts
// are still scanned: ask_early(). Call from one thread, but parent() may be used from workers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cache/database.h"
#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "engine/parent/parent.h"
#include "engine/workspace/opened.h"
#include "engine/workspace/tally.h"
#include "engine/workspace/targets.h"
#include "graph/base/result.h"

namespace otto::parent {

/// What a session stands on; borrows what it points to.
struct SessionParts {
  workspace::Target target;
  cache::Database* memo = nullptr;
  Reporter* reporter = nullptr;
  std::stop_token stop = {};
  /// Connects, or picks up the early connection; any thread.
  std::function<Result<std::unique_ptr<Parent>>(const std::stop_token& stop)> reach = {};
};

class ParentSession {
 public:
  /// Loads the remembered facts; waits for nothing. kDatabase.
  static Result<ParentSession> begin(workspace::Opened& workspace, const workspace::Target& target);
  static Result<ParentSession> begin(SessionParts parts);
  /// begin() and connect().
  static Result<ParentSession> open(workspace::Opened& workspace, const workspace::Target& target);
  ParentSession(ParentSession&&) noexcept;
  ParentSession& operator=(ParentSession&&) noexcept;
  ~ParentSession();

  /// Connects, or picks up the early connection. Errors as transport::connect.
  Result<void> connect();

  [[nodiscard]] const workspace::Target& target() const { return parts_.target; }
  [[nodiscard]] const config::Settings& repo() const { return *parts_.target.repo; }
  [[nodiscard]] const config::HostEntry& host() const { return *parts_.target.host; }
  [[nodiscard]] cache::Database& memo() const { return *parts_.memo; }
  [[nodiscard]] Reporter& reporter() const { return *parts_.reporter; }
  [[nodiscard]] const std::stop_token& stop() const { return parts_.stop; }
  /// Of the work on this parent.
  [[nodiscard]] workspace::Tally& tally() { return *tally_; }
  /// Valid once connected.
  [[nodiscard]] Parent& parent() const { return *parent_; }
  /// What the memo knew of it, or a probe told since; nullptr: nothing yet.
  [[nodiscard]] const ParentFacts* remembered_facts() const { return facts_ ? &*facts_ : nullptr; }
  /// Valid after the first probe().
  [[nodiscard]] const ParentFacts& facts() const { return *facts_; }

  /// Asks on a thread of its own as soon as the host is connected; the next probe() of the same has the answer, unless
  /// it has grown old. Asks nothing where that would change something.
  Result<void> ask_early(ProbeRequest request);
  /// One round trip: what the parent has. Asks for facts too where none are remembered, and remembers them, as it does
  /// what never changes of containers; so `want_facts` and `known_containers` of the request are set here.
  Result<Probe> probe(ProbeRequest request);
  /// The facts proved wrong: ask again next time.
  Result<void> forget_facts();

 private:
  class EarlyProbe;
  ParentSession();
  /// Adds what is remembered to a question.
  Result<void> complete(ProbeRequest& request) const;
  Result<void> remember(const ProbeRequest& request, const Probe& probe);
  SessionParts parts_;
  std::optional<workspace::Tally> tally_;
  std::unique_ptr<Parent> parent_;
  ParentSettings settings_;
  std::optional<ParentFacts> facts_;
  std::unique_ptr<EarlyProbe> early_;
};

/// The stage of a compose project's files.
std::string stack_stage_key(const std::string& compose_project);

/// A host's docker command and stage directory: hosts.json wins over the repo's settings.
ParentSettings parent_settings(const config::Settings& repo, const config::HostEntry& host);

}  // namespace otto::parent

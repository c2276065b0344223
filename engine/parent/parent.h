// The one seam between otto and a parent: all that is asked of one goes through here.
//
// The real one speaks sh scripts over a connection (facade/remote_parent.h joins what the rooms stage, images and stack
// do there); the tests have another in memory, which can fail, be cut and be raced at every call. Whoever decides or
// records knows this interface only. Each call's own guards (locks, stamps, marks) are the other side's work.
// Threads: any, at once.
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/parent/building.h"
#include "engine/parent/composing.h"
#include "engine/parent/facts.h"
#include "engine/parent/probe.h"
#include "engine/parent/project_lock.h"
#include "engine/parent/pruning.h"
#include "engine/parent/staging.h"
#include "graph/base/result.h"
#include "graph/reasons.h"

namespace otto::parent {

/// Every call may give kConnectionLost, kInterrupted, kDockerMissing and kDockerDenied. `facts` are those that a probe
/// told, and outlive what is made with them.
class Parent {
 public:
  virtual ~Parent() = default;

  /// otto's id of the host, for messages.
  [[nodiscard]] virtual const std::string& host_id() const = 0;

  /// What is there now; pulls what the bases ask for, as a job that ends with otto. kRemoteFailed with the engine's
  /// words.
  virtual Result<Probe> probe(const ProbeRequest& request, const std::stop_token& stop) = 0;

  /// Makes a stage hold exactly what is wanted. kInputsChanged, kIo, kConfig (stage/stage.h).
  virtual Result<StageState> stage(const ParentFacts& facts, const StageRequest& request) = 0;

  /// Whether the parent's builder can do what the Dockerfile asks for; asks nothing. kUnsupported, kConfig.
  [[nodiscard]] virtual Result<void> check_builder(const ParentFacts& facts, const BuildRequest& request) const = 0;
  /// Builds from a stage and tags what comes out. kBuildFailed, kInputsChanged, kUnsupported (images/build.h).
  virtual Result<BuiltImage> build(const ParentFacts& facts, const BuildRequest& request) = 0;
  /// Gives the image `reference` the name `tag`, too. kRemoteFailed.
  virtual Result<void> tag(const std::string& reference, const std::string& tag, const std::stop_token& stop) = 0;
  /// What it remembers of earlier builds, by name: what is there and can be read.
  virtual Result<std::map<std::string, graph::BuiltFrom>> records(const ParentFacts& facts,
                                                                  const std::vector<RecordQuery>& queries,
                                                                  const std::stop_token& stop) = 0;

  /// What prune must know. kRemoteFailed.
  virtual Result<PruneSurvey> survey(const ParentFacts& facts, const PruneQuery& query,
                                     const std::stop_token& stop) = 0;
  /// Removes what nobody uses there; gives name → why not for what stayed. kRemoteFailed.
  virtual Result<std::map<std::string, std::string>> remove(const ParentFacts& facts, const std::vector<Removal>& what,
                                                            const std::stop_token& stop) = 0;

  /// The lock of a compose project, not taken yet.
  virtual std::unique_ptr<ProjectLock> lock(const ParentFacts& facts, const std::string& project,
                                            const std::stop_token& stop) = 0;
  /// Compose, for one project.
  virtual std::unique_ptr<Compose> compose(const ParentFacts& facts, const std::string& project,
                                           const std::stop_token& stop) = 0;
};

}  // namespace otto::parent

// Compose as a parent is asked for it: a stack's files and what they mean, services brought up, what is left put right
// (engine/stack does it).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::parent {

/// A stack on a parent: where its files are staged and what it interpolates.
struct ComposeStack {
  std::string project;                 ///< the compose project
  std::string stage_directory;         ///< absolute, on the parent
  std::string project_directory;       ///< relative to stage_directory
  std::string home_directory;          ///< relative to stage_directory: what "~" means; empty: the parent's own
  std::vector<std::string> files;      ///< relative to stage_directory, in order
  std::vector<std::string> variables;  ///< every name interpolated
  std::map<std::string, std::string> environment;  ///< those with a value
  /// Services that are not to be started, whose env files Compose must not look for: they may be missing.
  std::vector<std::string> without_env_files = {};
};

/// Files that come with a question, because their stack is not staged: path relative to the tree → content, or where a
/// link leads. None holds a NUL.
struct ScratchFiles {
  std::map<std::string, std::string> files, links;
};

/// A container that ended as soon as it was started.
struct EarlyExit {
  std::string service;
  unsigned number = 1;
  int code = 0;             ///< 0 only for what was not expected to end
  bool restarting = false;  ///< its restart policy starts it again
  std::string log;          ///< its last lines, indented
};

/// One call of `up`.
struct UpCall {
  enum class Mode { kRecreate, kStart };
  std::string override_yaml;
  std::vector<std::string> services;
  Mode mode = Mode::kStart;
  unsigned grace_s = 1;             ///< for containers that are stopped
  std::vector<std::string> doomed;  ///< ids of containers that are in doubt if the call is cut (project_lock.h)
  /// A container of that name is being stopped, to be replaced (true), or has been.
  std::function<void(std::string_view container, bool stopping)> on_stop;
};

enum class DependencyCondition { kStarted, kHealthy, kCompleted };

struct Dependency {
  std::string service;
  DependencyCondition condition = DependencyCondition::kStarted;
  bool restart = false;  ///< depends_on.restart: recreated together
  bool required = true;
};

/// One step that puts right. Containers are never removed with their volumes: an anonymous one may hold data.
struct PutRight {
  enum class Act { kRemove, kRename };
  Act act = Act::kRemove;
  std::string service;
  std::string container_id;
  std::string name;        ///< as it is now
  std::string plain_name;  ///< kRename: what it will be called
};

/// What was started just now.
struct Started {
  std::vector<std::string> services;
  std::set<std::string> one_shots;    ///< that may end with 0
  std::vector<std::string> replaced;  ///< ids of containers that are no more
  std::chrono::milliseconds since{};  ///< how long ago the first of them was, at most
  std::size_t starts = 0;             ///< of how many containers
};

/// Compose, of one project.
class Compose {
 public:
  virtual ~Compose() = default;

  /// The turn (ProjectLock::token) of the calls to come: what reads the staged files, or changes something, is done in
  /// it alone.
  virtual void in_turn(std::string token) = 0;

  /// `docker compose config --format json` with every profile on. kComposeFailed with Compose's words; kInputsChanged
  /// where the turn was lost.
  virtual Result<std::string> config(const ComposeStack& stack) = 0;
  /// The same of a stack that need not be staged: its files lie in the call's own folder and go with it, and the answer
  /// is as if they lay in `stack.stage_directory`.
  virtual Result<std::string> config_of(const ComposeStack& stack, const ScratchFiles& files) = 0;

  /// `up -d --no-deps --no-build` of exactly these services, recreating them or starting what is there; a second time
  /// (true) where the engine has lost sight of a network that Compose has just made. kComposeFailed, kInputsChanged
  /// where the turn was lost, as for all that changes something.
  virtual Result<bool> up(const ComposeStack& stack, const UpCall& call) = 0;

  /// Of these, containers that have failed already, and those that have ended though they are no one-shots. Takes as
  /// long as the engine needs to tell, and 0.3 s; `meanwhile` is called once, and may ask the parent other things.
  virtual Result<std::vector<EarlyExit>> early_exits(const Started& started,
                                                     const std::function<void()>& meanwhile) = 0;

  /// Waits until each condition holds. kComposeFailed: one that is required cannot hold any more (unhealthy, exited).
  virtual Result<void> await(const std::vector<Dependency>& conditions) = 0;
  /// Waits until each service runs, healthy where it has a health check, or is one of `one_shots` and has exited 0.
  /// kComposeFailed.
  virtual Result<void> await_up(const std::vector<std::string>& services, const std::set<std::string>& one_shots) = 0;

  /// Removes and renames what an interrupted call left; `doomed` as in UpCall. kComposeFailed.
  virtual Result<void> put_right(const std::vector<PutRight>& steps, const std::vector<std::string>& doomed) = 0;
  /// `down` of whatever carries the project's label; needs no files.
  virtual Result<void> down(unsigned timeout_s, bool volumes, const std::vector<std::string>& doomed) = 0;
  /// The networks of a project whose containers were removed by hand; needs no Compose.
  virtual Result<void> remove_networks() = 0;
  /// Stops and removes containers of services that the stack no longer has.
  virtual Result<void> remove_containers(const std::vector<std::string>& ids,
                                         const std::vector<std::string>& doomed) = 0;
};

}  // namespace otto::parent

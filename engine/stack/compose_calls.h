// Calls of `docker compose` on a parent, each one supervised job with its files in a private folder that goes with it.
//
// A parent's Compose is docker's plugin, the command docker-compose, or Compose v1 (docker-compose 1.28 and later),
// whose answers are made to look alike here. Interpolated variables come from the client: those with a value are
// exported and written to the call's --env-file, those without are unset, so that the parent's own environment never
// leaks into a stack. otto names the services of every call; Compose's own judgement (dependencies, building, orphans)
// is switched off. Must not know plans or the memo.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/containers/half_replaced.h"
#include "engine/parent/parent.h"
#include "engine/stack/stack_model.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::stack {

/// A stack on a parent: where its files are staged and what it interpolates.
struct ComposeStack {
  std::string project;                 ///< the compose project
  std::string stage_directory;         ///< absolute, on the parent
  std::string project_directory;       ///< relative to stage_directory
  std::string home_directory;          ///< relative to stage_directory: what "~" means; empty: the parent's own
  std::vector<std::string> files;      ///< relative to stage_directory, in order
  std::vector<std::string> variables;  ///< every name interpolated
  std::map<std::string, std::string> environment;  ///< those with a value
};

/// Files that come with a question, because their stack is not staged: path relative to the tree → content, or where a
/// link leads. None holds a NUL.
struct ScratchFiles {
  std::map<std::string, std::string> files, links;
};
inline constexpr std::string_view kScratchTree = "tree";  ///< what the tree is called there

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

/// Of one project. Whoever calls what changes something holds the project's lock, and has said so by in_turn().
class Compose {
 public:
  /// Borrows the first three.
  Compose(transport::Remote& remote, const parent::ParentSettings& settings, const parent::ParentFacts& facts,
          std::string project, std::stop_token stop)
      : remote_(remote), settings_(settings), facts_(facts), project_(std::move(project)), stop_(std::move(stop)) {}

  /// The turn (ProjectLock::token) in which the calls to come change something.
  void in_turn(std::string token) { turn_ = std::move(token); }

  /// `docker compose config --format json` with every profile on. kComposeFailed with Compose's words.
  Result<std::string> config(const ComposeStack& stack);
  /// The same of a stack that need not be staged: its files lie in the call's own folder and go with it, and the answer
  /// is as if they lay in `stack.stage_directory`.
  Result<std::string> config_of(const ComposeStack& stack, const ScratchFiles& files);

  /// `up -d --no-deps --no-build` of exactly these services, recreating them or starting what is there; a second time
  /// (true) where the engine has lost sight of a network that Compose has just made. kComposeFailed, kInputsChanged
  /// where the turn was lost, as for all that changes something.
  Result<bool> up(const ComposeStack& stack, const UpCall& call);

  /// What was started just now.
  struct Started {
    std::vector<std::string> services;
    std::set<std::string> one_shots;    ///< that may end with 0
    std::vector<std::string> replaced;  ///< ids of containers that are no more
    std::chrono::milliseconds since{};  ///< how long ago the first of them was, at most
    std::size_t starts = 0;             ///< of how many containers
  };
  /// Of these, containers that have failed already, and those that have ended though they are no one-shots. Takes as
  /// long as the engine needs to tell, and 0.3 s. May be called beside other questions.
  Result<std::vector<EarlyExit>> early_exits(const Started& started);

  /// Waits until each condition holds. kComposeFailed: one that is required cannot hold any more (unhealthy, exited).
  Result<void> await(const std::vector<Dependency>& conditions);
  /// Waits until each service runs, healthy where it has a health check, or is one of `one_shots` and has exited 0.
  /// kComposeFailed.
  Result<void> await_up(const std::vector<std::string>& services, const std::set<std::string>& one_shots);

  /// Removes and renames what an interrupted call left; `doomed` as in UpCall. kComposeFailed.
  Result<void> put_right(const std::vector<containers::PutRight>& steps, const std::vector<std::string>& doomed);
  /// `down` of whatever carries the project's label; needs no files.
  Result<void> down(unsigned timeout_s, bool volumes, const std::vector<std::string>& doomed);
  /// The networks of a project whose containers were removed by hand; needs no Compose.
  Result<void> remove_networks();
  /// Stops and removes containers of services that the stack no longer has.
  Result<void> remove_containers(const std::vector<std::string>& ids, const std::vector<std::string>& doomed);

 private:
  struct Change {
    std::string text;
    std::string_view what;  ///< of the error's message
    std::vector<std::string> doomed;
    transport::OutputSink on_output = {};
  };
  Result<transport::Output> call(std::string script, transport::OutputSink on_output = {});
  Result<transport::Output> run(std::string script, std::string_view what);
  Result<transport::Output> change(const Change& change);
  Result<void> changed(const Change& change);
  std::string stack_head(const ComposeStack& stack, const std::string& override_yaml) const;
  std::string head(const ComposeStack& stack, std::string_view tree, const std::string& override_yaml) const;
  [[nodiscard]] std::string config_call() const;
  Result<std::string> read_config(transport::Output answer) const;
  [[nodiscard]] Result<void> check_compose() const;
  [[nodiscard]] std::string command() const;
  Result<void> await_lines(const std::string& lines);

  transport::Remote& remote_;
  const parent::ParentSettings& settings_;
  const parent::ParentFacts& facts_;
  const std::string project_;
  std::string turn_;
  std::stop_token stop_;
};

/// One line of a dotenv file as Compose reads it back to exactly `value`. Compose v1 reads other escapes.
std::string env_file_line(std::string_view name, std::string_view value, bool compose_v1 = false);

}  // namespace otto::stack

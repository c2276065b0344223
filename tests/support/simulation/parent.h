// parent::Parent on a World: what the scripts of a real parent do, step by step, with their guards.
//
// Held to the real one by scripts that run on both (tests/e2e). A Client is one run of otto: at a step of its calls it
// can be killed (Killed is thrown, and nothing of it runs any more), lose its connection, or be refused.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "engine/parent/parent.h"
#include "tests/support/simulation/world.h"

namespace otto::simulation {

/// What befalls a run of otto.
struct Fault {
  enum class Kind {
    kNone,
    kKilled,     ///< SIGKILL
    kCut,        ///< its connection is lost for good
    kRefused,    ///< one call fails, before it has done anything
    kSuspended,  ///< it stands still before a call, for so long that the parent ends its jobs
  };
  Kind kind = Kind::kNone;
  unsigned at = 0;  ///< of its steps; kRefused, kSuspended: of its calls
};

struct Killed {};

/// A file of the machine that otto runs on, now; nullopt: there is none.
using ReadLocal = std::function<std::optional<Entry>(const std::string& path)>;

class Client {
 public:
  Client(World& where, int actor, std::string called, Fault fault, ReadLocal read)
      : world(where), name(std::move(called)), read_local(std::move(read)), actor_(actor), fault_(fault) {}
  ~Client() { *here_ = false; }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Runs a job, step by step, while the world goes on. kConnectionLost, kInterrupted; throws Killed.
  Result<void> run(Job job, const std::stop_token& stop = {});
  /// A call begins. kRemoteFailed, kConnectionLost.
  Result<void> begin();
  /// One moment passes. kConnectionLost; throws Killed. `job`: what goes on without this otto then.
  Result<void> step(Job* job);
  [[nodiscard]] bool lost() const { return lost_; }
  /// For its jobs, which may live longer.
  [[nodiscard]] std::shared_ptr<const bool> here() const { return here_; }

  World& world;
  const std::string name;
  const ReadLocal read_local;
  std::optional<Job>* holds = nullptr;  ///< the job that holds its turn
  std::string generation_told;          ///< by its last probe

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
  const int actor_;
  const Fault fault_;
  unsigned steps_ = 0, calls_ = 0;
  bool lost_ = false, killed_ = false;
  const std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

/// `client` outlives it.
std::unique_ptr<parent::Parent> make_parent(Client& client, const std::string& host_id);

/// Whether a turn at a project is its otto's still.
bool has_turn(const World& world, const parent::TurnOf& turn);

/// What a probe tells of the world's facts.
parent::ParentFacts facts_of(const World& world);

}  // namespace otto::simulation

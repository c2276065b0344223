// The jobs that stage and build on a World, step by step, with the guards of the real scripts; and waiting for a lock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/parent/building.h"
#include "engine/parent/staging.h"
#include "tests/support/simulation/parent.h"
#include "tests/support/simulation/world.h"

namespace otto::simulation {

inline constexpr std::string_view kStages = "/home/sim/stages";

/// Whether the otto of a job still is there to be asked, or told.
using Here = std::shared_ptr<const bool>;

/// Waits for a lock, and says so once.
class Acquire {
 public:
  Acquire(World& world, std::string name, bool exclusive, Guard guard, Here here,
          std::function<void(const parent::LockHolder&)> waiting)
      : world_(world),
        name_(std::move(name)),
        exclusive_(exclusive),
        guard_(guard),
        here_(std::move(here)),
        waiting_(std::move(waiting)) {}
  bool taken() {
    hold_ = world_.try_lock(name_, exclusive_, guard_);
    if (hold_) return true;
    if (waiting_ && *here_) std::exchange(waiting_, nullptr)(parent::LockHolder{"somebody", 0});
    return false;
  }

 private:
  World& world_;
  const std::string name_;
  const bool exclusive_;
  const Guard guard_;
  const Here here_;
  std::function<void(const parent::LockHolder&)> waiting_;
  World::Hold hold_;
};

struct Staged {
  parent::StageState state;
  std::optional<Error> error;
};

struct StageOrder {
  parent::StageRequest request;
  graph::ContextManifest wanted;
  ReadLocal read_local;
  Here here;
};

Job stage_job(World& world, std::shared_ptr<StageOrder> order, std::shared_ptr<Staged> out);

struct Built {
  parent::BuiltImage image;
  std::optional<Error> error;
};

/// Equal for all tags of a repository.
std::string image_lock(const std::string& tag);
Job build_job(World& world, parent::BuildRequest request, graph::Fingerprint fingerprint, Here here,
              std::shared_ptr<Built> out);

}  // namespace otto::simulation

// Seeded schedules: edits, commands with what befalls them, hands on the parent, memos that are lost; and what must
// hold after each.
//
// A schedule is a list of actions, each with a seed of its own, so that one can be taken out and the others stay what
// they are: so a failing schedule is shrunk. docs/testing.md lists what is held.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/simulation/world.h"

namespace otto::simulation {

struct Action {
  enum class Kind {
    kEdit,      ///< a file of a checkout
    kRun,       ///< one otto, to its end
    kTogether,  ///< two or three at once
    kHands,     ///< somebody on the parent
    kMemo,      ///< lost, kept aside, or put back as it was
    kSettle,    ///< time passes
  };
  Kind kind = Kind::kRun;
  std::uint64_t seed = 0;
};

struct Schedule {
  std::uint64_t seed = 0;
  std::vector<Action> actions;
};

Schedule make_schedule(std::uint64_t seed);

struct Verdict {
  std::string broken;              ///< what did not hold; empty: all did
  std::vector<std::string> trace;  ///< what happened
};

/// Where schedules are run.
struct Setting {
  std::set<Guard> missing = {};       ///< guards that are taken away
  std::filesystem::path folder = {};  ///< the whole library runs, with its files there; empty: in memory
};
Verdict run_schedule(const Schedule& schedule, const Setting& setting, bool trace);

/// The fewest actions of a failing schedule that still fail.
Schedule shrink(Schedule schedule, const Setting& setting);

std::optional<Guard> guard_named(std::string_view name);
std::string_view guard_name(Guard guard);
/// A schedule that missed the guard when this was written; where it does no longer, another will.
std::uint64_t seed_that_misses(Guard guard);
const std::vector<Guard>& all_guards();

}  // namespace otto::simulation

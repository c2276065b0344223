#include "tests/support/simulation/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "graph/base/text.h"
#include "tests/support/simulation/invariants.h"
#include "tests/support/simulation/machine.h"
#include "tests/support/simulation/parent.h"

namespace otto::simulation {

namespace {

struct GuardEntry {
  Guard guard;
  std::string_view name;
  std::uint64_t seed;
};
constexpr std::array<GuardEntry, 16> kGuards = {{
    {Guard::kStampGoesFirst, "stamp-goes-first", 1698},
    {Guard::kStampIsChecked, "stamp-is-checked", 74},
    {Guard::kVerifiedAfterBuild, "verified-after-build", 638},
    {Guard::kHashedAsPacked, "hashed-as-packed", 62},
    {Guard::kNewPathForModes, "new-path-for-modes", 4},
    {Guard::kMtimeOfContent, "mtime-of-content", 1},
    {Guard::kTagComesLast, "tag-comes-last", 8},
    {Guard::kStageLock, "stage-lock", 106},
    {Guard::kImageLock, "image-lock", 12},
    {Guard::kProjectLock, "project-lock", 46},
    {Guard::kWorkLock, "work-lock", 2789},
    {Guard::kTurnIsChecked, "turn-is-checked", 8965},
    {Guard::kReprobe, "reprobe", 335},
    {Guard::kPutRight, "put-right", 72},
    {Guard::kNothingIsThrownAway, "nothing-is-thrown-away", 72},
    {Guard::kDoomedNote, "doomed-note", 1736},
}};

struct Run {
  unsigned machine = 0;
  Verb verb = Verb::kUp;
  Fault fault;
};

class Player {
 public:
  Player(const Schedule& schedule, const Setting& setting, bool trace)
      : schedule_(schedule),
        world_(schedule.seed, setting.missing, schedule.seed % 4 == 3),
        on_disk_(!setting.folder.empty()) {
    world_.logs = trace;
    for (unsigned i = 0; i < 2; ++i) {
      machines_.push_back(on_disk_ ? machine_on_disk(setting.folder / fmt::format("machine{}", i))
                                   : machine_in_memory(fmt::format("/co{}", i)));
    }
    world_.tags["db:1"] = world_.add_image("a database");
  }

  Verdict operator()() {
    Verdict verdict;
    try {
      for (const Action& action : schedule_.actions) play(action);
      heal();
    } catch (const std::exception& broken) {
      verdict.broken = broken.what();
    }
    verdict.trace = std::move(world_.log);
    return verdict;
  }

 private:
  // --- actions ---

  void play(const Action& action) {
    std::mt19937_64 random(action.seed);
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
    switch (action.kind) {
      case Action::Kind::kEdit: {
        const unsigned machine = below(2);
        const unsigned kind = below(Checkout::kinds());
        const std::string done = machines_[machine]->edit(kind, random());
        world_.say(fmt::format("* machine {} edits: {}", machine, done));
        break;
      }
      case Action::Kind::kRun: {
        const Run run = some_run(random);
        if (below(6) == 0) edit_meanwhile(run.machine, random());
        play(run);
        break;
      }
      case Action::Kind::kTogether: {
        std::vector<Run> runs;
        const bool calm = below(3) == 0, one_stands_still = below(3) == 0;
        for (unsigned i = 0, count = 2 + below(2); i < count; ++i) {
          runs.push_back(some_run(random));
          if (!calm) continue;
          runs.back().fault = {};
          if (one_stands_still && i == 0) runs.back().fault = {Fault::Kind::kSuspended, below(16)};
          if (runs.back().verb != Verb::kUpService && runs.back().verb != Verb::kBuild) runs.back().verb = Verb::kUp;
        }
        if (below(6) == 0) edit_meanwhile(runs.front().machine, random());
        play_together(runs);
        break;
      }
      case Action::Kind::kHands: use_hands(random); break;
      case Action::Kind::kMemo: {
        Machine& machine = *machines_[below(2)];
        const unsigned what = below(3);
        world_.say(fmt::format("* a memo is {}", what == 0 ? "lost" : what == 1 ? "kept aside" : "put back"));
        what == 0 ? machine.lose_memo() : what == 1 ? machine.keep_memo() : machine.put_memo_back();
        break;
      }
      case Action::Kind::kSettle: world_.settle(); world_.say("* all comes to rest");
    }
    check_tags(world_);
    check_volumes(world_);
  }

  static Run some_run(std::mt19937_64& random) {
    static constexpr Verb kVerbs[] = {Verb::kUp,    Verb::kUp,        Verb::kUp,        Verb::kUp,
                                      Verb::kUp,    Verb::kUpService, Verb::kUpNoBuild, Verb::kUpWait,
                                      Verb::kBuild, Verb::kDown,      Verb::kPrune};
    Run run;
    run.machine = random() % 3 == 0 ? 1 : 0;
    run.verb = kVerbs[random() % std::size(kVerbs)];
    const auto kind = random() % 10;
    run.fault.kind = kind < 2    ? Fault::Kind::kKilled
                     : kind < 4  ? Fault::Kind::kCut
                     : kind == 4 ? Fault::Kind::kRefused
                     : kind == 5 ? Fault::Kind::kSuspended
                                 : Fault::Kind::kNone;
    const bool of_calls = run.fault.kind == Fault::Kind::kRefused || run.fault.kind == Fault::Kind::kSuspended;
    run.fault.at = static_cast<unsigned>(random() % (of_calls ? 12 : 60));
    return run;
  }

  void edit_meanwhile(unsigned machine, std::uint64_t choice) {
    if (on_disk_) return;  // threads of otto's own read there
    world_.after(3 + static_cast<unsigned>(choice % 40), [this, machine, choice] {
      if (healing_) return;
      const std::string done = machines_[machine]->edit(static_cast<unsigned>(choice / 64 % 6), choice / 1024);
      world_.say(fmt::format("* machine {} edits meanwhile: {}", machine, done));
      edited_meanwhile_ = true;
    });
  }

  void use_hands(std::mt19937_64& random) {
    const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
    switch (below(6)) {
      case 0:
      case 1: {
        const auto all = world_.containers_of(kProject);
        if (all.empty()) break;
        Container& one = *all[below(all.size())];
        if (below(2) == 0) {
          world_.say("* docker rm -f " + one.state.name);
          world_.let_go(one);
          world_.remove(one.state.id);
        } else {
          world_.say("* docker stop " + one.state.name);
          world_.kill(one.state.id, 137);
        }
        break;
      }
      case 2: {
        std::vector<std::string> tags;
        for (const auto& [tag, id] : world_.tags) {
          if (tag != "db:1") tags.push_back(tag);
        }
        if (tags.empty()) break;
        const std::string& tag = tags[below(tags.size())];
        world_.say("* docker rmi " + tag);
        world_.tags.erase(tag);
        break;
      }
      case 3:
      case 4: {
        std::vector<Stage*> stages;
        for (auto& [key, stage] : world_.stages) {
          // What is mounted from a stack's stage belongs to its containers: nobody looks what was written there.
          if (!stage.files.empty() && !key.ends_with("-compose")) stages.push_back(&stage);
        }
        if (stages.empty()) break;
        Stage& stage = *stages[below(stages.size())];
        auto file = stage.files.begin();
        std::advance(file, static_cast<std::ptrdiff_t>(below(stage.files.size())));
        if (file->second.directory) break;
        world_.say("* a staged file is edited: " + file->first);
        file->second.content = "v9";
        file->second.mtime = 7;
        stage.edited = true;
        break;
      }
      default: {
        std::vector<std::string> keys;
        for (const auto& [key, stage] : world_.stages) keys.push_back(key);
        if (keys.empty()) break;
        const std::string& key = keys[below(keys.size())];
        world_.say("* a stage is removed: " + key);
        world_.stages[key] = {};
        break;
      }
    }
  }

  // --- commands ---

  void play(const Run& run) {
    const Seen before = look(world_);
    const std::map<std::string, std::string> tags(world_.tags.begin(), world_.tags.end());
    const bool was_whole = is_whole_;
    edited_meanwhile_ = false;
    const Came came = carry_out(run, 0);
    tell(run, came);
    is_whole_ = false;
    if (is_untroubled(run) && !edited_meanwhile_) check_failure(run, came);
    if (run.verb == Verb::kPrune && !edited_meanwhile_) check_pruned(world_, machines_[run.machine]->checkout, tags);
    if (came.killed || came.error || !came.up) return;
    if (run.verb != Verb::kUp && run.verb != Verb::kUpWait) return;
    if (came.up->build.failures() > 0) return;
    world_.settle();
    if (edited_meanwhile_) return;
    check_stack(world_, machines_[run.machine]->checkout);
    if (was_whole) check_replaced(world_, machines_[run.machine]->checkout, before);
    is_whole_ = true;
  }

  /// An otto that nothing befell fails for what is wrong alone: a Dockerfile that does not build, an image that was
  /// never built (`--no-build`), a service of which somebody took the image away.
  void check_failure(const Run& run, const Came& came) const {
    const bool may_fail = run.verb == Verb::kUpNoBuild || machines_[run.machine]->checkout.has_a_broken_image();
    if (may_fail) return;
    if (came.error) throw Broken(fmt::format("{} failed: {}", verb_name(run.verb), came.error->message));
    if (!came.image_error.empty()) throw Broken(fmt::format("{} failed: {}", verb_name(run.verb), came.image_error));
  }

  void play_together(const std::vector<Run>& runs) {
    if (on_disk_) {  // the environment is one
      for (const Run& run : runs) play(run);
      return;
    }
    is_whole_ = edited_meanwhile_ = false;
    // Nobody takes away what another needs: not down, not prune, nor one that awaits what another replaces.
    const bool calm = world_.is_at_rest() && std::ranges::all_of(runs, [](const Run& run) {
                        return (is_untroubled(run) || run.fault.kind == Fault::Kind::kSuspended) &&
                               (run.verb == Verb::kUp || run.verb == Verb::kUpService || run.verb == Verb::kBuild);
                      });
    const std::map<std::string, unsigned> built = world_.builds;
    std::vector<Came> came(runs.size());
    std::vector<std::exception_ptr> thrown(runs.size());
    std::set<int> actors;
    for (std::size_t i = 0; i < runs.size(); ++i) actors.insert(static_cast<int>(i));
    world_.cast(actors);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < runs.size(); ++i) {
        threads.emplace_back([&, i] {
          world_.enter(static_cast<int>(i));
          try {
            came[i] = carry_out(runs[i], static_cast<int>(i));
          } catch (...) {
            thrown[i] = std::current_exception();
          }
          world_.leave(static_cast<int>(i));
        });
      }
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (thrown[i]) std::rethrow_exception(thrown[i]);
      tell(runs[i], came[i]);
    }
    if (calm) check_came(runs, came, built);
  }

  static bool is_untroubled(const Run& run) { return run.fault.kind == Fault::Kind::kNone; }

  /// Of ottos at once, none of which takes away what others need: whom nothing befell did what it was asked, also
  /// beside one that stood still until its turn was lost, and none did what another had done.
  void check_came(const std::vector<Run>& runs, const std::vector<Came>& came,
                  const std::map<std::string, unsigned>& built) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (is_untroubled(runs[i]) && !edited_meanwhile_) check_failure(runs[i], came[i]);
      if (came[i].error && is_untroubled(runs[i]))
        throw Broken(fmt::format("beside others {} failed: {}", verb_name(runs[i].verb), came[i].error->message));
    }
    if (!std::ranges::all_of(runs, is_untroubled)) return;
    for (const auto& [tag, times] : world_.builds) {
      const auto before = built.find(tag);
      if (times > 1 + (before == built.end() ? 0 : before->second)) throw Broken(tag + " was built twice at once");
    }
  }

  void tell(const Run& run, const Came& came) {
    world_.say(fmt::format("= machine {}: {}: {}", run.machine, verb_name(run.verb),
                           came.killed  ? "killed"
                           : came.error ? came.error->message
                                        : "done"));
  }

  Came carry_out(const Run& run, int actor) {
    Machine& machine = *machines_[run.machine];
    world_.say(fmt::format("= machine {}: {}", run.machine, verb_name(run.verb)));
    Client client(world_, actor, fmt::format("otto {}", actor), run.fault,
                  [&machine](const std::string& path) { return machine.read(path); });
    try {
      return machine.run(run.verb, client);
    } catch (const Killed&) {
      Came came;
      came.killed = true;
      return came;
    }
  }

  // --- what must hold ---

  /// Whatever happened, the next run converges; and the one after it has nothing to do.
  void heal() {
    world_.say("* the end: all must converge");
    if (world_.tags.count("db:1") == 0) world_.tags["db:1"] = world_.add_image("a database");
    machines_[0]->mend();
    const Run last{0, Verb::kUp, {}};
    healing_ = true;
    Came came = carry_out(last, 0);
    tell(last, came);
    if (came.error) throw Broken("the last up failed: " + came.error->message);
    for (const docker::ImageResult& image : came.up->build.images) {
      if (image.error) throw Broken("the last up failed: " + image.error->message);
      if (image.status == docker::ImageStatus::kBuilt && image.reasons.empty()) {
        throw Broken("image " + image.name + " was built for no reason");
      }
    }
    for (const docker::ServiceResult& service : came.up->services) {
      const bool acted =
          service.action != docker::ServiceAction::kUnchanged && service.action != docker::ServiceAction::kCompleted;
      if (acted == service.reasons.empty())
        throw Broken("service " + service.service + " has no reason, or one for nothing");
    }
    world_.settle();
    check_tags(world_);
    check_stack(world_, machines_[0]->checkout);
    const unsigned changes = world_.changes;
    came = carry_out(last, 0);
    tell(last, came);
    if (came.error) throw Broken("up with nothing to do failed: " + came.error->message);
    for (const docker::ImageResult& image : came.up->build.images) {
      if (image.status != docker::ImageStatus::kCached) throw Broken("up with nothing to do built " + image.name);
    }
    for (const docker::ServiceResult& service : came.up->services) {
      if (!service.reasons.empty()) throw Broken("up with nothing to do touched " + service.service);
    }
    if (world_.changes != changes) throw Broken("up with nothing to do changed something");
    check_volumes(world_);
  }

  const Schedule& schedule_;
  World world_;
  std::vector<std::unique_ptr<Machine>> machines_;
  const bool on_disk_;
  bool edited_meanwhile_ = false, healing_ = false;
  bool is_whole_ = false;  // since an `up` that was calm, nothing but edits and hands
};

}  // namespace

std::string_view guard_name(Guard guard) { return std::ranges::find(kGuards, guard, &GuardEntry::guard)->name; }

std::uint64_t seed_that_misses(Guard guard) { return std::ranges::find(kGuards, guard, &GuardEntry::guard)->seed; }

std::optional<Guard> guard_named(std::string_view name) {
  const auto found = std::ranges::find(kGuards, name, &GuardEntry::name);
  return found == kGuards.end() ? std::nullopt : std::optional(found->guard);
}

const std::vector<Guard>& all_guards() {
  static const std::vector<Guard> all = [] {
    std::vector<Guard> guards;
    for (const GuardEntry& entry : kGuards) guards.push_back(entry.guard);
    return guards;
  }();
  return all;
}

Schedule make_schedule(std::uint64_t seed) {
  static constexpr Action::Kind kKinds[] = {
      Action::Kind::kEdit, Action::Kind::kEdit,     Action::Kind::kEdit,  Action::Kind::kRun,  Action::Kind::kRun,
      Action::Kind::kRun,  Action::Kind::kTogether, Action::Kind::kHands, Action::Kind::kMemo, Action::Kind::kSettle};
  std::mt19937_64 random(seed * 0x9e3779b97f4a7c15U + 1);
  Schedule schedule{seed, {}};
  for (std::size_t i = 0, count = 3 + random() % 8; i < count; ++i) {
    schedule.actions.push_back({kKinds[random() % std::size(kKinds)], random()});
  }
  return schedule;
}

Verdict run_schedule(const Schedule& schedule, const Setting& setting, bool trace) {
  if (!setting.folder.empty()) {
    std::filesystem::remove_all(setting.folder);
    std::filesystem::create_directories(setting.folder);
  }
  return Player(schedule, setting, trace)();
}

Schedule shrink(Schedule schedule, const Setting& setting) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t i = 0; i < schedule.actions.size(); ++i) {
      Schedule less = schedule;
      less.actions.erase(less.actions.begin() + static_cast<std::ptrdiff_t>(i));
      if (run_schedule(less, setting, false).broken.empty()) continue;
      schedule = std::move(less);
      smaller = true;
      break;
    }
  }
  return schedule;
}

}  // namespace otto::simulation

// Runs seeded schedules through up, build, down and prune on a simulated parent.
//
//   otto_simulation [--from SEED] [--schedules N] [--without GUARD] [--on-disk] [--trace] [--every-guard]
//
// Exits 1 at the first schedule that breaks what must hold, and prints it shrunk, with its trace. `--without` takes a
// guard away; `--on-disk` runs the whole library, with files and memo on disk; `--every-guard` looks, for each, whether
// that is found within N schedules.
#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/simulation/schedule.h"

namespace {

using namespace otto::simulation;  // NOLINT(google-build-using-namespace): a main of its own

struct Options {
  std::uint64_t from = 1, schedules = 1000;
  Setting setting;
  bool trace = false, every_guard = false;
};

/// In memory where there is such a place: nothing of it must outlive a power cut.
std::filesystem::path state_folder() {
  return std::filesystem::is_directory("/dev/shm") ? std::filesystem::path("/dev/shm")
                                                   : std::filesystem::temp_directory_path();
}

bool read_options(const std::vector<std::string>& words, Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto value = [&] { return i + 1 < words.size() ? words[++i] : std::string("0"); };
    if (words[i] == "--from") {
      options.from = std::stoull(value());
    } else if (words[i] == "--schedules") {
      options.schedules = std::stoull(value());
    } else if (words[i] == "--without") {
      const auto guard = guard_named(value());
      if (!guard) return false;
      options.setting.missing.insert(*guard);
    } else if (words[i] == "--on-disk") {
      options.setting.folder = state_folder() / fmt::format("otto-simulation-{}", getpid());
    } else if (words[i] == "--trace") {
      options.trace = true;
    } else if (words[i] == "--every-guard") {
      options.every_guard = true;
    } else {
      return false;
    }
  }
  return options.schedules > 0;
}

struct Found {
  std::uint64_t seed = 0;
  std::string broken;
};

std::optional<Found> search(const Options& options, const Setting& setting) {
  for (std::uint64_t seed = options.from; seed < options.from + options.schedules; ++seed) {
    const Verdict verdict = run_schedule(make_schedule(seed), setting, false);
    if (!verdict.broken.empty()) return Found{seed, verdict.broken};
  }
  return std::nullopt;
}

void tell(const Found& found, const Setting& setting) {
  const Schedule small = shrink(make_schedule(found.seed), setting);
  const Verdict verdict = run_schedule(small, setting, true);
  for (const std::string& line : verdict.trace) fmt::print("{}\n", line);
  fmt::print("schedule {}: {}\n", found.seed, verdict.broken);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options({argv + 1, argv + argc}, options)) {
    fmt::print(stderr,
               "usage: otto_simulation [--from SEED] [--schedules N] [--without GUARD] [--on-disk] [--trace] "
               "[--every-guard]\n");
    return 2;
  }
  int code = 0;
  if (options.every_guard) {
    for (const Guard guard : all_guards()) {
      Options hint = options;
      hint.from = seed_that_misses(guard);
      hint.schedules = 1;
      const Setting without{{guard}, options.setting.folder};
      auto found = search(hint, without);
      if (!found) found = search(options, without);
      if (found && !run_schedule(make_schedule(found->seed), options.setting, false).broken.empty()) {
        fmt::print("schedule {} breaks with {}, too\n", found->seed, guard_name(guard));
        code = 1;
      } else if (found) {
        fmt::print("without {}: schedule {}: {}\n", guard_name(guard), found->seed, found->broken);
      } else {
        fmt::print("without {}: NOT FOUND in {} schedules\n", guard_name(guard), options.schedules);
        code = 1;
      }
    }
  } else if (options.trace) {
    tell({options.from, ""}, options.setting);
  } else if (const auto found = search(options, options.setting)) {
    tell(*found, options.setting);
    code = 1;
  } else {
    fmt::print("{} schedules, all as they must be\n", options.schedules);
  }
  if (!options.setting.folder.empty()) std::filesystem::remove_all(options.setting.folder);
  return code;
}

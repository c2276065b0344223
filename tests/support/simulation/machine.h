// A machine with a checkout and a memo, where otto is run: in memory, or with all of it on disk.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "otto/stack.h"
#include "tests/support/simulation/checkout.h"
#include "tests/support/simulation/parent.h"

namespace otto::simulation {

/// What must hold does not.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Verb { kUp, kUpService, kUpNoBuild, kUpWait, kBuild, kDown, kPrune };

std::string_view verb_name(Verb verb);

/// What came of a command.
struct Came {
  std::optional<Error> error;
  bool killed = false;
  std::optional<docker::UpReport> up;
  std::string image_error;  ///< of an image that did not build; empty: none
};

class Machine {
 public:
  explicit Machine(std::string root) : checkout(std::move(root)) {}
  virtual ~Machine() = default;

  /// One command, to its end; all is read anew as often as otto does. Throws Killed.
  virtual Came run(Verb verb, Client& client) = 0;
  /// A file of this machine, as it is now.
  [[nodiscard]] virtual std::optional<Entry> read(const std::string& path) const = 0;
  virtual std::string edit(unsigned kind, std::uint64_t choice) { return checkout.edit(kind, choice); }
  virtual void mend() { checkout.mend(); }

  virtual void lose_memo() = 0;
  virtual void keep_memo() = 0;
  virtual void put_memo_back() = 0;

  Checkout checkout;
};

/// The rooms images and stack, driven as the library drives them; files and memo are in memory.
std::unique_ptr<Machine> machine_in_memory(const std::string& root);
/// The whole library: settings, scan, compose files, memo are on disk below `folder`. One at a time: the environment of
/// the process says where the memo is.
std::unique_ptr<Machine> machine_on_disk(const std::filesystem::path& folder);

}  // namespace otto::simulation

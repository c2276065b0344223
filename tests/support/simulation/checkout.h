// A project on a machine, in memory: its files, which are edited, and the inputs that otto reads from them.
//
// Four images (base; api and tool from one context, each built upon the last; side) and services of every kind that the
// plan knows: one that others wait for to be healthy, a one-shot, one that lives in another's network, replicas, an env
// file, a variable. Contents are drawn from few, of one length, so that edits are often reverted and never seen by
// size.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "engine/images/image_inputs.h"
#include "engine/stack/stack_inputs.h"
#include "engine/workspace/targets.h"
#include "tests/support/simulation/world.h"

namespace otto::simulation {

inline constexpr const char* kProject = "otto-veg-sim";
inline constexpr const char* kHost = "bean";

class Checkout {
 public:
  explicit Checkout(std::string root);

  [[nodiscard]] workspace::Target target() const;
  [[nodiscard]] const config::Settings& settings() const { return settings_; }
  /// All files, compose.json too, by their paths below the root.
  [[nodiscard]] Tree files() const;
  /// The environment's LEVEL.
  [[nodiscard]] const std::string& level() const { return level_; }
  /// Errors as from disk. What hashes stand for is noted in the world.
  Result<images::RepoInputs> read_images(World& world, const std::vector<std::string>& names) const;
  Result<stack::StackInputs> read_stack() const;
  [[nodiscard]] std::optional<Entry> read(const std::string& local_path) const;

  /// One edit of `kinds()`; `choice` makes it. Gives what it did, for people.
  std::string edit(unsigned kind, std::uint64_t choice);
  static unsigned kinds();
  [[nodiscard]] bool has_a_broken_image() const;
  /// Nothing that must fail stays: no Dockerfile that does not build.
  void mend();

  /// Service → what its containers are made from, and the content of its image (empty: not the project's own).
  struct Wanted {
    std::string definition, image_name;
    unsigned replicas = 1;
    bool one_shot = false;
    std::string lives_in;
    std::vector<std::string> restarts_with;
    std::vector<std::string> depends_on;
  };
  [[nodiscard]] std::map<std::string, Wanted> wanted() const;
  /// What an image's content is to be now.
  [[nodiscard]] std::string content_of_image(const std::string& image) const;

 private:
  [[nodiscard]] const std::string& compose_json() const;
  [[nodiscard]] Tree below(const std::string& folder) const;
  [[nodiscard]] graph::ContextManifest manifest_of(const std::string& folder) const;

  const std::string root_;
  Tree files_;  // path below the root → file
  config::Settings settings_;
  config::HostEntry host_;
  std::string level_ = "1";  // a variable of the environment
  unsigned webs_ = 1;
  bool restarts_ = false, has_extra_ = false;
  std::string mark_ = "a";            // in web's definition
  mutable std::string compose_json_;  // empty: to be made anew
};

}  // namespace otto::simulation

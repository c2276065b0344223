// What a parent is asked when a command begins, and its answer: images, base images, the stack's containers, its notes.
//
// The probe is what can change, in one round trip; what rarely changes are facts (facts.h).
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/parent/container_state.h"
#include "engine/parent/facts.h"

namespace otto::parent {

/// When a base image is pulled before it is looked at.
enum class Pull { kNever, kMissing, kAlways };

struct BaseQuery {
  std::string reference;
  std::string platform;  ///< of what is pulled; empty: the engine's own
  Pull pull = Pull::kNever;
  bool operator==(const BaseQuery&) const = default;
};

struct ProbeRequest {
  std::vector<std::string> images = {};        ///< references whose ids are wanted
  std::vector<std::string> repositories = {};  ///< references without a tag: the ids of all their tags are wanted
  std::vector<BaseQuery> bases = {};
  std::string compose_project = {};  ///< empty: no containers wanted
  std::string lock_root = {};        ///< of the facts; empty: they are not known yet
  std::string stack_stage = {};      ///< where the project's files are staged, absolute; empty: not known yet
  /// Containers as they once were: where none is there but these, only what changes of them is asked (their states).
  std::vector<ContainerState> known_containers = {};
  bool want_facts = false;
  bool operator==(const ProbeRequest&) const = default;
  [[nodiscard]] bool changes_nothing() const {
    return std::ranges::all_of(bases, [](const BaseQuery& base) { return base.pull == Pull::kNever; });
  }
};

/// A base image as the parent has it.
struct BaseState {
  std::string id;                    ///< "sha256:…"; empty: not there
  std::vector<std::string> digests;  ///< "sha256:…", by which registries know it
  std::string problem;               ///< the engine's words, where pulling failed
};

struct Probe {
  std::map<std::string, std::string> image_ids;  ///< of those wanted that are there: reference → "sha256:…"
  std::map<std::string, BaseState> bases;        ///< by reference, all that were asked for
  std::vector<ContainerState> containers;
  std::string generation;  ///< of the project, read before its containers were (project_lock.h); empty: none
  std::string stack_stamp, stack_tree;  ///< of the project's staged files (docs/stage.md); empty: no whole stage
  std::optional<ParentFacts> facts;
};

}  // namespace otto::parent

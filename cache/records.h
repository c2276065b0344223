// What the memo remembers, as values: builds, stages, parents' facts, stack models, containers, their registrations.
//
// Times are milliseconds since the Unix epoch, UTC. `parent` is a host id, `project` a repo's name. Blobs are opaque to
// the cache layer where their type lives above it. Nothing here may hold a secret's value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/fingerprint.h"
#include "graph/reasons.h"

namespace otto::cache {

struct BuildRecord {
  std::int64_t id = 0;  ///< given by the store
  std::int64_t at_ms = 0;
  std::string project, image, parent;
  std::string hash;      ///< 40 hex digits: the tag
  std::string tag;       ///< full reference
  std::string image_id;  ///< "sha256:…"
  std::uint64_t duration_ms = 0;
  std::uint64_t uploaded_bytes = 0;
  std::uint64_t uploaded_files = 0;
  std::vector<graph::Reason> reasons;
  graph::Fingerprint fingerprint;
};

/// What a stage on a parent was left holding: the base of the next delta.
struct StageRecord {
  std::string parent, key;
  std::string stamp;     ///< as written on the parent; a different one there means that another writer was at work
  std::string manifest;  ///< serialized graph::ContextManifest
};

/// The digested answer of `docker compose config` for one stack on one parent.
struct StackRecord {
  std::string parent, project;
  std::string inputs;  ///< digest of everything the answer depends on
  std::string model;   ///< JSON without values (engine/stack/stack_model.h)
};

/// What never changes of a container, by its id.
struct ContainerRecord {
  std::string id;  ///< the engine's, whole
  std::string service;
  unsigned number = 1;
  std::string image_id, image, service_digest;
  std::string account = {};  ///< that made it, on the parent; empty: not said
  bool operator==(const ContainerRecord&) const = default;
};

/// Something that was done to a service, and why.
struct ServiceRecord {
  std::int64_t id = 0;  ///< given by the store
  std::int64_t at_ms = 0;
  std::string project, parent, service;
  std::string host_id;  ///< of its first container
  std::string action;   ///< "created", "recreated", "started", "removed"
  std::string image;    ///< reference
  std::vector<graph::Reason> reasons;
  bool operator==(const ServiceRecord&) const = default;
};

/// The parts of a service's definition (engine/stack/service_definition.h) under the digest that they explain.
struct StoredDefinition {
  std::string project, service;
  std::string digest;  ///< hex
  std::string body;
  bool operator==(const StoredDefinition&) const = default;
};

struct Registration {
  std::string host_id;  ///< <parent>.<project>.<service>[-N]
  std::string parent, lab, project, compose_project, service;
  unsigned replica = 1;
  std::string container_id, image;
  std::string state;  ///< "running", "exited", "gone" (found missing where it was registered)
  std::int64_t last_seen_ms = 0;
  std::string fingerprint = {};  ///< of the definition that its container was made from, hex; empty: not by otto
  std::string reason = {};       ///< what was last done to its service and why, for people: "recreated: image changed"
  bool operator==(const Registration&) const = default;
};

}  // namespace otto::cache

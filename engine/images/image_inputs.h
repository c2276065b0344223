// The images of a repo with their inputs as they are on disk now: contexts scanned, Dockerfiles read, fingerprints
// made.
//
// Joins configuration, ignore rules, the context scan and Dockerfile references into the dependency graph and one
// fingerprint an image, in build order (an upstream image's hash is an input). Contexts shared by images are scanned
// once. Must not know parents or Docker. Call from one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cache/database.h"
#include "engine/config/settings.h"
#include "engine/context/context_scan.h"
#include "graph/base/result.h"
#include "graph/fingerprint.h"
#include "graph/node.h"
#include "otto/reporter.h"

namespace otto::images {

/// A context under one set of ignore rules, as it was scanned.
struct Context {
  std::string name;       ///< for people: root relative to the repo, "." for the repo itself
  std::string stage_key;  ///< names its stage on parents: equal for every checkout of the project
  std::filesystem::path root;
  std::filesystem::path ignore_file;  ///< empty: none
  graph::Digest ignore_digest;        ///< of the ignore file's text
  context::ScanResult scan;
  graph::Digest hash;  ///< of scan.manifest
};

/// Another image of the repo that an image is built from or copies from.
struct Upstream {
  std::string image;              ///< its name in the settings
  std::set<std::string> spelled;  ///< how the Dockerfile names it: "veggies-base", "veggies-base:latest"
};

struct ImageInputs {
  const config::ImageSettings* settings = nullptr;
  std::string dockerfile;  ///< its bytes
  const Context* context = nullptr;
  std::vector<Upstream> upstreams;  ///< sorted by image
  /// Additional contexts that are images of the repo, by the name that takes the place of what the Dockerfile calls so.
  std::map<std::string, std::string> own_contexts;
  std::set<std::string> triggered;    ///< stages that triggers of those images ask for by these names
  std::vector<std::string> external;  ///< base images that are not the repo's own, as spelled, sorted
  graph::FingerprintBuilder parts;    ///< every input but upstream and base images
  /// Base images, of upstream images too, that the hash says nothing about; sorted.
  std::vector<std::string> loose_bases;
  /// Base images whose ids count in the hash and are not known (yet): hash and tag are empty. See base_images.h.
  std::vector<std::string> unknown_bases;
  graph::Fingerprint fingerprint;
  std::string hash;        ///< 40 hex digits: the tag
  std::string tag;         ///< full reference with the hash
  std::string latest;      ///< full reference with :latest
  std::string repository;  ///< full reference without a tag
  [[nodiscard]] const std::string& name() const { return settings->name; }
};

struct RepoInputs {
  graph::Graph graph;
  std::vector<std::unique_ptr<Context>> contexts;
  std::vector<ImageInputs> images;  ///< in build order
  [[nodiscard]] const ImageInputs* find(std::string_view image) const;
};

struct ReadRequest {
  const config::Settings* repo = nullptr;
  std::vector<std::string> images;  ///< empty: all; what they are built from joins
  cache::Database* memo = nullptr;  ///< stat cache
  Reporter* reporter = nullptr;
  std::stop_token stop;
  /// Told of the images once it is known which they are and what they are built from, before anything is scanned: they
  /// have no context, hash or tag yet. An error of it ends the reading. May be empty.
  std::function<Result<void>(const RepoInputs&)> before_scan;
};

/// kUnknownName (an image nobody declares, with the near-miss), kConfig (a cycle, a bad Dockerfile or ignore file),
/// kIo, kInputsChanged, kInterrupted.
Result<RepoInputs> read_images(const ReadRequest& request);

}  // namespace otto::images

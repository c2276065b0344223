// External base images as inputs: which of them count in an image's hash, and the hash once their ids are known.
//
// A base image is known by its id on the parent, so the hash of an image with `track_base` (and of all that is built
// from it) is only complete after the probe. Of the others ids are kept to explain with, and for --pull to judge by.
// Must not know parents: ids are given. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/images/image_inputs.h"
#include "graph/digest.h"

namespace otto::images {

/// Base images by reference, as Dockerfiles spell it.
using BaseIds = std::map<std::string, graph::Digest>;

/// Makes fingerprints, hashes and tags of all images, in build order, with base images as `ids` tells. May be called
/// again with other ids. An image that lacks an id that counts is left without hash and tag (unknown_bases).
void settle_bases(RepoInputs& inputs, const BaseIds& ids);

/// `fingerprint` with the base images that do not count as `from` has them (null: none are known).
graph::Fingerprint with_loose_bases(graph::Fingerprint fingerprint, const graph::Fingerprint* from);

/// The base images that `fingerprint` knows but does not count: reference → "sha256:…".
std::map<std::string, std::string> loose_bases_of(const graph::Fingerprint& fingerprint);

/// Adds to `fingerprint` the loose base images of `image` that it lacks and that a build fetched itself: reference as
/// the engine spells it → "sha256:…".
void add_fetched_bases(graph::Fingerprint& fingerprint, const ImageInputs& image,
                       const std::map<std::string, std::string>& fetched);

/// Can a parent be asked for it: no digest, which never moves, and nothing that only the engine expands?
bool is_movable(std::string_view reference);

/// "sha256:<64 hex digits>" as the digest it is.
std::optional<graph::Digest> image_digest(std::string_view id);

}  // namespace otto::images

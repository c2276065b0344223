// What a Dockerfile refers to: the images it is built from and copies from, with build args and stage names resolved.
//
// Reads as BuildKit's parser does (escape directive, continuations, comments, heredocs, ARG before FROM, quoting) as
// far as references need. Pure; must not know the repo's images: the caller decides which references are its own.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::images {

/// Build args that BuildKit gives by itself.
inline constexpr std::array<std::string_view, 8> kPlatformArgs = {"TARGETPLATFORM", "TARGETOS",      "TARGETARCH",
                                                                  "TARGETVARIANT",  "BUILDPLATFORM", "BUILDOS",
                                                                  "BUILDARCH",      "BUILDVARIANT"};

enum class ReferenceKind { kFrom, kCopyFrom, kMountFrom };

struct ImageReference {
  ReferenceKind kind = ReferenceKind::kFrom;
  std::string name;   ///< as the engine would see it, args expanded: "veggies-base", "veggies-base:latest", "debian:12"
  unsigned line = 0;  ///< 1-based, of the instruction
  /// Where the reference is written in the text, in bytes: replacing [begin, end) pins it, whatever args spelt it (the
  /// legacy builder has no --build-context).
  std::size_t begin = 0, end = 0;
  /// It stands in an ONBUILD, so it is looked up by whoever builds from this image: a stage there, else an image.
  bool trigger = false;
};

struct Dockerfile {
  std::vector<ImageReference> references;  ///< external to the file: no stage names, no numbers, not scratch
  std::vector<std::string> stages;         ///< names of its stages, lower case, "" for unnamed
  std::vector<bool> needed;                ///< whether the target needs the stage
};

/// kConfig "FILE:LINE: …" for no FROM at all, or a FROM whose argument is empty after expansion (hint: build_args).
/// `target`: only the stages that it needs count (BuildKit builds no others), without one those of the last stage; a
/// name in any case or a number, kConfig with the near-miss for one the file does not have. Platform args (TARGETARCH,
/// …) are known to the engine only: unless `build_args` sets them they stay in a name as "${TARGETARCH}", and every
/// stage may be meant. `triggered`: names by which triggers (ONBUILD) of images that it is built from ask for stages
/// here, which then are needed, too.
Result<Dockerfile> parse_dockerfile(std::string_view text, std::string_view file_name,
                                    const std::map<std::string, std::string>& build_args,
                                    const std::optional<std::string>& target = std::nullopt,
                                    const std::set<std::string>& triggered = {});

}  // namespace otto::images

// Why an image was, or would be, built: the lines under its own line.
//
//     dockerfile-changed docker/api.Dockerfile
//       - 3: EXPOSE 8080
//       + 3: EXPOSE 8081
//     build-arg-changed VERSION
//   + file-added src/new.c
//   ~ file-changed src/main.c
//   … and 812 more
//
// Pure.
#pragma once

#include <span>
#include <string>

#include "cli/render/style.h"
#include "otto/docker.h"

namespace otto::cli {

/// Causes first, then files: at most 10 of them, all with -v.
std::string render_reasons(std::span<const graph::Reason> reasons, const Style& style);

/// The reasons of an image's verdict; where nothing is stale, what was compared and found unchanged.
std::string render_verdict(const docker::ImageResult& image, const Style& style);

}  // namespace otto::cli

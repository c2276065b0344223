// Why an image was, or would be, built: the lines of --explain under its own line.
//
//     dockerfile-changed
//     build-arg-changed VERSION
//   + file-added src/new.c
//   ~ file-changed src/main.c
//   … and 12 more
//
// Pure.
#pragma once

#include <string>

#include "cli/render/style.h"
#include "otto/docker.h"

namespace otto::cli {

/// With no reason: what was compared and found unchanged. At most 20 files are listed, all of them with -v.
std::string render_reasons(const docker::ImageResult& image, const Style& style);

}  // namespace otto::cli

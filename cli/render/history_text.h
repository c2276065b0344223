// Recorded builds and their reasons as text for people: `otto docker history` and `otto docker explain`.
//
//   2026-11-24T08:40:11Z  api  built   pepper_seed  veggies-api:7fb83dac46c4…  2.8 s  uploaded 10.7 kB (1 file)
//     ~ file-changed src/catalog/tomato.txt
//
//   api  stale  veggies-api:1dda3dc2d00f…
//     ~ file-changed src/catalog/carrot.txt
//     last built 3 minutes ago on pepper_seed as veggies-api:7fb83dac46c4…, because:
//     ~ file-changed src/catalog/tomato.txt
//
// Pure: now is an argument.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "cli/render/style.h"
#include "otto/docker.h"

namespace otto::cli {

std::string render_history(std::span<const docker::RecordedBuild> builds, const Style& style);
std::string render_explanations(std::span<const docker::ExplainReport> reports, std::int64_t now_ms,
                                const Style& style);

}  // namespace otto::cli

// Recorded builds, what was done to services, and the reasons, as text for people: `otto docker history` and
// `otto docker explain`.
//
//   2026-11-24T08:40:14Z  api  recreated  pepper_seed  veggies-api:7fb83dac46c4…
//       image-changed veggies-api (api: file-changed src/catalog/tomato.txt)
//   2026-11-24T08:40:11Z  api  built      pepper_seed  veggies-api:7fb83dac46c4…  2.8 s  uploaded 10.7 kB (1 file)
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

/// One time line, newest first.
std::string render_history(const docker::History& history, const Style& style);
std::string render_explanations(std::span<const docker::ExplainReport> reports, std::int64_t now_ms,
                                const Style& style);

}  // namespace otto::cli

// Dockerfiles of any bytes are parsed or refused, never worse; every reference lies where it says it does.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/images/dockerfile.h"
#include "engine/workspace/names.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* target : {"", "build", "1"}) {
    const auto parsed = otto::images::parse_dockerfile(text, "Dockerfile", {{"BASE", "veggies-base"}}, target);
    if (!parsed) continue;
    for (const otto::images::ImageReference& reference : parsed->references) {
      OTTO_CHECK(!reference.name.empty() && reference.begin < reference.end && reference.end <= size);
      otto::workspace::parse_reference(reference.name);
    }
  }
  return 0;
}

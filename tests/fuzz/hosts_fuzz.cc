// Any bytes as hosts.json: hosts with safe ids or one kConfig error that names the place, never a crash.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/config/hosts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  const auto hosts = otto::config::parse_hosts("/nonexistent/hosts.json", std::move(text));
  if (!hosts.ok()) {
    OTTO_CHECK(hosts.error().message.starts_with("/nonexistent/hosts.json:"));
    return 0;
  }
  for (const otto::config::HostEntry& host : *hosts) {
    OTTO_CHECK(!host.id.empty() && host.id.front() != '-' && host.id.find_first_of(". \t\n/") == std::string::npos);
    OTTO_CHECK(!host.ip.starts_with('-'));
  }
  return 0;
}

#include "cli/render/list_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/render/layout.h"
#include "cli/render/names.h"
#include "cli/render/times.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

constexpr std::size_t kShortId = 12;

std::string short_id(const std::string& id, const Style& style) {
  return one_line(style.short_hashes ? std::string_view(id).substr(0, kShortId) : std::string_view(id));
}

/// These tables are read by people, into a pipe too: whole ids and tags are in the JSON, and with -v or -q.
Style in_short(Style style) {
  style.short_hashes = style.verbose == 0;
  return style;
}

Paint host_paint(HostState state) {
  switch (state) {
    case HostState::kRunning: return Paint::kGreen;
    case HostState::kExited: return Paint::kYellow;
    case HostState::kDeclared:
    case HostState::kUnknown: return Paint::kDim;
  }
  return Paint::kNone;
}

}  // namespace

std::string render_ps(std::span<const docker::HostContainers> hosts, const Style& out) {
  const Style style = in_short(out);
  std::vector<std::vector<Cell>> rows;
  std::string silent;
  for (const docker::HostContainers& host : hosts) {
    if (!host.reachable || host.error) continue;
    if (host.containers.empty()) silent += fmt::format("{}: no containers\n", one_line(host.id));
    for (const docker::ContainerInfo& container : host.containers) {
      rows.push_back({{one_line(host.id)},
                      {short_id(container.id, style)},
                      {one_line(container.host_id.empty() ? container.name : container.host_id), Paint::kBold},
                      {image_reference(container.image, style)},
                      {one_line(container.status)}});
    }
  }
  if (rows.empty()) return silent;
  return table({"HOST", "CONTAINER", "ID OR NAME", "IMAGE", "STATUS"}, rows, style) + silent;
}

void render_context(const docker::ContextListing& listing, const Style& style,
                    const std::function<void(std::string_view)>& print) {
  const auto size_of = [](const graph::ContextEntry& entry) {
    return entry.type == graph::EntryType::kFile ? text::human_size(entry.size) : std::string();
  };
  std::uint64_t files = 0, bytes = 0;
  std::size_t width = 0;
  for (const graph::ContextEntry& entry : listing.manifest.entries) {
    files += entry.type == graph::EntryType::kFile ? 1 : 0;
    bytes += entry.size;
    width = std::max(width, size_of(entry).size());
  }
  TextPieces lines(print);
  for (const graph::ContextEntry& entry : listing.manifest.entries) {
    std::string path = one_line(entry.path);
    if (entry.type == graph::EntryType::kDirectory) path += "/";
    if (entry.type == graph::EntryType::kSymlink) path += " -> " + one_line(entry.target);
    lines.add(fmt::format("{:04o}  {:>{}}{}{}\n", entry.mode, size_of(entry), width, width == 0 ? "" : "  ", path));
  }
  const std::string_view hash = std::string_view(listing.hash).substr(0, style.short_hashes ? kShortId : 40);
  lines.add(fmt::format("{}, {}, hash {}\n", counted(files, "file"), text::human_size(bytes), hash));
}

void render_context_paths(const docker::ContextListing& listing, const std::function<void(std::string_view)>& print) {
  TextPieces lines(print);
  for (const graph::ContextEntry& entry : listing.manifest.entries) lines.add(one_line(entry.path) + "\n");
}

std::string render_hosts(std::span<const HostListing> hosts, std::int64_t now_ms, const Style& out) {
  const Style style = in_short(out);
  std::vector<std::vector<Cell>> rows;
  for (const HostListing& host : hosts) {
    const bool machine = host.kind != HostKind::kContainer;
    const bool unsaid = machine && host.state == HostState::kUnknown;
    rows.push_back({{one_line(host.id), Paint::kBold},
                    {std::string(host_kind_name(host.kind))},
                    {unsaid ? "" : std::string(host_state_name(host.state)), host_paint(host.state)},
                    {host.docker_capable ? "yes" : ""},
                    {image_reference(host.image, style)},
                    {host.last_seen_ms == 0 ? "" : ago(host.last_seen_ms, now_ms)}});
  }
  return table({"ID", "KIND", "STATE", "DOCKER", "IMAGE", "LAST SEEN"}, rows, style);
}

std::string render_lab(std::span<const HostListing> machines, const Style& style) {
  const std::vector<std::string> labs = labs_of(machines);
  const std::string named = labs.empty() ? "no lab" : fmt::format("lab {}", text::join(labs, ", "));
  std::vector<std::vector<Cell>> rows;
  for (const HostListing& host : machines) {
    rows.push_back({{"  " + one_line(host.id), Paint::kBold},
                    {std::string(host_kind_name(host.kind))},
                    {host.docker_capable ? "docker" : ""}});
  }
  return fmt::format("{}: {}\n", one_line(named), counted(machines.size(), "machine")) + table({}, rows, style);
}

std::string render_lines(std::span<const std::string> lines) {
  std::string out;
  for (const std::string& line : lines) out += one_line(line) + "\n";
  return out;
}

}  // namespace otto::cli

// Lists as text for people: containers, hosts, labs, the files of a context. Pure: now is an argument.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "cli/render/style.h"
#include "otto/docker.h"
#include "otto/host.h"

namespace otto::cli {

std::string render_ps(std::span<const docker::HostContainers> hosts, const Style& style);
/// Names the files by mode, size and path; the last line is their number and sum.
/// `print` is given it in pieces: a million files are never one text.
void render_context(const docker::ContextListing& listing, const Style& style,
                    const std::function<void(std::string_view)>& print);
/// Only their paths, one a line; in pieces, too.
void render_context_paths(const docker::ContextListing& listing, const std::function<void(std::string_view)>& print);
std::string render_hosts(std::span<const HostListing> hosts, std::int64_t now_ms, const Style& style);
/// The chosen labs and their machines.
std::string render_lab(std::span<const HostListing> machines, const Style& style);
/// One a line.
std::string render_lines(std::span<const std::string> lines);

}  // namespace otto::cli

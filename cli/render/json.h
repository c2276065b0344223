// The JSON documents, whose fields are stable, from the façade's reports.
//
// Keys and spellings are a promise to scripts: tests check them against that page. One document each, ending in a
// newline; bytes that are no UTF-8 become U+FFFD. The only file of the CLI that writes JSON, but for progress lines.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "otto/docker.h"
#include "otto/doctor.h"
#include "otto/host.h"

namespace otto::cli::json {

/// One report: its object; else {"reports": [...]}. So do the others that take a span.
std::string build(std::span<const docker::BuildReport> reports);
std::string up(std::span<const docker::UpReport> reports);
std::string down(std::span<const docker::DownReport> reports);
std::string ps(std::span<const docker::HostContainers> hosts);
/// {"images": [...]} of one report; of several {"reports": [{"parent", "repo", "images"}…]}.
std::string explain(std::span<const docker::ExplainReport> reports);
std::string history(const docker::History& history);
/// "size" of the whole is the sum over what was removed.
std::string prune(std::span<const docker::PruneReport> reports);
std::string graph(std::span<const docker::GraphReport> reports);
/// {"configuration": [CHECK...], "hosts": [{"id", "checks": [CHECK...]}]}.
std::string doctor(const Diagnosis& diagnosis);
/// `print` is given it in pieces: a million files are never one text, nor one tree.
void context(const docker::ContextListing& listing, const std::function<void(std::string_view)>& print);
std::string hosts(std::span<const HostListing> hosts);
std::string labs(std::span<const std::string> names);
/// {"labs": [...], "hosts": [...]}: the chosen labs and their machines.
std::string lab(std::span<const HostListing> machines);
/// {"host_id", "exit_code", "stdout", "stderr"}.
/// Of output that is no UTF-8 also "stdout_base64", "stderr_base64".
std::string command(std::string_view host_id, const CommandResult& result);
/// {"host_id", "files", "bytes", "duration_ms"}.
std::string transfer(std::string_view host_id, const TransferReport& report);
/// With --dry-run: {"host_id", "sources", "destination"}.
std::string planned_transfer(std::string_view host_id, std::span<const std::string> sources,
                             std::string_view destination);
/// With --dry-run: {"host_id", "commands"}.
std::string planned_commands(std::string_view host_id, std::span<const std::string> commands);
/// A document with "dry_run": true, which every one has that --dry-run prints.
std::string of_dry_run(std::string_view document);
std::string version(std::string_view version);
std::string error(const Error& error);

/// A line of `--progress json`.
std::string progress(const Event& event);

}  // namespace otto::cli::json

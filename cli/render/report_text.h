// What build, up and down did, as text for people.
//
//   base  built   veggies-base:1a2b3c4d5e6f  3.2 s  uploaded 1.4 kB (3 files)
//     ~ file-changed src/main.c
//   api   recreated  pepper_seed.veggies.api  image changed
//
// Nothing to do is one line. Errors of single images are a block of their own (failures), for standard error. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "cli/render/style.h"
#include "otto/docker.h"

namespace otto::cli {

struct ReportView {
  bool explain = false;
  bool dry_run = false;
};

std::string render_build(std::span<const docker::BuildReport> reports, const ReportView& view, const Style& style);
std::string render_up(std::span<const docker::UpReport> reports, const ReportView& view, const Style& style);
std::string render_down(std::span<const docker::DownReport> reports, const ReportView& view, const Style& style);

/// The errors of the parent and of images that failed, one block each; empty: none failed.
std::string render_failures(const docker::BuildReport& report, const Style& style);

Paint paint_of(docker::ImageStatus status);
/// "uploaded 1.4 kB (3 files)"; empty where nothing was.
std::string upload_text(std::uint64_t bytes, std::uint64_t files);

/// The tags that exist now (with dry_run: that would), one a line: `--quiet`.
std::string render_tags(std::span<const docker::BuildReport> reports, bool dry_run);

}  // namespace otto::cli

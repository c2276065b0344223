#include "cli/verbs/invocation.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "cli/render/json.h"
#include "graph/base/text.h"

namespace otto::cli {

namespace {

Result<void> write_file(const std::string& file, std::string_view text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) return {};
  return make_error(ErrorCode::kIo, fmt::format("cannot write the trace '{}': {}", file, std::strerror(errno)),
                    "give --trace a file in a folder that exists and can be written");
}

}  // namespace

Result<WorkspaceOptions> Invocation::workspace_options(const WorkspaceNeeds& needs) const {
  WorkspaceOptions wanted;
  wanted.repo_dirs.assign(options_.repo_dirs.begin(), options_.repo_dirs.end());
  std::error_code failure;
  wanted.cwd = std::filesystem::current_path(failure);
  if (failure) {
    return make_error(ErrorCode::kIo, "the working directory cannot be read: " + failure.message(),
                      "change to a directory that exists");
  }
  if (options_.lab) {
    for (const std::string& name : text::split(*options_.lab, ',')) {
      if (!text::trim(name).empty()) wanted.labs.emplace_back(text::trim(name));
    }
    if (wanted.labs.empty()) return make_error(ErrorCode::kUsage, "option '--lab' names no lab");
  }
  wanted.repo = options_.repo;
  wanted.hop = needs.hop;
  wanted.term = needs.term;
  wanted.need_lab = needs.lab;
  wanted.dry_run = options_.dry_run;
  if (!options_.no_input) {
    wanted.ask_secret = [this](const std::string& prompt) {
      progress_.suspend();
      auto answer = ask_secret(prompt, stop_);
      progress_.resume();
      return answer;
    };
  }
  return wanted;
}

Result<std::unique_ptr<Workspace>> Invocation::open(const WorkspaceNeeds& needs) const {
  OTTO_TRY(const WorkspaceOptions wanted, workspace_options(needs));
  Reporter& reporter = trace_ ? static_cast<Reporter&>(*trace_) : progress_;
  return Workspace::open(wanted, reporter, stop_);
}

Result<void> Invocation::trace_to(const std::string& file) {
  trace_file_ = file;
  OTTO_RETURN_IF_ERROR(write_file(trace_file_, "[]\n"));
  trace_ = std::make_unique<Trace>(progress_, [begun = std::chrono::steady_clock::now()] {
    const auto elapsed = std::chrono::steady_clock::now() - begun;
    return std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()};
  });
  return {};
}

Result<void> Invocation::write_trace() {
  if (!trace_) return {};
  return write_file(trace_file_, trace_->json());
}

void Invocation::print(std::string_view data) {
  progress_.finish();
  printed_ = true;
  streams_.out(data);
}

void Invocation::print_json(const std::string& document) {
  print(options_.dry_run ? json::of_dry_run(document) : document);
}

void Invocation::pass_on(bool is_stderr, std::string_view bytes) { (is_stderr ? streams_.err : streams_.out)(bytes); }

void Invocation::complain(std::string_view text) {
  progress_.finish();
  if (!text.empty()) streams_.err(text);
}

}  // namespace otto::cli

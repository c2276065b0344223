#include "engine/stack/stack_inputs.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "cache/manifest_store.h"
#include "cache/parent_store.h"
#include "engine/compose/stage_layout.h"
#include "engine/context/context_scan.h"
#include "graph/base/whole_file.h"
#include "graph/fingerprint.h"
#include "otto/names.h"

namespace otto::stack {

namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  Reader(workspace::Opened& workspace, const workspace::Target& target) : workspace_(workspace), target_(target) {}

  Result<StackInputs> operator()(const std::optional<std::string>& project, const std::vector<std::string>& services) {
    stack_.project = project.value_or(docker::get_user_compose_project(target_.repo->name));
    std::vector<fs::path> files;
    for (const config::ComposeSettings* compose : target_.composes) files.push_back(compose->path);
    const auto getenv = [this](const char* name) { return workspace_.getenv(name); };
    OTTO_RETURN_IF_ERROR(find_anchor());
    OTTO_TRY(stack_.files,
             compose::read_compose_files(target_.repo->root, files, stack_.project, getenv, stack_.anchor, services));
    stack_.environment = stack_.files.environment;
    for (const compose::StagedPath& path : stack_.files.paths) OTTO_RETURN_IF_ERROR(add(path));
    for (const auto& [path, target] : stack_.files.links) {
      stack_.manifest.entries.push_back({path, graph::EntryType::kSymlink, 0777, 0, 0, {}, target});
    }
    auto& entries = stack_.manifest.entries;
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    entries.erase(
        std::unique(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path == b.path; }),
        entries.end());
    stack_.digest = digest();
    return std::move(stack_);
  }

 private:
  /// By what is remembered of the stage: as a rule the repo's root is its tree, and the first compose file tells so.
  Result<void> find_anchor() {
    OTTO_TRY(cache::Database * memo, workspace_.memo());
    OTTO_TRY(const auto known,
             cache::ParentStore(*memo).stage(target_.host->id, parent::stack_stage_key(stack_.project)));
    if (!known) return {};
    const fs::path& file = first_compose_file(target_);
    std::string at_the_top;
    graph::append_field(at_the_top, "file");
    graph::append_field(at_the_top, file.lexically_relative(target_.repo->root).generic_string());
    if (known->manifest.find(at_the_top) != std::string::npos) return {};  // spares reading all of it
    const auto manifest = graph::parse_manifest(known->manifest);
    if (manifest) stack_.anchor = compose::find_anchor(*manifest, target_.repo->root, file);
    return {};
  }

  Result<void> add(const compose::StagedPath& path) {
    struct stat status {};
    if (stat(path.local.c_str(), &status) != 0) {
      if (!path.required) return {};
      return make_error(
          ErrorCode::kConfig,
          fmt::format("{} does not exist, but a compose file names it (line {})", path.local.string(), path.line),
          "create it, or correct the compose file");
    }
    std::error_code ignored;
    const fs::path real = fs::canonical(path.local, ignored);  // a symlink is staged as what it leads to
    stack_.sources[path.staged] = real.empty() ? path.local : real;
    return S_ISDIR(status.st_mode) ? add_directory(path, status) : add_file(path, status);
  }

  Result<void> add_file(const compose::StagedPath& path, const struct stat& status) {
    const auto bytes = read_whole_file(path.local);
    if (!bytes) {
      return make_error(ErrorCode::kIo, fmt::format("cannot read {}", path.local.string()), "check its permissions");
    }
    graph::ContextEntry entry;
    entry.path = path.staged;
    entry.mode = static_cast<std::uint16_t>(status.st_mode & 07777);
    entry.size = bytes->size();
    entry.mtime_s = status.st_mtim.tv_sec;
    entry.digest = graph::sha256(*bytes);
    if (path.read) stack_.staged[path.staged] = entry.digest;
    stack_.manifest.entries.push_back(std::move(entry));
    return {};
  }

  /// Its own mode counts as those of the directories in it; directories above it are made as they come.
  Result<void> add_directory(const compose::StagedPath& path, const struct stat& status) {
    OTTO_TRY(cache::Database * memo, workspace_.memo());
    cache::ManifestStore store(*memo);
    const std::string key = "stack\n" + path.local.string();
    OTTO_TRY(const auto known, store.load_stats(key));
    context::ScanRequest request;
    request.root = path.local;
    request.special_files = false;  // a socket of this machine means nothing in a container there
    request.known = known ? &*known : nullptr;
    request.key = &memo->change_key();
    request.stop = workspace_.stop();
    OTTO_TRY(context::ScanResult scan, context::scan_context(request));
    if (scan.stats_changed) OTTO_RETURN_IF_ERROR(store.store_stats(key, scan.stats));
    if (path.staged != ".") {
      graph::ContextEntry entry;
      entry.path = path.staged;
      entry.type = graph::EntryType::kDirectory;
      entry.mode = static_cast<std::uint16_t>(status.st_mode & 07777);
      stack_.manifest.entries.push_back(std::move(entry));
    }
    const std::string prefix = path.staged == "." ? "" : path.staged + "/";
    if (path.read) stack_.staged[path.staged] = scan.manifest.hash();
    for (graph::ContextEntry& entry : scan.manifest.entries) {
      entry.path = prefix + entry.path;
      stack_.manifest.entries.push_back(std::move(entry));
    }
    stack_.manifest.texts.adopt(std::move(scan.manifest.texts));
    return {};
  }

  std::string digest() const {
    std::string encoding;
    graph::append_field(encoding, "otto-stack-1");
    for (const std::string& file : stack_.files.files) graph::append_field(encoding, file);
    graph::append_field(encoding, stack_.files.project_directory);
    graph::append_field(encoding, stack_.files.home_directory);
    for (const auto& [path, content] : stack_.staged) {
      graph::append_field(encoding, path);
      graph::append_field(encoding, content.hex());
    }
    for (const compose::ComposeService& service :
         stack_.files.services) {  // they are asked about without their env files
      if (service.idle && service.has_env_file) graph::append_field(encoding, "idle " + service.name);
    }
    graph::append_field(encoding, "variables");
    for (const auto& [name, value] : stack_.environment) {
      graph::append_field(encoding, name);
      graph::append_field(encoding, value);
    }
    return graph::sha256(encoding).hex();
  }

  workspace::Opened& workspace_;
  const workspace::Target& target_;
  StackInputs stack_;
};

}  // namespace

const fs::path& first_compose_file(const workspace::Target& target) { return target.composes.front()->path; }

fs::path StackInputs::locate(const std::string& staged_path) const {
  if (files.links.contains(staged_path)) return {};
  // The nearest staged ancestor is where it was taken from.
  for (std::string prefix = staged_path;;) {
    const auto source = sources.find(prefix);
    if (source != sources.end()) {
      return prefix.size() == staged_path.size() ? source->second
                                                 : source->second / staged_path.substr(prefix.size() + 1);
    }
    const std::size_t slash = prefix.rfind('/');
    if (slash == std::string::npos) break;
    prefix.resize(slash);
  }
  const auto whole = sources.find(".");
  return whole == sources.end() ? fs::path(staged_path) : whole->second / staged_path;
}

Result<std::set<std::string>> services_elsewhere(const workspace::Opened& workspace, const workspace::Target& target) {
  std::set<std::string> names;
  for (const config::ComposeSettings& compose : target.repo->composes) {
    if (std::find(target.composes.begin(), target.composes.end(), &compose) != target.composes.end()) continue;
    OTTO_TRY(const std::vector<compose::ComposeService> services,
             compose::read_compose_builds(target.repo->root, {compose.path},
                                          docker::get_user_compose_project(target.repo->name),
                                          [&](const char* name) { return workspace.getenv(name); }));
    for (const compose::ComposeService& service : services) names.insert(service.name);
  }
  return names;
}

Result<StackInputs> read_stack(workspace::Opened& workspace, const workspace::Target& target,
                               const std::optional<std::string>& project, const std::vector<std::string>& services) {
  return Reader(workspace, target)(project, services);
}

}  // namespace otto::stack

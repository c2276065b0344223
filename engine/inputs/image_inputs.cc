#include "engine/inputs/image_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "cache/manifest_store.h"
#include "engine/inputs/base_images.h"
#include "engine/inputs/dockerfile.h"
#include "engine/inputs/own_images.h"
#include "graph/base/text.h"
#include "otto/docker.h"

namespace otto::inputs {

namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (file) return std::move(bytes).str();
  return make_error(ErrorCode::kIo, fmt::format("cannot read {}", path.string()),
                    "check that it exists and its permissions");
}

/// `path` as every checkout of the repo names it; outside of the repo the absolute path.
std::string name_in_repo(const config::Settings& repo, const fs::path& path) {
  const fs::path relative = path.lexically_normal().lexically_relative(repo.root.lexically_normal());
  if (relative.empty() || *relative.begin() == "..") return path.string();
  return relative.string();
}

class Reader {
 public:
  explicit Reader(const ReadRequest& request) : request_(request), repo_(*request.repo), own_(repo_) {}

  Result<RepoInputs> read() {
    OTTO_RETURN_IF_ERROR(check_names());
    OTTO_RETURN_IF_ERROR(read_dockerfiles());
    OTTO_TRY(const std::vector<graph::NodeId> order, build_order());
    for (const graph::NodeId id : order) {
      const graph::Node& node = inputs_.graph.node(id);
      if (node.kind != graph::NodeKind::kImage) continue;
      ImageInputs image = std::move(read_.at(node.name));
      OTTO_TRY(image.context, context_of(image));
      describe(image);
      inputs_.images.push_back(std::move(image));
    }
    settle_bases(inputs_, {});
    return std::move(inputs_);
  }

 private:
  Result<void> check_names() const {
    std::vector<std::string> names;
    for (const config::ImageSettings& image : repo_.images) names.push_back(image.name);
    for (const std::string& wanted : request_.images) {
      if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
      return make_error(
          ErrorCode::kUnknownName,
          fmt::format("unknown image '{}' in repo '{}'{}", wanted, repo_.name, text::did_you_mean(wanted, names)),
          names.empty() ? "the repo declares no [[docker.images]]" : "the images are: " + text::join(names, ", "));
    }
    return {};
  }

  Result<void> read_dockerfiles() {
    for (const config::ImageSettings& settings : repo_.images) {
      ImageInputs image;
      image.settings = &settings;
      OTTO_TRY(image.dockerfile, read_file(settings.dockerfile));
      OTTO_TRY(const Dockerfile parsed,
               parse_dockerfile(image.dockerfile, settings.dockerfile.string(), settings.build_args, settings.target));
      OTTO_RETURN_IF_ERROR(add_to_graph(image, parsed));
      read_.emplace(settings.name, std::move(image));
    }
    return {};
  }

  Result<void> add_to_graph(ImageInputs& image, const Dockerfile& parsed) {
    graph::Graph& graph = inputs_.graph;
    const graph::NodeId node = graph.add(graph::NodeKind::kImage, image.name());
    graph.add_input(node, graph.add(graph::NodeKind::kDockerfile, name_in_repo(repo_, image.settings->dockerfile)));
    graph.add_input(node, graph.add(graph::NodeKind::kContext, name_in_repo(repo_, image.settings->context)));
    std::map<std::string, std::set<std::string>> upstreams;
    std::set<std::string> external;
    for (const ImageReference& reference : parsed.references) {
      if (const std::string* own = own_.find(reference.name)) {
        upstreams[*own].insert(reference.name);
        graph.add_input(node, graph.add(graph::NodeKind::kImage, *own));
      } else if (const std::string* perhaps = own_.could_mean(reference.name)) {
        return make_error(
            ErrorCode::kConfig,
            fmt::format("{}:{}: '{}' could mean image '{}' of this repo; only the engine knows its platform args",
                        image.settings->dockerfile.string(), reference.line, reference.name, *perhaps),
            fmt::format("give the arg a value in build_args of image '{}'", image.name()));
      } else {
        external.insert(reference.name);
        graph.add_input(node, graph.add(graph::NodeKind::kBaseImage, reference.name));
      }
    }
    for (auto& [name, spelled] : upstreams) image.upstreams.push_back({name, std::move(spelled)});
    image.external.assign(external.begin(), external.end());
    return {};
  }

  Result<std::vector<graph::NodeId>> build_order() {
    std::vector<graph::NodeId> roots;
    for (const config::ImageSettings& image : repo_.images) {
      const auto& wanted = request_.images;
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), image.name) != wanted.end()) {
        roots.push_back(inputs_.graph.add(graph::NodeKind::kImage, image.name));
      }
    }
    auto order = inputs_.graph.closure(roots);
    if (!order.ok()) return std::move(order).error().with_hint("break the circle in " + repo_.file.string());
    return order;
  }

  Result<const Context*> context_of(const ImageInputs& image) {
    OTTO_TRY(const IgnoreFile ignore, find_ignore_file(image.settings->dockerfile, image.settings->context));
    for (const auto& known : inputs_.contexts) {
      // By their bytes: comparing paths part by part costs too much among a thousand contexts.
      const bool same_root = known->root.native() == image.settings->context.native();
      if (same_root && known->ignore_file.native() == ignore.path.native()) return known.get();
    }
    auto context = std::make_unique<Context>();
    context->root = image.settings->context;
    context->name = name_in_repo(repo_, context->root);
    context->ignore_file = ignore.path;
    context->ignore_digest = graph::sha256(ignore.text);
    const std::string ignore_name = ignore.path.empty() ? "" : name_in_repo(repo_, ignore.path);
    context->stage_key = fmt::format("{}-{}", text::to_lower(repo_.name),
                                     graph::sha256(context->name + '\0' + ignore_name).hex().substr(0, 16));
    OTTO_RETURN_IF_ERROR(scan(*context, ignore));
    inputs_.contexts.push_back(std::move(context));
    return static_cast<const Context*>(inputs_.contexts.back().get());
  }

  Result<void> scan(Context& context, const IgnoreFile& ignore) {
    OTTO_TRY(const IgnoreRules rules, IgnoreRules::parse(ignore.text, ignore.path.string()));
    cache::ManifestStore store(*request_.memo);
    const std::string key = context.root.string() + '\n' + context.ignore_file.string();
    OTTO_TRY(const auto known, store.load_stats(key));
    ScanRequest scan;
    scan.root = context.root;
    scan.rules = &rules;
    scan.known = known ? &*known : nullptr;
    scan.key = &request_.memo->change_key();
    scan.stop = request_.stop;
    scan.progress = [&](std::uint64_t files, std::uint64_t bytes) {
      request_.reporter->report({Event::Kind::kPhase, Phase::kScanning, context.name, "", files, bytes, 0});
    };
    OTTO_TRY(context.scan, scan_context(scan));
    for (const std::string& special : context.scan.skipped_special) {
      request_.reporter->report({Event::Kind::kWarning, Phase::kScanning, context.name,
                                 fmt::format("{}: left out, neither file, directory nor symlink", special), 0, 0, 0});
    }
    context.hash = context.scan.manifest.hash();
    if (context.scan.stats_changed) OTTO_RETURN_IF_ERROR(store.store_stats(key, context.scan.stats));
    return {};
  }

  void describe(ImageInputs& image) const {
    const config::ImageSettings& settings = *image.settings;
    graph::FingerprintBuilder& parts = image.parts;
    parts.add(graph::ComponentKind::kDockerfile, name_in_repo(repo_, settings.dockerfile), image.dockerfile);
    parts.add_digest(graph::ComponentKind::kContext, image.context->name, image.context->hash);
    const std::string ignore_name =
        image.context->ignore_file.empty() ? ".dockerignore" : name_in_repo(repo_, image.context->ignore_file);
    parts.explain_only(graph::ComponentKind::kIgnore, ignore_name, image.context->ignore_digest);
    for (const auto& [name, value] : settings.build_args) parts.add(graph::ComponentKind::kBuildArg, name, value);
    if (settings.target) parts.add(graph::ComponentKind::kTarget, "target", *settings.target);
    if (settings.platform) parts.add(graph::ComponentKind::kPlatform, "platform", *settings.platform);
    image.latest = docker::image_latest_tag(repo_.registry_url, repo_.name, settings.name);
    image.repository = image.latest.substr(0, image.latest.rfind(':'));
  }

  const ReadRequest& request_;
  const config::Settings& repo_;
  RepoInputs inputs_;
  const OwnImages own_;
  std::map<std::string, ImageInputs> read_;
};

}  // namespace

const ImageInputs* RepoInputs::find(std::string_view image) const {
  for (const ImageInputs& known : images) {
    if (known.name() == image) return &known;
  }
  return nullptr;
}

Result<RepoInputs> read_images(const ReadRequest& request) { return Reader(request).read(); }

}  // namespace otto::inputs

#include "engine/images/image_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "cache/manifest_store.h"
#include "engine/config/plain_path.h"
#include "engine/images/base_images.h"
#include "engine/images/dockerfile.h"
#include "engine/images/own_images.h"
#include "engine/workspace/names.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::images {

namespace {

namespace fs = std::filesystem;

/// Remembered stats up to this size are fetched for all contexts at once, larger ones when their context is scanned.
constexpr std::size_t kSmallStats = 64 << 10;

/// Of an additional context that is an image.
constexpr std::string_view kImageContext = "docker-image://";

Result<std::string> read_dockerfile(const config::ImageSettings& image) {
  if (image.dockerfile_inline) return *image.dockerfile_inline;
  if (auto bytes = read_whole_file(image.dockerfile)) return std::move(*bytes);
  return make_error(ErrorCode::kIo, fmt::format("cannot read {}", image.dockerfile.string()),
                    "check that it exists and its permissions");
}

/// How every checkout of a repo names its paths.
class RepoNames {
 public:
  explicit RepoNames(const config::Settings& repo)
      : root_(repo.root.lexically_normal()), prefix_(root_.native() + '/') {}

  /// Relative to the root; outside of the repo the absolute path.
  [[nodiscard]] std::string name(const fs::path& path) const {
    const std::string& whole = path.native();
    if (whole.starts_with(prefix_) && config::is_plain_path(whole)) {
      return whole.substr(prefix_.size());
    }
    const fs::path relative = path.lexically_normal().lexically_relative(root_);
    if (relative.empty() || *relative.begin() == "..") return whole;
    return relative.string();
  }

 private:
  fs::path root_;
  std::string prefix_;
};

/// A context that images name: not scanned yet.
struct FoundContext {
  const config::ImageSettings* settings = nullptr;  ///< of the first image that names it
  context::IgnoreFile ignore;
  std::string memo_key;
};

class Reader {
 public:
  explicit Reader(const ReadRequest& request)
      : request_(request), repo_(*request.repo), names_(repo_), own_(repo_), store_(*request.memo) {}

  Result<RepoInputs> read() {
    OTTO_RETURN_IF_ERROR(check_names());
    OTTO_RETURN_IF_ERROR(read_dockerfiles());
    OTTO_TRY(const std::vector<graph::NodeId> order, build_order());
    for (const graph::NodeId id : order) {
      const graph::Node& node = inputs_.graph.node(id);
      if (node.kind == graph::NodeKind::kImage) inputs_.images.push_back(std::move(read_.at(node.name)));
    }
    for (ImageInputs& image : inputs_.images) name(image);
    OTTO_RETURN_IF_ERROR(find_contexts());
    if (request_.before_scan) OTTO_RETURN_IF_ERROR(request_.before_scan(inputs_));
    OTTO_RETURN_IF_ERROR(scan_contexts());
    for (ImageInputs& image : inputs_.images) describe(image);
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

  /// Those that are asked for; an idle one must be named.
  [[nodiscard]] std::vector<std::string> wanted() const {
    if (!request_.images.empty()) return request_.images;
    std::vector<std::string> names;
    for (const config::ImageSettings& image : repo_.images) {
      if (!image.idle) names.push_back(image.name);
    }
    return names;
  }

  /// Of what is wanted and what that is built from; no other image is held to account.
  Result<void> read_dockerfiles() {
    std::vector<std::string> open = wanted();
    for (std::size_t next = 0; next < open.size(); ++next) {
      if (read_.contains(open[next])) continue;
      const auto settings = std::ranges::find(repo_.images, open[next], &config::ImageSettings::name);
      if (settings->trouble) return *settings->trouble;
      ImageInputs image;
      image.settings = &*settings;
      OTTO_TRY(image.dockerfile, read_dockerfile(*settings));
      OTTO_TRY(const Dockerfile parsed, parse(image));
      OTTO_RETURN_IF_ERROR(add_to_graph(image, parsed));
      for (const Upstream& upstream : image.upstreams) open.push_back(upstream.image);
      read_.emplace(settings->name, std::move(image));
    }
    return {};
  }

  /// With the stages that are needed because triggers of the repo's images ask for them.
  Result<Dockerfile> parse(ImageInputs& image) {
    const auto parse_with = [&](const std::set<std::string>& triggered) {
      return parse_dockerfile(image.dockerfile, image.settings->dockerfile.string(), image.settings->build_args,
                              image.settings->target, triggered);
    };
    for (std::size_t known = 0;; known = image.triggered.size()) {  // a stage that joins may have a base with triggers
      OTTO_TRY(Dockerfile parsed, parse_with(image.triggered));
      for (const ImageReference& reference : parsed.references) {
        const std::string* own =
            reference.kind == ReferenceKind::kFrom ? own_.find(meant(image, reference.name), image.name()) : nullptr;
        if (own == nullptr) continue;
        for (const std::string& name : triggers_of(*own)) {
          const bool is_stage = std::ranges::find(parsed.stages, text::to_lower(name)) != parsed.stages.end();
          if (is_stage) image.triggered.insert(name);
        }
      }
      if (image.triggered.size() == known) return parsed;
    }
  }

  /// A reference, or the image of the additional context that takes its place.
  static std::string meant(const ImageInputs& image, const std::string& reference) {
    const auto context = image.settings->build_options.find({"build-context", reference});
    if (context == image.settings->build_options.end()) return reference;
    return context->second.starts_with(kImageContext) ? context->second.substr(kImageContext.size()) : context->second;
  }

  /// Names that ONBUILD instructions of an image copy or mount from. What cannot be read is told when it is its turn.
  [[nodiscard]] std::set<std::string> triggers_of(const std::string& name) const {
    const auto settings = std::ranges::find(repo_.images, name, &config::ImageSettings::name);
    const auto text = settings->trouble ? Result<std::string>(*settings->trouble) : read_dockerfile(*settings);
    if (!text.ok()) return {};
    const auto parsed = parse_dockerfile(*text, settings->dockerfile.string(), settings->build_args, settings->target);
    std::set<std::string> names;
    for (const ImageReference& reference : parsed.ok() ? parsed->references : std::vector<ImageReference>()) {
      if (reference.trigger) names.insert(reference.name);
    }
    return names;
  }

  Result<void> add_to_graph(ImageInputs& image, const Dockerfile& parsed) {
    graph::Graph& graph = inputs_.graph;
    const graph::NodeId node = graph.add(graph::NodeKind::kImage, image.name());
    graph.add_input(node, graph.add(graph::NodeKind::kDockerfile, names_.name(image.settings->dockerfile)));
    graph.add_input(node, graph.add(graph::NodeKind::kContext, names_.name(image.settings->context)));
    std::map<std::string, std::set<std::string>> upstreams;
    std::set<std::string> external;
    const auto replaced = [&](const std::string& name) {
      return image.settings->build_options.contains({"build-context", name});
    };
    for (const ImageReference& reference : parsed.references) {
      if (replaced(reference.name)) continue;
      if (const std::string* own = own_.find(reference.name, image.name())) {
        upstreams[*own].insert(reference.name);
        graph.add_input(node, graph.add(graph::NodeKind::kImage, *own));
      } else if (reference.trigger) {
        continue;  // a stage of whatever is built from this one, or an image that its build will ask for
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
    for (const auto& [option, value] : image.settings->build_options) {
      if (option.first != "build-context" || !value.starts_with(kImageContext)) continue;
      const std::string reference = value.substr(kImageContext.size());
      if (const std::string* own = own_.find(reference, image.name())) {
        image.own_contexts.emplace(option.second, *own);
        upstreams[*own];  // the Dockerfile calls it by the context's name
        graph.add_input(node, graph.add(graph::NodeKind::kImage, *own));
      } else {
        external.insert(reference);
        graph.add_input(node, graph.add(graph::NodeKind::kBaseImage, reference));
      }
    }
    for (auto& [name, spelled] : upstreams) image.upstreams.push_back({name, std::move(spelled)});
    image.external.assign(external.begin(), external.end());
    return {};
  }

  Result<std::vector<graph::NodeId>> build_order() {
    std::vector<graph::NodeId> roots;
    for (const config::ImageSettings& image : repo_.images) {
      if (read_.contains(image.name)) roots.push_back(inputs_.graph.add(graph::NodeKind::kImage, image.name));
    }
    auto order = inputs_.graph.closure(roots);
    if (!order.ok()) return std::move(order).error().with_hint("break the circle in " + repo_.file.string());
    return order;
  }

  void name(ImageInputs& image) const {
    image.latest = docker::image_latest_tag(repo_.registry_url, repo_.name, image.name());
    image.repository = image.latest.substr(0, image.latest.rfind(':'));
  }

  Result<void> find_contexts() {
    std::unordered_map<std::string, std::size_t> by_key;
    for (const ImageInputs& image : inputs_.images) {
      FoundContext found{image.settings, {}, {}};
      OTTO_TRY(found.ignore, context::find_ignore_file(image.settings->dockerfile, image.settings->context));
      found.memo_key = image.settings->context.native() + '\n' + found.ignore.path.native();
      const auto [at, first] = by_key.try_emplace(found.memo_key, found_.size());
      context_of_image_.push_back(at->second);
      if (first) found_.push_back(std::move(found));
    }
    return {};
  }

  /// Each once, in build order.
  Result<void> scan_contexts() {
    std::vector<std::string_view> keys;
    for (const FoundContext& found : found_) keys.push_back(found.memo_key);
    OTTO_TRY(cache::StatsByContext known, store_.load_small_stats(keys, kSmallStats));
    for (const FoundContext& found : found_) {
      auto context = std::make_unique<Context>();
      context->root = found.settings->context;
      context->name = names_.name(context->root);
      context->ignore_file = found.ignore.path;
      context->ignore_digest = graph::sha256(found.ignore.text);
      const std::string ignore_name = found.ignore.path.empty() ? "" : names_.name(found.ignore.path);
      context->stage_key = fmt::format("{}-{}", text::to_lower(repo_.name),
                                       graph::sha256(context->name + '\0' + ignore_name).hex().substr(0, 16));
      const auto small = known.find(found.memo_key);
      OTTO_TRY(auto stats,
               small != known.end() ? std::optional(std::move(small->second)) : store_.load_stats(found.memo_key));
      OTTO_RETURN_IF_ERROR(scan(*context, found, std::move(stats)));
      inputs_.contexts.push_back(std::move(context));
    }
    for (std::size_t i = 0; i < inputs_.images.size(); ++i) {
      inputs_.images[i].context = inputs_.contexts[context_of_image_[i]].get();
    }
    return {};
  }

  Result<void> scan(Context& context, const FoundContext& found, std::optional<cache::StatManifest> known) {
    OTTO_TRY(const context::IgnoreRules rules,
             context::IgnoreRules::parse(found.ignore.text, found.ignore.path.string()));
    context::ScanRequest scan;
    scan.root = context.root;
    scan.rules = &rules;
    scan.known = known ? &*known : nullptr;
    scan.key = &request_.memo->change_key();
    scan.stop = request_.stop;
    scan.progress = [&](std::uint64_t files, std::uint64_t bytes) {
      request_.reporter->report(Event::in_phase(Phase::kScanning, context.name, "", files, bytes));
    };
    request_.reporter->report(Event::in_phase(Phase::kScanning, context.name));
    auto scanned = context::scan_context(scan);
    request_.reporter->left(context.name);
    OTTO_TRY(context.scan, std::move(scanned));
    known.reset();  // it is as large as what comes next
    context.hash = context.scan.manifest.hash();
    if (context.scan.stats_changed) remember(found.memo_key, context);
    std::string().swap(context.scan.stats);
    return {};
  }

  /// A memo that cannot be written costs the next scan its speed, this one nothing.
  void remember(const std::string& memo_key, const Context& context) {
    const auto stored = store_.store_stats(memo_key, context.scan.stats);
    if (stored.ok()) return;
    request_.reporter->report(Event::warning(Phase::kScanning, context.name,
                                             fmt::format("the scan is not remembered: {}", stored.error().message)));
  }

  void describe(ImageInputs& image) const {
    const config::ImageSettings& settings = *image.settings;
    graph::FingerprintBuilder& parts = image.parts;
    parts.add(graph::ComponentKind::kDockerfile, names_.name(settings.dockerfile), image.dockerfile);
    parts.add_digest(graph::ComponentKind::kContext, image.context->name, image.context->hash);
    const std::string ignore_name =
        image.context->ignore_file.empty() ? ".dockerignore" : names_.name(image.context->ignore_file);
    parts.explain_only(graph::ComponentKind::kIgnore, ignore_name, image.context->ignore_digest);
    for (const auto& [name, value] : settings.build_args) parts.add(graph::ComponentKind::kBuildArg, name, value);
    for (const auto& [option, value] : settings.build_options) {
      const std::string name = option.second.empty() ? "" : " " + option.second;
      parts.add(graph::ComponentKind::kOption, "--" + option.first + name, value);
    }
    for (const auto& [id, secret] : settings.build_secrets) {
      parts.add(graph::ComponentKind::kOption, "--secret " + id, "");  // as for the builder, what it holds is no input
    }
    if (settings.target) parts.add(graph::ComponentKind::kTarget, *settings.target, *settings.target);
    if (settings.platform) parts.add(graph::ComponentKind::kPlatform, *settings.platform, *settings.platform);
  }

  const ReadRequest& request_;
  const config::Settings& repo_;
  const RepoNames names_;
  const OwnImages own_;
  cache::ManifestStore store_;
  RepoInputs inputs_;
  std::unordered_map<std::string, ImageInputs> read_;
  std::vector<FoundContext> found_;
  std::vector<std::size_t> context_of_image_;  ///< index in `found_`, for each of `inputs_.images`
};

}  // namespace

const ImageInputs* RepoInputs::find(std::string_view image) const {
  for (const ImageInputs& known : images) {
    if (known.name() == image) return &known;
  }
  return nullptr;
}

Result<RepoInputs> read_images(const ReadRequest& request) { return Reader(request).read(); }

}  // namespace otto::images

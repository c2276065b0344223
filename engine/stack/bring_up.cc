#include "engine/stack/bring_up.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "cache/build_store.h"
#include "engine/images/early_stages.h"
#include "engine/images/image_probe.h"
#include "engine/images/image_run.h"
#include "engine/stack/service_images.h"
#include "engine/stack/stack_plan.h"
#include "engine/stack/stack_run.h"
#include "engine/workspace/targets.h"
#include "graph/drive.h"

namespace otto::stack {

namespace {

using docker::ImageResult;
using docker::ImageStatus;
using docker::UpOptions;
using docker::UpReport;

/// One repo's stack on one parent, from reading the inputs to the report.
class Up {
 public:
  Up(const workspace::Target& target, const UpSources& sources, const UpOptions& options)
      : target_(target), sources_(sources), options_(options) {}

  Result<UpReport> operator()() {
    for (;;) {
      OTTO_TRY(std::optional<UpReport> report, attempt());
      if (report) return std::move(*report);
      std::ranges::copy_if(report_.build.images, std::back_inserter(built_), is_built);
    }
  }

 private:
  /// nullopt: another otto was at work on the project in between. All is read anew, once, because the turn is held now.
  Result<std::optional<UpReport>> attempt() {
    report_ = {};
    images_ = {};
    inputs_ = {};
    report_.build.parent = target_.host->id;
    report_.build.repo = target_.repo->name;
    if (target_.composes.empty()) {
      return make_error(ErrorCode::kConfig, target_.repo->file.string() + ": no [[docker.composes]] to bring up",
                        "declare a compose file there, or use `otto docker build`");
    }
    OTTO_TRY(const StackInputs stack, sources_.stack());
    report_.project = stack.project;
    OTTO_RETURN_IF_ERROR(check_services(stack));
    OTTO_TRY(parent::ParentSession session, sources_.session());
    OTTO_TRY(model_, remembered_model(session.memo(), target_, stack));
    if (options_.build && images_are_known()) OTTO_RETURN_IF_ERROR(read_images(session, stack));
    const auto connected = session.connect();
    if (!connected.ok() && options_.dry_run && workspace::is_connection_error(connected.error().code)) {
      report_.build.parent_reachable = false;
      report_.build.error = connected.error();
      OTTO_RETURN_IF_ERROR(images::settle_from_memo(session.memo(), *target_.repo, inputs_));
      report_.build.images = images::unknown_results(inputs_);
      return std::optional(std::move(report_));
    }
    OTTO_RETURN_IF_ERROR(connected);
    return bring_up(session, stack);
  }

  /// Told from the files alone, before anything is built.
  Result<void> check_services(const StackInputs& stack) const {
    std::vector<std::string> names;
    for (const compose::ComposeService& service : stack.files.services) names.push_back(service.name);
    for (const std::string& wanted : options_.services) {
      if (std::ranges::find(names, wanted) == names.end()) return unknown_service(wanted, names);
    }
    return {};
  }

  Result<std::optional<UpReport>> bring_up(parent::ParentSession& session, const StackInputs& stack) {
    StackStage stage(session, stack, turn_);
    if (options_.build && !images_are_known()) {
      OTTO_TRY(const parent::Probe probe, session.probe({.compose_project = stack.project}));
      OTTO_RETURN_IF_ERROR(check_account(session, stack.project, probe.containers));
      OTTO_TRY(const bool still_true, turn_.take(session, stack.project, probe));  // the files are brought there
      if (!still_true) return std::optional<UpReport>();
      OTTO_TRY(model_, stage.ask_model());
      OTTO_RETURN_IF_ERROR(read_images(session, stack));
    }
    OTTO_TRY(parent::ProbeRequest wanted, probe_request(session, stack, inputs_));
    const images::ImageRunRequest image_request = run_request();
    OTTO_TRY(const auto early, images::EarlyStages::begin(session, inputs_, image_request));
    OTTO_TRY(parent::Probe probe, session.probe(std::move(wanted)));
    OTTO_RETURN_IF_ERROR(check_account(session, stack.project, probe.containers));
    images_.ids = probe.image_ids;
    images::settle_from_probe(inputs_, probe);
    images::ImageRule image_rule(session, inputs_, probe, image_request, *early);
    if (options_.build) OTTO_RETURN_IF_ERROR(image_rule.judge());
    if (will_build(image_rule)) turn_.prepare(session, stack.project);
    const StackRunRequest request = stack_request();
    StackRule rule(session, stack, stage, turn_, request, std::move(model_), probe);
    OTTO_RETURN_IF_ERROR(drive(session, image_rule, rule));
    if (report_.build.failures() > 0) return std::optional(std::move(report_));  // the running stack stays as it is
    if (rule.begins_anew()) return std::optional<UpReport>();
    auto finished = rule.finish();
    if (!finished.ok()) static_cast<void>(session.forget_facts());  // what the parent's tools can do may be why
    OTTO_TRY(report_.services, std::move(finished));
    report_.staged_files = stage.sent_files();
    return std::optional(std::move(report_));
  }

  /// One schedule: images and what they are made from; behind all images the stack, its files, services, containers.
  Result<void> drive(parent::ParentSession& session, images::ImageRule& image_rule, StackRule& rule) {
    graph::Graph& graph = report_.build.graph = inputs_.graph;
    std::vector<graph::NodeId> nodes = options_.build ? image_rule.nodes() : std::vector<graph::NodeId>();
    const auto images = options_.build ? image_rule.images() : std::vector<graph::NodeId>();
    for (const graph::NodeId node : rule.add_to(graph, images)) nodes.push_back(node);
    auto rules = rule.rules([&] {
      if (options_.build) take_images(image_rule.so_far());
      return images_;
    });
    rules.merge(image_rule.rules());
    report_.build.outcomes = graph::drive(graph, nodes, graph::by_kind(graph, std::move(rules)),
                                          images::drive_options(run_request(), session.stop()));
    session.reporter().driven(graph, report_.build.outcomes);
    if (rule.failure() && !rule.begins_anew()) {
      static_cast<void>(session.forget_facts());  // what the parent's tools can do may be why
      return *rule.failure();
    }
    if (session.stop().stop_requested()) return rule.interrupted();
    if (!options_.build) return {};
    OTTO_TRY(std::vector<ImageResult> results, image_rule.results(report_.build.outcomes));
    take_images(std::move(results));
    return {};
  }

  [[nodiscard]] bool will_build(const images::ImageRule& images) const {
    return options_.build && !options_.dry_run &&
           std::ranges::find(images.so_far(), ImageStatus::kStale, &ImageResult::status) != images.so_far().end();
  }

  [[nodiscard]] StackRunRequest stack_request() const {
    StackRunRequest request;
    request.services = options_.services;
    request.wait = options_.wait;
    request.remove_orphans = options_.remove_orphans;
    request.dry_run = options_.dry_run;
    request.builds = options_.build;
    request.timeout_s = options_.timeout_s;
    request.services_elsewhere = sources_.services_elsewhere;
    return request;
  }

  /// Of images that need not be scanned.
  Result<parent::ProbeRequest> probe_request(parent::ParentSession& session, const StackInputs& stack,
                                             const images::RepoInputs& images) {
    OTTO_RETURN_IF_ERROR(pin_last_builds(session, images));
    parent::ProbeRequest wanted = images::probe_request(images, run_request());
    for (const auto& [image, tag] : images_.tags) wanted.images.push_back(tag);
    if (model_) {
      for (std::string& image : ServiceImages(*target_.repo, stack).external(*model_)) {
        wanted.images.push_back(std::move(image));
      }
    }
    wanted.compose_project = stack.project;
    return wanted;
  }

  [[nodiscard]] images::ImageRunRequest run_request() const {
    images::ImageRunRequest request;
    request.jobs = options_.jobs;
    request.keep_going = options_.keep_going;
    request.dry_run = options_.dry_run;
    request.pull = options_.pull;
    return request;
  }

  /// Those that an earlier attempt has built are told as built.
  void take_images(std::vector<ImageResult> results) {
    report_.build.images = std::move(results);
    for (ImageResult& image : report_.build.images) {
      const auto before = std::ranges::find(built_, image.tag, &ImageResult::tag);
      if (before != built_.end() && !is_built(image) && !image.error) image = *before;
    }
    images_.rebuilt_later.clear();
    for (const ImageResult& image : report_.build.images) {
      images_.tags[image.name] = image.tag;
      if (!image.image_id.empty()) images_.ids[image.tag] = image.image_id;
      if (image.status == ImageStatus::kStale) images_.rebuilt_later.push_back(image.tag);
      images_.reasons[image.name] = image.reasons;
      if (is_built(image)) images_.built.insert(image.name);
    }
  }

  static bool is_built(const ImageResult& image) { return image.status == ImageStatus::kBuilt; }

  /// Which images the named services need is the model's to say; a dry run that has none judges all.
  [[nodiscard]] bool images_are_known() const { return options_.services.empty() || model_ || options_.dry_run; }

  /// All of the repo, or those that the named services run. The parent is asked while their contexts are scanned.
  Result<void> read_images(parent::ParentSession& session, const StackInputs& stack) {
    std::vector<std::string> names;
    if (!options_.services.empty() && model_) {
      OTTO_TRY(const std::set<std::string> services, wanted_services(*model_, options_.services));
      names = ServiceImages(*target_.repo, stack).own_of(*model_, services);
      if (names.empty()) return {};
    }
    const auto ask_early = [&](const images::RepoInputs& images) -> Result<void> {
      OTTO_TRY(parent::ProbeRequest wanted, probe_request(session, stack, images));
      return session.ask_early(std::move(wanted));
    };
    OTTO_TRY(inputs_, sources_.images(names, ask_early));
    report_.build.graph = inputs_.graph;
    return {};
  }

  /// What is not built now is what was last built for this project on this parent.
  Result<void> pin_last_builds(parent::ParentSession& session, const images::RepoInputs& built_now) {
    for (const config::ImageSettings& image : target_.repo->images) {
      if (built_now.find(image.name) != nullptr) continue;
      OTTO_TRY(const auto last,
               cache::BuildStore(session.memo()).last_build(target_.repo->name, image.name, target_.host->id));
      if (last) images_.tags[image.name] = last->tag;
    }
    return {};
  }

  const workspace::Target& target_;
  const UpSources& sources_;
  const UpOptions& options_;
  StackTurn turn_;
  std::vector<ImageResult> built_;  // by earlier attempts
  UpReport report_;
  std::optional<StackModel> model_;
  images::RepoInputs inputs_;
  PinnedImages images_;
};

}  // namespace

Result<docker::UpReport> bring_up(const workspace::Target& target, const UpSources& sources,
                                  const docker::UpOptions& options) {
  return Up(target, sources, options)();
}

}  // namespace otto::stack

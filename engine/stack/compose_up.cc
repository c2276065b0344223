// compose_up, composed: the façade's way to a running stack.

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "cache/build_store.h"
#include "engine/images/command.h"
#include "engine/images/image_probe.h"
#include "engine/images/image_run.h"
#include "engine/stack/service_images.h"
#include "engine/stack/stack_plan.h"
#include "engine/stack/stack_run.h"
#include "graph/base/text.h"

namespace otto::docker {

namespace {

Error unknown_service(std::string_view service, const std::vector<std::string>& names) {
  return make_error(ErrorCode::kUnknownName,
                    "unknown service '" + text::printable(service) + "'" + text::did_you_mean(service, names),
                    names.empty() ? "the stack has no services" : "the services are: " + text::join(names, ", "));
}

/// One repo's stack on one parent, from reading the inputs to the report.
class Up {
 public:
  Up(Workspace& workspace, const execute::Target& target, const UpOptions& options)
      : workspace_(workspace), target_(target), options_(options) {}

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
    OTTO_TRY(const execute::StackInputs stack, execute::read_stack(workspace_, target_, options_.project));
    report_.project = stack.project;
    OTTO_RETURN_IF_ERROR(check_services(stack));
    OTTO_TRY(execute::ParentSession session, execute::ParentSession::begin(workspace_, target_));
    OTTO_TRY(model_, execute::remembered_model(session.memo(), target_, stack));
    if (options_.build && images_are_known()) OTTO_RETURN_IF_ERROR(read_images(session, stack));
    const auto connected = session.connect();
    if (!connected.ok() && options_.dry_run && execute::is_connection_error(connected.error().code)) {
      report_.build.parent_reachable = false;
      report_.build.error = connected.error();
      OTTO_RETURN_IF_ERROR(execute::settle_from_memo(workspace_, *target_.repo, inputs_));
      report_.build.images = execute::unknown_results(inputs_);
      return std::optional(std::move(report_));
    }
    OTTO_RETURN_IF_ERROR(connected);
    return bring_up(session, stack);
  }

  /// Told from the files alone, before anything is built.
  Result<void> check_services(const execute::StackInputs& stack) const {
    std::vector<std::string> names;
    for (const inputs::ComposeService& service : stack.files.services) names.push_back(service.name);
    for (const std::string& wanted : options_.services) {
      if (std::ranges::find(names, wanted) == names.end()) return unknown_service(wanted, names);
    }
    return {};
  }

  Result<std::optional<UpReport>> bring_up(execute::ParentSession& session, const execute::StackInputs& stack) {
    execute::StackStage stage(session, stack);
    if (options_.build && !images_are_known()) {
      OTTO_TRY(const Probe probe, session.probe({.compose_project = stack.project}));
      OTTO_RETURN_IF_ERROR(execute::check_account(session, stack.project, probe.containers));
      OTTO_TRY(const bool still_true, turn_.take(session, stack.project, probe));  // the files are brought there
      if (!still_true) return std::optional<UpReport>();
      OTTO_TRY(model_, stage.ask_model());
      OTTO_RETURN_IF_ERROR(read_images(session, stack));
    }
    OTTO_TRY(ProbeRequest wanted, probe_request(session, stack, inputs_));
    OTTO_TRY(Probe probe, session.probe(std::move(wanted)));
    OTTO_RETURN_IF_ERROR(execute::check_account(session, stack.project, probe.containers));
    images_.ids = probe.image_ids;
    if (options_.build) {
      OTTO_RETURN_IF_ERROR(build(session, probe));
      if (report_.build.failures() > 0) return std::optional(std::move(report_));  // the running stack stays as it is
    }
    OTTO_TRY(execute::StackRunResult run, execute::run_stack(session, stack, stage, turn_, std::move(model_),
                                                             std::move(probe), images_, stack_request()));
    if (run.begin_anew) return std::optional<UpReport>();
    report_.services = std::move(run.services);
    report_.staged_files = stage.sent_files();
    return std::optional(std::move(report_));
  }

  [[nodiscard]] execute::StackRunRequest stack_request() const {
    execute::StackRunRequest request;
    request.services = options_.services;
    request.wait = options_.wait;
    request.remove_orphans = options_.remove_orphans;
    request.dry_run = options_.dry_run;
    request.builds = options_.build;
    request.timeout_s = options_.timeout_s;
    return request;
  }

  /// Of images that need not be scanned.
  Result<ProbeRequest> probe_request(execute::ParentSession& session, const execute::StackInputs& stack,
                                     const inputs::RepoInputs& images) {
    OTTO_RETURN_IF_ERROR(pin_last_builds(session, images));
    ProbeRequest wanted = execute::probe_request(images, run_request());
    for (const auto& [image, tag] : images_.tags) wanted.images.push_back(tag);
    if (model_) {
      for (std::string& image : execute::ServiceImages(*target_.repo, stack).external(*model_)) {
        wanted.images.push_back(std::move(image));
      }
    }
    wanted.compose_project = stack.project;
    return wanted;
  }

  [[nodiscard]] execute::ImageRunRequest run_request() const {
    execute::ImageRunRequest request;
    request.jobs = options_.jobs;
    request.keep_going = options_.keep_going;
    request.dry_run = options_.dry_run;
    request.pull = options_.pull;
    return request;
  }

  Result<void> build(execute::ParentSession& session, const Probe& probe) {
    OTTO_TRY(report_.build.images, execute::run_images(session, inputs_, probe, run_request()));
    for (ImageResult& image : report_.build.images) {
      const auto before = std::ranges::find(built_, image.tag, &ImageResult::tag);
      if (before != built_.end() && !is_built(image) && !image.error) image = *before;
    }
    for (const ImageResult& image : report_.build.images) {
      images_.tags[image.name] = image.tag;
      if (!image.image_id.empty()) images_.ids[image.tag] = image.image_id;
      if (image.status == ImageStatus::kStale) images_.rebuilt_later.push_back(image.tag);
    }
    return {};
  }

  static bool is_built(const ImageResult& image) { return image.status == ImageStatus::kBuilt; }

  /// Which images the named services need is the model's to say; a dry run that has none judges all.
  [[nodiscard]] bool images_are_known() const { return options_.services.empty() || model_ || options_.dry_run; }

  /// All of the repo, or those that the named services run. The parent is asked while their contexts are scanned.
  Result<void> read_images(execute::ParentSession& session, const execute::StackInputs& stack) {
    std::vector<std::string> names;
    if (!options_.services.empty() && model_) {
      OTTO_TRY(const std::set<std::string> services, plan::wanted_services(*model_, options_.services));
      names = execute::ServiceImages(*target_.repo, stack).own_of(*model_, services);
      if (names.empty()) return {};
    }
    const auto ask_early = [&](const inputs::RepoInputs& images) -> Result<void> {
      OTTO_TRY(ProbeRequest wanted, probe_request(session, stack, images));
      return session.ask_early(std::move(wanted));
    };
    OTTO_TRY(inputs_, execute::read_repo_images(workspace_, *target_.repo, names, ask_early));
    report_.build.graph = inputs_.graph;
    return {};
  }

  /// What is not built now is what was last built for this project on this parent.
  Result<void> pin_last_builds(execute::ParentSession& session, const inputs::RepoInputs& built_now) {
    for (const config::ImageSettings& image : target_.repo->images) {
      if (built_now.find(image.name) != nullptr) continue;
      OTTO_TRY(const auto last,
               cache::BuildStore(session.memo()).last_build(target_.repo->name, image.name, target_.host->id));
      if (last) images_.tags[image.name] = last->tag;
    }
    return {};
  }

  Workspace& workspace_;
  const execute::Target& target_;
  const UpOptions& options_;
  execute::StackTurn turn_;
  std::vector<ImageResult> built_;  // by earlier attempts
  UpReport report_;
  std::optional<StackModel> model_;
  inputs::RepoInputs inputs_;
  execute::PinnedImages images_;
};

UpReport failed_report(const execute::Target& target, Error error) {
  UpReport report;
  report.build.parent = target.host->id;
  report.build.repo = target.repo->name;
  report.build.parent_reachable = !execute::is_connection_error(error.code);
  report.build.error = std::move(error);
  return report;
}

}  // namespace

Result<std::vector<UpReport>> compose_up(Workspace& workspace, const UpOptions& options) {
  OTTO_TRY(std::vector<execute::Target> targets, execute::choose_targets(workspace, options.on));
  if (options.repo) std::erase_if(targets, [&](const auto& target) { return target.repo->name != *options.repo; });
  // Repos without a stack have nothing to bring up, unless there is no other.
  const bool any =
      std::any_of(targets.begin(), targets.end(), [](const auto& target) { return !target.composes.empty(); });
  if (any) std::erase_if(targets, [](const execute::Target& target) { return target.composes.empty(); });
  return execute::for_each_target<UpReport>(
      workspace, targets, [&](const execute::Target& target) { return Up(workspace, target, options)(); },
      failed_report);
}

Composed::Composed(Workspace& workspace, std::vector<UpReport> reports, bool tear_down, DownOptions down)
    : workspace_(&workspace), reports_(std::move(reports)), tear_down_(tear_down), down_(std::move(down)) {}

Composed::Composed(Composed&& other) noexcept
    : workspace_(std::exchange(other.workspace_, nullptr)),
      reports_(std::move(other.reports_)),
      tear_down_(std::exchange(other.tear_down_, false)),
      down_(std::move(other.down_)) {}

Composed::~Composed() {
  if (!tear_down_) return;
  const auto warn = [this](const Error& error) {
    workspace_->reporter().report({Event::Kind::kWarning, Phase::kStopping, "", error.message, 0, 0, 0});
  };
  const auto down = compose_down(*workspace_, down_);
  if (!down.ok()) {
    warn(down.error());
    return;
  }
  for (const DownReport& report : *down) {
    if (report.error) warn(*report.error);
  }
}

Result<std::unique_ptr<Host>> Composed::operator[](std::string_view service) const {
  std::vector<std::string> names;
  for (const UpReport& report : reports_) {
    for (const ServiceResult& known : report.services) {
      if (known.service == service) return get_container_host(*workspace_, known.host_id);
      names.push_back(known.service);
    }
  }
  return unknown_service(service, names);
}

Result<Composed> composed(Workspace& workspace, const ComposedOptions& options) {
  OTTO_TRY(std::vector<UpReport> reports, compose_up(workspace, options.up));
  bool was_up = true;
  for (const UpReport& report : reports) {
    if (report.build.failures() > 0) {
      for (const ImageResult& image : report.build.images) {
        if (image.error) return *image.error;
      }
      return *report.build.error;
    }
    for (const ServiceResult& service : report.services) {
      was_up = was_up && (service.action == ServiceAction::kUnchanged || service.action == ServiceAction::kRecreated ||
                          service.action == ServiceAction::kCompleted);
    }
  }
  DownOptions down;
  down.on = options.up.on;
  down.project = options.up.project;
  return Composed(workspace, std::move(reports), options.own || !was_up, std::move(down));
}

}  // namespace otto::docker

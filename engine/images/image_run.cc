#include "engine/images/image_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>

#include "cache/build_store.h"
#include "cache/manifest_store.h"
#include "cache/parent_store.h"
#include "engine/images/base_images.h"
#include "engine/images/build_request.h"
#include "engine/images/built_record.h"
#include "engine/images/early_stages.h"
#include "engine/images/image_evidence.h"
#include "engine/images/image_probe.h"
#include "engine/images/input_verdicts.h"
#include "graph/base/clock.h"

namespace otto::images {

namespace {

// Another writer may take the stage over between staging and building, once for each of its own builds: so somebody
// always gets on, and so many in a row mean that something else is wrong.
constexpr int kStageAttempts = 20;

/// Errors that concern the whole parent, not one image.
bool ends_run(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInputsChanged:
    case ErrorCode::kConnectionLost:
    case ErrorCode::kInterrupted:
    case ErrorCode::kDockerMissing:
    case ErrorCode::kDockerDenied:
    case ErrorCode::kDatabase: return true;
    default: return false;
  }
}

}  // namespace

class ImageRule::Run {
 public:
  Run(parent::ParentSession& session, const RepoInputs& images, const parent::Probe& probe,
      const ImageRunRequest& request, EarlyStages& early)
      : session_(session),
        early_(early),
        inputs_(images),
        images_(images.images),
        probe_(probe),
        request_(request),
        evidence_(session.memo(), session.target(), probe, request.pull),
        results_(images_.size()),
        started_(images_.size()),
        found_(images_.size()),
        fetched_bases_(images_.size()) {}

  Result<void> judge() {
    OTTO_RETURN_IF_ERROR(evidence_.ask_records(session_, images_));
    for (std::size_t i = 0; i < images_.size(); ++i) OTTO_RETURN_IF_ERROR(judge(i));
    input_verdicts_ = input_verdicts(inputs_.graph, results_);
    if (request_.dry_run) return {};
    session_.tally().expect(static_cast<std::uint64_t>(
        std::ranges::count(results_, docker::ImageStatus::kStale, &docker::ImageResult::status)));
    return prepare_stages();
  }

  [[nodiscard]] std::vector<graph::NodeId> images() const {
    std::vector<graph::NodeId> nodes;
    for (const ImageInputs& image : images_) nodes.push_back(*inputs_.graph.id(graph::NodeKind::kImage, image.name()));
    return nodes;
  }

  [[nodiscard]] std::vector<graph::NodeId> nodes() const {
    std::vector<graph::NodeId> nodes;
    for (const auto& [input, verdict] : input_verdicts_) nodes.push_back(input);
    const std::vector<graph::NodeId> images = this->images();
    nodes.insert(nodes.end(), images.begin(), images.end());
    return nodes;
  }

  std::map<graph::NodeKind, graph::Rules> rules() {
    graph::Rules image;
    image.joins = [](graph::NodeId) { return false; };  // what a service alone runs is not judged here
    image.judge = [this](graph::NodeId node) -> Result<graph::Verdict> {
      const docker::ImageResult& result = results_[index_of(node)];
      return graph::Verdict{result.status != docker::ImageStatus::kCached, result.reasons};
    };
    image.act = [this](std::span<const graph::NodeId> one, const std::stop_token& stop) {
      Result<void> result = build(index_of(one.front()), stop);
      session_.reporter().left(inputs_.graph.node(one.front()).name);
      return result;
    };
    image.ended = [this](std::span<const graph::NodeId> one, graph::NodeEnd end, const Result<void>& result) {
      const bool was_begun = end == graph::NodeEnd::kActed || end == graph::NodeEnd::kFailed;
      if (was_begun) finished(index_of(one.front()), result);
    };
    graph::Rules input;
    input.joins = image.joins;
    input.judge = [this](graph::NodeId node) -> Result<graph::Verdict> { return input_verdicts_.at(node); };
    input.acts_here = [](graph::NodeId) { return true; };
    return {{graph::NodeKind::kImage, image},
            {graph::NodeKind::kDockerfile, input},
            {graph::NodeKind::kContext, input},
            {graph::NodeKind::kBaseImage, input}};
  }

  [[nodiscard]] const std::vector<docker::ImageResult>& so_far() const { return results_; }

  Result<std::vector<docker::ImageResult>> results(const std::vector<graph::Outcome>& outcomes) {
    if (fatal_) return std::move(*fatal_);
    if (session_.stop().stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    name_skipped(outcomes);
    if (std::ranges::find(results_, docker::ImageStatus::kBuilt, &docker::ImageResult::status) != results_.end()) {
      OTTO_RETURN_IF_ERROR(cache::ManifestStore(session_.memo()).forget_unused());
    }
    return std::move(results_);
  }

 private:
  /// One context's stage during a run. Workers that share it take turns.
  struct Staging {
    const Context* context = nullptr;
    std::optional<graph::ContextManifest> believed;
    std::string believed_stamp;
    std::mutex turn;
    parent::StageState state;  // of the last Parent::stage
    bool staged = false;
    std::string charged_to;  // the image that its uploads are shown with
  };

  // --- judging ---

  Result<void> judge(std::size_t index) {
    const ImageInputs& image = images_[index];
    OTTO_TRY(ImageEvidence evidence, evidence_.evidence_for(image));
    evidence.forced = std::find(request_.forced.begin(), request_.forced.end(), image.name()) != request_.forced.end();
    const ImageVerdict verdict = judge_image(image, evidence);
    docker::ImageResult& result = results_[index];
    result.name = image.name();
    result.hash = image.hash;
    result.tag = image.tag;
    result.reasons = verdict.reasons;
    result.checked = verdict.checked;
    result.status = verdict.stale ? docker::ImageStatus::kStale : docker::ImageStatus::kCached;
    if (verdict.stale) return check_bases(image, result);
    if (evidence.present_from) fetched_bases_[index] = loose_bases_of(*evidence.present_from);
    result.image_id = probe_.image_ids.at(image.tag);
    const bool moved = !evidence.here || evidence.here->hash != image.hash;
    if (moved && !request_.dry_run) OTTO_RETURN_IF_ERROR(adopt(image, result, evidence));
    return check_bases(image, result);
  }

  /// A base image that was to be pulled and could not be, or whose id counts and is not there, is the image's failure.
  Result<void> check_bases(const ImageInputs& image, docker::ImageResult& result) const {
    if (request_.dry_run) return {};
    for (const std::string& base : image.external) {
      const auto state = probe_.bases.find(base);
      if (state == probe_.bases.end()) continue;
      const bool counts = image.settings->track_base && state->second.id.empty();
      if (!counts && state->second.problem.empty()) continue;
      result.status = docker::ImageStatus::kFailed;
      result.error = make_error(
          ErrorCode::kBuildFailed,
          fmt::format("base image '{}' of image '{}' cannot be pulled on {}: {}", base, image.name(),
                      session_.host().id, state->second.problem),
          request_.pull ? "without --pull the copy that is there is built upon"
                        : "check its name, and that this host reaches its registry, or load it there by hand");
    }
    return {};
  }

  /// The image is there already (an edit was reverted, the memo was lost, a colleague built it): from now on it is this
  /// project's current one, and `:latest` follows.
  Result<void> adopt(const ImageInputs& image, const docker::ImageResult& result, const ImageEvidence& evidence) {
    OTTO_RETURN_IF_ERROR(session_.parent().tag(image.tag, image.latest, session_.stop()));
    return record(image, result,
                  with_loose_bases(image.fingerprint, evidence.present_from ? &*evidence.present_from : nullptr));
  }

  // --- staging and building; on workers ---

  Result<void> prepare_stages() {
    for (EarlyStages::Brought& brought : early_.take()) OTTO_RETURN_IF_ERROR(take(brought));
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (results_[i].status != docker::ImageStatus::kStale || stagings_.contains(images_[i].context)) continue;
      auto staging = std::make_unique<Staging>();
      staging->context = images_[i].context;
      staging->charged_to = images_[i].name();
      OTTO_TRY(const auto known,
               cache::ParentStore(session_.memo()).stage(session_.host().id, staging->context->stage_key));
      if (known) {
        staging->believed = graph::parse_manifest(known->manifest);
        staging->believed_stamp = known->stamp;
      }
      stagings_.emplace(images_[i].context, std::move(staging));
    }
    return {};
  }

  /// A context that is in its stage by now: part of the work on the first stale image that has it.
  Result<void> take(EarlyStages::Brought& brought) {
    auto staging = std::make_unique<Staging>();
    staging->context = brought.context;
    staging->believed = brought.context->scan.manifest;
    staging->believed_stamp = brought.state.stamp;
    staging->state = std::move(brought.state);
    staging->staged = true;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (images_[i].context != staging->context || results_[i].status != docker::ImageStatus::kStale) continue;
      staging->charged_to = images_[i].name();
      tell_staged(*staging, images_[i], results_[i]);
      stagings_.emplace(staging->context, std::move(staging));
      return {};
    }
    return cache::ParentStore(session_.memo())
        .put_stage({session_.host().id, staging->context->stage_key, staging->believed_stamp,
                    graph::serialize(*staging->believed)});
  }

  void tell_staged(const Staging& staging, const ImageInputs& image, docker::ImageResult& result) {
    result.uploaded_bytes += staging.state.uploaded_bytes;
    result.uploaded_files += staging.state.uploaded_files;
    if (!staging.state.repaired) return;
    report(Event::notice(Phase::kUploading, image.name(),
                         fmt::format("the stage of image '{}' had been changed on {} and was repaired", image.name(),
                                     session_.host().id)));
  }

  Result<void> build(std::size_t index, const std::stop_token& stop) {
    docker::ImageResult& result = results_[index];
    if (result.error) return *result.error;
    if (result.status != docker::ImageStatus::kStale) return {};
    started_[index] = Clock::now();
    const ImageInputs& image = images_[index];
    Staging& staging = *stagings_.at(image.context);
    OTTO_TRY(parent::BuildRequest request, build_request(image, stop));
    OTTO_RETURN_IF_ERROR(session_.parent().check_builder(session_.facts(), request));
    for (int attempt = 0; attempt < kStageAttempts; ++attempt) {
      OTTO_TRY(request.stage_stamp, stage(staging, image, result, stop));
      report(Event::in_phase(Phase::kBuilding, image.name()));
      OTTO_TRY(parent::BuiltImage built, session_.parent().build(session_.facts(), request));
      if (!built.stage_stale) {
        result.image_id = built.image_id;
        found_[index] = built.was_there;
        fetched_bases_[index] = std::move(built.fetched_bases);
        return {};
      }
      const std::lock_guard lock(staging.turn);
      if (staging.state.stamp == request.stage_stamp) staging.staged = false;
    }
    return make_error(ErrorCode::kBuildFailed,
                      fmt::format("the stage of image '{}' on {} was changed {} times by somebody else", image.name(),
                                  session_.host().id, kStageAttempts),
                      "wait until the other otto is done, or set another stage_dir in hosts.json");
  }

  /// Makes the stage hold the context unless it does already; gives its stamp.
  Result<std::string> stage(Staging& staging, const ImageInputs& image, docker::ImageResult& result,
                            const std::stop_token& stop) {
    const std::lock_guard lock(staging.turn);
    if (staging.staged) return staging.state.stamp;
    parent::StageRequest request;
    request.key = staging.context->stage_key;
    request.source = staging.context->root;
    request.wanted = &staging.context->scan.manifest;
    request.believed = staging.believed;
    request.believed_stamp = staging.believed_stamp;
    request.stop = stop;
    request.progress = [&](std::uint64_t sent, std::uint64_t total) {
      report(Event::in_phase(Phase::kUploading, image.name(), "", sent, total));
    };
    request.waiting = [&](const parent::LockHolder& holder) { tell_waiting(image, holder); };
    report(Event::in_phase(Phase::kUploading, image.name()));
    auto brought = session_.parent().stage(session_.facts(), request);
    if (!brought.ok())
      return std::move(brought).error().in(fmt::format("uploading the context of image '{}'", image.name()));
    staging.state = std::move(*brought);
    staging.staged = true;
    staging.believed = staging.context->scan.manifest;
    staging.believed_stamp = staging.state.stamp;
    tell_staged(staging, image, result);
    return staging.state.stamp;
  }

  /// All but the stage's stamp.
  Result<parent::BuildRequest> build_request(const ImageInputs& image, const std::stop_token& stop) {
    OTTO_TRY(parent::BuildRequest request, request_of(image));
    request.record_name = record_name(session_.repo().name, image.name());
    for (const auto& [name, own] : image.own_contexts) {
      request.build_options[{"build-context", name}] = "docker-image://" + images_[index_of(own)].tag;
    }
    for (const Upstream& upstream : image.upstreams) {
      const std::string& tag = images_[index_of(upstream.image)].tag;
      for (const std::string& spelled : upstream.spelled) request.pins.emplace_back(spelled, tag);
    }
    if (image.settings->track_base) {
      for (const std::string& base : image.external) {
        if (is_movable(base)) request.bases.emplace_back(base, probe_.bases.at(base).id);
      }
    }
    const bool forced =
        std::find(request_.forced.begin(), request_.forced.end(), image.name()) != request_.forced.end();
    request.may_be_built_meanwhile = !forced && !probe_.image_ids.contains(image.tag);
    request.on_waiting = [this, &image](const parent::LockHolder& holder) { tell_waiting(image, holder); };
    request.on_step = [this, &image](std::string_view step) {
      report(Event::in_phase(Phase::kBuilding, image.name(), std::string(step)));
    };
    request.on_line = [this, &image](std::string_view line) {
      report(Event::output(Phase::kBuilding, image.name(), std::string(line)));
    };
    request.stop = stop;
    return request;
  }

  // --- recording; on the calling thread ---

  void finished(std::size_t index, const Result<void>& result) {
    docker::ImageResult& image = results_[index];
    if (image.status == docker::ImageStatus::kFailed) {
      report(Event::failure(Phase::kBuilding, image.name, image.error->message));
    }
    if (image.status != docker::ImageStatus::kStale) return;
    session_.tally().done();
    image.duration_ms = ms_since(started_[index]);
    if (result.ok() && found_[index] != 0) image.reasons.clear();  // what it was built for is the other's record
    if (result.ok()) {
      image.status = found_[index] != 0 ? docker::ImageStatus::kCached : docker::ImageStatus::kBuilt;
      report(Event::finished(Phase::kBuilding, image.name, found_[index] != 0 ? "built by another otto" : "built",
                             image.duration_ms));
      remember(index);
      return;
    }
    if (ends_run(result.error().code)) {
      if (!fatal_) fatal_ = result.error();
      return;
    }
    static_cast<void>(session_.forget_facts());  // what its builder can do may be why: the next command asks anew
    image.status = docker::ImageStatus::kFailed;
    image.error = result.error();
    report(Event::failure(Phase::kBuilding, image.name, result.error().message, image.duration_ms));
  }

  void remember(std::size_t index) {
    const ImageInputs& image = images_[index];
    const auto stage = believed_stage(image);  // before the transaction: another image's upload may have the turn
    const auto stored = session_.memo().in_transaction([&]() -> Result<void> {
      if (stage) OTTO_RETURN_IF_ERROR(cache::ParentStore(session_.memo()).put_stage(*stage));
      for (const Upstream& upstream : image.upstreams) {
        const auto& inherited = fetched_bases_[index_of(upstream.image)];
        fetched_bases_[index].insert(inherited.begin(), inherited.end());
      }
      graph::Fingerprint fingerprint = image.fingerprint;
      add_fetched_bases(fingerprint, image, fetched_bases_[index]);
      return record(image, results_[index], std::move(fingerprint));
    });
    if (!stored.ok() && !fatal_) fatal_ = stored.error();
  }

  std::optional<cache::StageRecord> believed_stage(const ImageInputs& image) {
    Staging& staging = *stagings_.at(image.context);
    const std::lock_guard lock(staging.turn);
    if (!staging.believed) return std::nullopt;
    return cache::StageRecord{session_.host().id, image.context->stage_key, staging.believed_stamp,
                              graph::serialize(*staging.believed)};
  }

  Result<void> record(const ImageInputs& image, const docker::ImageResult& result, graph::Fingerprint fingerprint) {
    cache::BuildRecord build;
    build.at_ms = epoch_ms();
    build.project = session_.repo().name;
    build.image = image.name();
    build.parent = session_.host().id;
    build.hash = image.hash;
    build.tag = image.tag;
    build.image_id = result.image_id;
    build.duration_ms = result.duration_ms;
    build.uploaded_bytes = result.uploaded_bytes;
    build.uploaded_files = result.uploaded_files;
    build.reasons = result.reasons;
    build.fingerprint = std::move(fingerprint);
    OTTO_RETURN_IF_ERROR(
        cache::ManifestStore(session_.memo()).store_manifest(image.context->scan.manifest, image.context->hash));
    OTTO_RETURN_IF_ERROR(cache::BuildStore(session_.memo()).record(build));
    return {};
  }

  void name_skipped(const std::vector<graph::Outcome>& outcomes) {
    const std::vector<graph::NodeId> ids = images();
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const bool blocked = outcomes[ids[i].index].end == graph::NodeEnd::kBlocked;
      if (!blocked || results_[i].status != docker::ImageStatus::kStale) continue;
      results_[i].status = docker::ImageStatus::kSkipped;
      std::string cause = "an earlier failure ended the run";
      for (const Upstream& upstream : images_[i].upstreams) {
        const docker::ImageStatus status = results_[index_of(upstream.image)].status;
        const bool failed = status == docker::ImageStatus::kFailed || status == docker::ImageStatus::kSkipped;
        if (failed) cause = fmt::format("image '{}' that it is built from failed", upstream.image);
      }
      results_[i].error =
          make_error(ErrorCode::kBuildFailed, fmt::format("image '{}' was not built: {}", images_[i].name(), cause));
    }
  }

  [[nodiscard]] std::size_t index_of(graph::NodeId image) const { return index_of(inputs_.graph.node(image).name); }
  std::size_t index_of(std::string_view image) const {
    const auto found =
        std::find_if(images_.begin(), images_.end(), [&](const auto& known) { return known.name() == image; });
    OTTO_CHECK(found != images_.end());
    return static_cast<std::size_t>(found - images_.begin());
  }
  void tell_waiting(const ImageInputs& image, const parent::LockHolder& holder) {
    report(Event::in_phase(Phase::kWaiting, image.name(), parent::waiting_for(holder)));
  }
  void report(const Event& event) { session_.reporter().report(event); }

  parent::ParentSession& session_;
  EarlyStages& early_;
  const RepoInputs& inputs_;
  const std::vector<ImageInputs>& images_;
  const parent::Probe& probe_;
  const ImageRunRequest& request_;
  ImageEvidenceReader evidence_;
  std::vector<docker::ImageResult> results_;  // one an image; each written by its own task, read after it
  std::map<graph::NodeId, graph::Verdict> input_verdicts_;
  std::vector<Clock::time_point> started_;
  std::vector<char> found_;  // of each image: another otto had built it; as results_
  std::vector<std::map<std::string, std::string>> fetched_bases_;  // of each image; those of upstream images join
  std::map<const Context*, std::unique_ptr<Staging>> stagings_;
  std::optional<Error> fatal_;
};

ImageRule::ImageRule(parent::ParentSession& session, const RepoInputs& images, const parent::Probe& probe,
                     const ImageRunRequest& request, EarlyStages& early)
    : run_(std::make_unique<Run>(session, images, probe, request, early)) {}
ImageRule::~ImageRule() = default;
Result<void> ImageRule::judge() { return run_->judge(); }
std::vector<graph::NodeId> ImageRule::images() const { return run_->images(); }
std::vector<graph::NodeId> ImageRule::nodes() const { return run_->nodes(); }
std::map<graph::NodeKind, graph::Rules> ImageRule::rules() { return run_->rules(); }
const std::vector<docker::ImageResult>& ImageRule::so_far() const { return run_->so_far(); }
Result<std::vector<docker::ImageResult>> ImageRule::results(const std::vector<graph::Outcome>& outcomes) {
  return run_->results(outcomes);
}

Result<void> run_images(parent::ParentSession& session, RepoInputs& images, const parent::Probe& probe,
                        const ImageRunRequest& request, EarlyStages& early, docker::BuildReport& report) {
  settle_from_probe(images, probe);
  ImageRule rule(session, images, probe, request, early);
  OTTO_RETURN_IF_ERROR(rule.judge());
  report.outcomes = graph::drive(images.graph, rule.nodes(), graph::by_kind(images.graph, rule.rules()),
                                 drive_options(request, session.stop()));
  session.reporter().driven(images.graph, report.outcomes);
  OTTO_TRY(report.images, rule.results(report.outcomes));
  return {};
}

graph::DriveOptions drive_options(const ImageRunRequest& request, const std::stop_token& stop) {
  constexpr unsigned kJobs = 4;
  return {request.jobs == 0 ? kJobs : request.jobs, request.keep_going, request.dry_run, stop};
}

std::vector<docker::ImageResult> unknown_results(const RepoInputs& images) {
  std::vector<docker::ImageResult> results;
  for (const ImageInputs& image : images.images) {
    docker::ImageResult result;
    result.name = image.name();
    result.tag = image.tag;
    result.hash = image.hash;
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace otto::images

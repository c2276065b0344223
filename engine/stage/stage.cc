#include "engine/stage/stage.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <random>
#include <set>
#include <utility>

#include "engine/archive/codec.h"
#include "engine/parent/remote_lock.h"
#include "engine/stage/stage_delta.h"
#include "engine/stage/stage_failure.h"
#include "engine/stage/stage_recipe.h"
#include "engine/stage/stage_report.h"
#include "engine/stage/stage_script.h"
#include "engine/stage/stage_upload.h"
#include "graph/base/sync.h"
#include "graph/base/text.h"

namespace otto::stage {
namespace {

constexpr auto kKnock = std::chrono::milliseconds(250);
constexpr std::uint64_t kLargestManifest = std::uint64_t{1} << 30U;
constexpr std::size_t kKeptWords = 8 * 1024;

/// How much of the stage's past is trusted; each next attempt trusts less.
enum class Trust {
  kBelieved,  ///< the client's memory, where the stamp is the one it saw
  kParent,    ///< the manifest on the parent
  kNothing,   ///< all is sent, into a new tree
};

std::string fresh_id() {
  std::random_device random;
  std::string id;
  for (int part = 0; part < 4; ++part) id += fmt::format("{:08x}", random());
  return id;
}

/// By which this process knows its own reservations again.
const std::string& process_token() {
  static const std::string token = fresh_id();
  return token;
}

archive::Codec best_codec(const parent::StageTools& tools) {
  if (tools.has_zstd) return archive::Codec::kZstd;
  return tools.has_gzip ? archive::Codec::kGzip : archive::Codec::kNone;
}

bool valid_key(std::string_view key) {
  return !key.empty() && key.front() != '.' && key.front() != '-' &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string_view::npos;
}

/// One job on the parent. The output arrives on the thread that runs the job, the input is fed by another.
class Exchange {
 public:
  Exchange(const parent::StageTools& tools, const StageRequest& request, const std::string& first, Trust trust,
           bool reuse)
      : tools_(tools), request_(request), first_(first), trust_(trust), reuse_(reuse), fresh_(fresh_id()) {}

  enum class Verdict {
    kDone,
    kDistrusted,  ///< what was trusted did not hold
    kNoReuse,     ///< what was to be made from the stage's own files could not be
  };
  struct Outcome {
    Verdict verdict = Verdict::kDone;
    StageState state;
  };

  Result<Outcome> run(transport::Remote& remote) {
    transport::Script script;
    script.text = first_ + std::string(stage_exchange_script(request_.kind));
    script.args = {tools_.root,
                   request_.key,
                   request_.kind == StageKind::kContext ? "context" : "in-place",
                   trust_ == Trust::kBelieved && request_.believed ? request_.believed_stamp : "-",
                   fresh_,
                   std::string(archive::codec_name(best_codec(tools_))),
                   trust_ == Trust::kNothing ? "force" : "normal",
                   parent::own_name(),
                   process_token()};
    script.input = [this](const transport::Writer& write) { return feed(write); };
    script.on_output = [this](transport::Stream stream, std::string_view bytes) { take(stream, bytes); };
    script.stop = request_.stop;
    auto output = remote.run_job(script);
    return conclude(remote.host_id(), std::move(output));
  }

 private:
  struct Shared {
    StageReportReader reader;
    std::string words;               // the end of standard error
    std::optional<Error> own_error;  // of this side, not of the connection
    bool distrust = false;
    StageState state;
  };

  void take(transport::Stream stream, std::string_view bytes) {
    std::optional<parent::LockHolder> waits_for;
    {
      auto shared = shared_.lock();
      if (stream == transport::Stream::kStderr) {
        shared->words += bytes;
        if (shared->words.size() > kKeptWords) shared->words.erase(0, shared->words.size() - kKeptWords);
      } else {
        shared->reader.feed(bytes);
        const auto& waiting = shared->reader.report().waiting;
        if (waiting && !std::exchange(announced_, true)) waits_for = waiting;
      }
    }
    changed_.notify_all();
    if (waits_for && request_.waiting) request_.waiting(*waits_for);
  }

  /// Waits for the state. The blank lines are knocks: where the job has ended, the write says so.
  Result<StageReport> await_report(const transport::Writer& write) {
    for (;;) {
      {
        auto shared = shared_.lock();
        auto settled = [](Shared& now) { return now.reader.report().ready || now.reader.report().garbled; };
        if (shared.wait_for(changed_, kKnock, settled)) {
          if (shared->reader.report().garbled)
            return make_error(ErrorCode::kIo, "the parent's answer to staging cannot be read");
          auto& report = shared->reader.report();
          report.ready = false;
          auto sections = std::exchange(report.sections, {});
          StageReport told = report;
          told.sections = std::move(sections);
          return told;
        }
      }
      if (request_.stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
      OTTO_RETURN_IF_ERROR(write("\n"));
    }
  }

  Result<void> feed(const transport::Writer& write) {
    std::optional<Error> broken;  // the connection's or the job's, which run_job() reports itself
    auto sink = [&](std::string_view bytes) -> Result<void> {
      auto written = write(bytes);
      if (!written) broken = written.error();
      return written;
    };
    auto fed = answer(sink);
    if (fed.ok()) return {};
    if (!broken) shared_.lock()->own_error = fed.error();
    if (broken && broken->code == ErrorCode::kRemoteFailed) return {};
    return fed;
  }

  Result<void> answer(const archive::ByteSink& write) {
    OTTO_TRY(auto report, await_report(write));
    StageBase base;
    if (!read_base(report, base)) {
      shared_.lock()->distrust = true;
      return {};
    }
    if (request_.look) OTTO_RETURN_IF_ERROR(request_.look(base.manifest, report.stamp));
    StagedEntries wanted(*request_.wanted);
    auto delta = plan_delta(base, wanted, request_.kind, reuse_);
    if (reuse_) OTTO_RETURN_IF_ERROR(find_recipes(base, wanted, delta, write));
    StageState state{report.directory, report.stamp, 0, 0, report.condition == "edited"};
    if (delta.empty() && (report.condition == "clean" || report.condition == "edited")) {
      if (report.manifest != delta.manifest.hex()) {  // what was believed is not what was staged
        shared_.lock()->distrust = true;
        return {};
      }
      OTTO_RETURN_IF_ERROR(write("keep\n"));
    } else {
      UploadRequest upload{&delta,
                           request_.kind,
                           locate(),
                           report.directory.substr(report.directory.rfind('/') + 1),
                           report.condition == "none",
                           fresh_,
                           best_codec(tools_),
                           request_.progress,
                           request_.stop,
                           request_.tree_link};
      OTTO_TRY(auto totals, send_delta(upload, write));
      state.directory.replace(state.directory.rfind('/') + 1, std::string::npos, tree_name_after(upload));
      state.stamp = fresh_;
      state.uploaded_bytes = totals.bytes;
      state.uploaded_files = totals.files;
    }
    shared_.lock()->state = std::move(state);
    return {};
  }

  /// Asks for the chunk lists of what the large files of the delta might be made from: one more round trip.
  Result<void> find_recipes(const StageBase& base, const StagedEntries& wanted, StageDelta& delta,
                            const archive::ByteSink& write) {
    const auto candidates = recipe_candidates(delta, base, wanted);
    if (candidates.empty()) return {};
    std::set<std::string> digests;
    for (const auto& candidate : candidates) digests.insert(candidate.source->digest.hex());
    OTTO_RETURN_IF_ERROR(write(fmt::format("chunks {}\n", fmt::join(digests, " "))));
    OTTO_TRY(auto report, await_report(write));
    std::map<std::string, ChunkList> lists;
    for (const auto& digest : digests)
      if (auto list = parse_chunk_list(report.sections["chunks." + digest])) lists[digest] = std::move(*list);
    return make_recipes(delta, candidates, lists, locate(), request_.stop);
  }

  [[nodiscard]] archive::SourceLocator locate() const {
    if (request_.locate) return request_.locate;
    return [source = request_.source](const std::string& path) { return source / path; };
  }

  /// What the stage holds, by the client's memory or the parent's. False: neither can be used.
  bool read_base(StageReport& report, StageBase& base) {
    auto& sections = report.sections;
    if (auto pending = sections.find("pending"); pending != sections.end()) {
      for (auto& path : text::split(pending->second, '\0'))
        if (!path.empty()) base.touched[path].type = '?';
    }
    if (auto pending = sections.find("pending-modes"); pending != sections.end()) {
      for (auto& path : text::split(pending->second, '\0'))
        if (!path.empty()) base.modes_touched.insert(std::move(path));
    }
    base.by_hand = report.condition == "edited";
    base.renaming = sections.contains("renaming");
    if (report.condition == "none") return true;
    auto bumps = parse_bumps(sections["bumps"]);
    if (!bumps || !read_differences(sections["differences"], base.touched)) return false;
    base.bumps = std::move(*bumps);
    if (auto packed = sections.find("manifest"); packed != sections.end()) {
      auto plain = best_codec(tools_) == archive::Codec::kNone ? Result<std::string>(std::move(packed->second))
                                                               : archive::decompress(packed->second, kLargestManifest);
      auto manifest = plain ? parse_manifest_lines(*plain) : std::nullopt;
      if (!manifest) return false;
      base.manifest = std::move(*manifest);
      return true;
    }
    if (trust_ != Trust::kBelieved || !request_.believed || report.stamp != request_.believed_stamp) return false;
    base.manifest = *request_.believed;
    return true;
  }

  Result<Outcome> conclude(const std::string& host, Result<transport::Output> output) {
    auto shared = shared_.lock();
    auto where = fmt::format("while staging '{}' on {}", request_.key, host);
    if (request_.stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted").in(where);
    if (shared->own_error) return std::move(*shared->own_error).in(where);
    if (!output) return std::move(output).error().in(where);
    if (shared->distrust) return Outcome{Verdict::kDistrusted, {}};
    if (output->status.success() && shared->reader.report().done) return Outcome{Verdict::kDone, shared->state};
    int code = output->status.shell_code();
    if (code == kStageBaseMismatch) return Outcome{Verdict::kDistrusted, {}};
    if (code == kStageTurnLost && request_.turn) return parent::turn_lost(request_.turn->project, host);
    if (code == kStageNoReuse && reuse_) return Outcome{Verdict::kNoReuse, {}};
    return stage_failure(code, host, tools_.root, shared->words).in(where);
  }

  const parent::StageTools& tools_;
  const StageRequest& request_;
  const std::string& first_;
  Trust trust_;
  bool reuse_;
  std::string fresh_;
  bool announced_ = false;  // of the thread that runs the job
  Sync<Shared> shared_;
  std::condition_variable_any changed_;
};

}  // namespace

Result<StageState> bring_stage(transport::Remote& remote, const parent::StageTools& tools, const StageRequest& request,
                               const std::string& first) {
  OTTO_CHECK(valid_key(request.key) && request.wanted != nullptr);
  if (tools.root.empty() || tools.root.front() != '/' || tools.root.find('\n') != std::string::npos)
    return make_error(ErrorCode::kConfig, fmt::format("stage_dir '{}' is not an absolute path", tools.root),
                      "write an absolute path as \"stage_dir\" in hosts.json");
  bool reuse = true;
  for (auto trust : std::array{Trust::kBelieved, Trust::kParent, Trust::kNothing}) {
    if (trust == Trust::kParent && !request.believed) continue;
    OTTO_TRY(auto outcome, Exchange(tools, request, first, trust, reuse).run(remote));
    if (outcome.verdict == Exchange::Verdict::kNoReuse) {
      reuse = false;
      OTTO_TRY(outcome, Exchange(tools, request, first, trust, reuse).run(remote));
    }
    if (outcome.verdict == Exchange::Verdict::kDone) return std::move(outcome.state);
  }
  return make_error(ErrorCode::kIo,
                    fmt::format("the stage '{}' on {} could not be written", request.key, remote.host_id()));
}

std::string stage_guard_script(const parent::StageTools& tools) { return stage_guard_text(tools.root); }

}  // namespace otto::stage

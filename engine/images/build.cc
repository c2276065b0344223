#include "engine/images/build.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/images/built_record.h"
#include "engine/images/legacy_build.h"
#include "engine/images/pins.h"
#include "engine/images/scripts.h"
#include "engine/parent/docker_command.h"
#include "engine/parent/lock_script.h"
#include "engine/stage/stage_script.h"
#include "graph/base/text.h"

namespace otto::images {

namespace {

constexpr int kStageStaleExit = 75;
constexpr int kBaseMovedExit = 76;
constexpr int kUpstreamGoneExit = 78;
constexpr std::string_view kBuiltMark = "otto-built ";
constexpr std::string_view kFoundMark = "otto-found ";
/// Among the engine's words, where the build is over and its tags are set.
constexpr std::string_view kTaggingMark = "otto-tagging";

/// The options of the build, for either builder; the legacy one has its pins in the Dockerfile.
std::string build_options(const BuildRequest& request, const Pins& pins) {
  std::string options;
  const auto add = [&](std::string_view flag, const std::string& value) {
    options += fmt::format(" {} {}", flag, text::shell_quote(value));
  };
  for (const auto& [name, value] : request.build_args) add("--build-arg", name + "=" + value);
  for (const auto& [option, value] : request.build_options) {
    const bool is_pair = option.first == "label" || option.first == "ulimit" || option.first == "build-context";
    add("--" + option.first, is_pair ? option.second + "=" + value : option.second + value);
  }
  for (const auto& [spelled, tag] : pins.by_name) add("--build-context", spelled + "=docker-image://" + tag);
  for (const auto& [option, value] : request.build_hints) {
    if (value.empty())
      options += " --" + option;
    else
      add("--" + option, value);
  }
  if (!request.target.empty()) add("--target", request.target);
  if (!request.platform.empty()) add("--platform", request.platform);
  return options;
}

/// For BuildKit only: the legacy builder knows no Dockerfile that could read them. The files go with the job; no
/// process has a value among its arguments, because printf is the shell's own.
std::string secrets_script(const BuildRequest& request) {
  std::string script;
  std::size_t number = 0;
  for (const auto& [id, bytes] : request.secrets) {
    std::string octal;
    for (const char byte : bytes) octal += fmt::format("\\{:03o}", static_cast<unsigned char>(byte));
    script += fmt::format("printf '{}' > \"$otto_work/secret.{}\" || exit 1\n", octal, number++);
  }
  return script;
}

std::string secret_options(const BuildRequest& request) {
  std::string options;
  std::size_t number = 0;
  for (const auto& [id, bytes] : request.secrets) {
    options += fmt::format(" --secret {},src=\"$otto_work/secret.{}\"", text::shell_quote("id=" + id), number++);
  }
  return options;
}

std::string turn_script(const parent::ParentFacts& facts, const BuildRequest& request) {
  return parent::lock_functions(facts) +
         fmt::format("otto_image_lock={} otto_tag={} otto_latest={} otto_meanwhile={:d} otto_buildx={:d}\n{}",
                     text::shell_quote(parent::image_lock(request.tag)), text::shell_quote(request.tag),
                     text::shell_quote(request.latest), request.may_be_built_meanwhile, facts.has_buildx, kTurnScript);
}

/// Standard output carries only the mark and the id; everything the engine says goes to standard error.
std::string build_script(const parent::ParentSettings& settings, const parent::ParentFacts& facts,
                         const BuildRequest& request, const Pins& pins) {
  std::string script =
      parent::docker_prelude(settings) + turn_script(facts, request) + stage::stage_guard_script(facts.stage_tools());
  script += fmt::format("otto_stage_enter {} {}\n", text::shell_quote(request.stage_key),
                        text::shell_quote(request.stage_stamp));
  script += stage::job_folder_text(facts.stage_root, "build");
  script += facts.has_buildx ? kBuildxScript : kLegacyScript;
  if (facts.has_buildx) script += secrets_script(request);
  script += fmt::format("otto_build{}{} || otto_failed", build_options(request, pins),
                        facts.has_buildx ? secret_options(request) : "");
  for (const auto& [spelled, tag] : request.pins) script += " " + text::shell_quote(tag);
  (script += "\n") += kBuiltScript;
  for (const auto& [reference, id] : request.bases) {
    script += fmt::format("otto_unmoved {} {}\n", text::shell_quote(reference), text::shell_quote(id));
  }
  script += "otto_set_tags\n";
  if (request.fingerprint != nullptr) {
    script += keep_record_script(facts, request.record_name, *request.fingerprint, request.dockerfile);
  }
  script += "otto_end_tags\n";
  return script + fmt::format("printf '{}%s\\n' \"$id\"\n", kBuiltMark);
}

/// Splits a stream into lines as it comes and passes them on.
class BuildOutput {
 public:
  explicit BuildOutput(const BuildRequest& request) : request_(request) {}

  void feed(std::string_view bytes) {
    pending_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      take(pending_.substr(begin, end - begin));
    }
    pending_.erase(0, begin);
  }
  void finish() {
    if (!pending_.empty()) take(std::exchange(pending_, {}));
  }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::map<std::string, std::string> take_bases() { return std::move(bases_); }

 private:
  void take(const std::string& raw) {
    if (raw == kTaggingMark) {
      if (request_.on_step) request_.on_step("tagging");
      return;
    }
    if (const auto holder = parent::read_waiting(raw)) {
      if (request_.on_waiting) request_.on_waiting(*holder);
      return;
    }
    std::string line = text::printable(raw);
    if (request_.on_line) request_.on_line(line);
    if (const std::string_view step = step_of(line); !step.empty() && request_.on_step) request_.on_step(step);
    if (auto base = fetched_base_of(line); !base.first.empty()) bases_.insert(std::move(base));
    lines_.push_back(std::move(line));
    // Enough for any error report; a build that prints without end must not fill the memory.
    if (lines_.size() > 4000) lines_.erase(lines_.begin(), lines_.begin() + 2000);
  }

  const BuildRequest& request_;
  std::string pending_;
  std::vector<std::string> lines_;
  std::map<std::string, std::string> bases_;
};

Error build_error(const transport::Output& output, const BuildOutput& reader, std::string_view host_id,
                  const BuildRequest& request) {
  transport::Output said = output;
  said.err = text::join(reader.lines(), "\n");
  // Once a step has run, the words are those of its own command: a missing sudo there is no trouble of the parent's.
  const bool begun =
      std::ranges::any_of(reader.lines(), [](const std::string& line) { return !step_of(line).empty(); });
  Error error = begun ? make_error(ErrorCode::kBuildFailed, "")
                      : parent::docker_error(said, host_id, ErrorCode::kBuildFailed, "docker build failed");
  if (error.code != ErrorCode::kBuildFailed) return error;
  error.message =
      fmt::format("image '{}' does not build on {}:\n{}", request.name, host_id, failure_of(reader.lines()));
  return error;
}

}  // namespace

std::string_view step_of(std::string_view line) {
  if (line.starts_with("Step ")) return line;
  if (line.empty() || line[0] != '#') return {};
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return {};
  const std::string_view rest = line.substr(blank + 1);
  return rest.starts_with('[') && !rest.starts_with("[internal]") ? rest : std::string_view();
}

std::pair<std::string, std::string> fetched_base_of(std::string_view line) {
  const std::size_t from = line.find(" FROM ");
  if (!line.starts_with('#') || from == std::string_view::npos) return {};
  const std::string_view named = line.substr(from + 6);
  const std::size_t at = named.find("@sha256:");
  if (at == std::string_view::npos || named.find(' ') != std::string_view::npos) return {};
  return {std::string(named.substr(0, at)), std::string(named.substr(at + 1))};
}

std::string failure_of(const std::vector<std::string>& progress) {
  // BuildKit ends a failed build with a report between rules of dashes: the step's output, the Dockerfile's lines, the
  // error.
  const auto rule =
      std::find_if(progress.begin(), progress.end(), [](const std::string& line) { return line == "------"; });
  auto begin = rule == progress.end() ? rule : rule + 1;
  if (rule == progress.end()) {
    begin = std::find_if(progress.begin(), progress.end(),
                         [](const std::string& line) { return line.starts_with("ERROR:"); });
    if (begin == progress.end())
      begin = progress.end() - std::min<std::ptrdiff_t>(20, progress.end() - progress.begin());
  }
  std::string report;
  for (auto line = begin; line != progress.end(); ++line) {
    if (*line == "------") continue;
    report += (report.empty() ? "" : "\n") + *line;
  }
  return report;
}

Result<void> check_builder(const parent::ParentFacts& facts, const BuildRequest& request) {
  if (facts.has_buildx) return {};
  for (const auto& [option, value] : request.build_options) {
    if (option.first != "build-context") continue;
    return make_error(
        ErrorCode::kUnsupported,
        fmt::format("image '{}' has the additional context '{}', which the parent's legacy builder does not "
                    "know",
                    request.name, option.second),
        "install docker-buildx there");
  }
  OTTO_RETURN_IF_ERROR(legacy_dockerfile(request));
  return {};
}

Result<BuiltImage> build_image(transport::Remote& remote, const parent::ParentSettings& settings,
                               const parent::ParentFacts& facts, const BuildRequest& request) {
  Pins pins;
  if (facts.has_buildx) {
    OTTO_TRY(pins, pins_for_buildx(request));
  } else {
    OTTO_TRY(pins.dockerfile, legacy_dockerfile(request));
  }
  BuildOutput reader(request);
  std::string answer;
  transport::Script script;
  script.text = build_script(settings, facts, request, pins);
  script.stop = request.stop;
  script.input = [&](const transport::Writer& write) { return write(pins.dockerfile); };
  script.on_output = [&](transport::Stream stream, std::string_view bytes) {
    if (stream == transport::Stream::kStdout) {
      answer += bytes;
    } else {
      reader.feed(bytes);
    }
  };
  OTTO_TRY(const transport::Output output, remote.run_job(script));
  reader.finish();
  if (output.status.signal.empty() && output.status.code == kStageStaleExit) return BuiltImage{{}, true};
  if (output.status.signal.empty() && output.status.code == kBaseMovedExit) {
    return make_error(
        ErrorCode::kInputsChanged,
        fmt::format("a base image of '{}' moved on {} while it was built", request.name, remote.host_id()),
        "run again once nobody pulls or tags it there");
  }
  if (output.status.signal.empty() && output.status.code == kUpstreamGoneExit) {
    return make_error(
        ErrorCode::kInputsChanged,
        fmt::format("an image that '{}' is built from was removed on {} meanwhile", request.name, remote.host_id()),
        "run again once nobody removes images there");
  }
  if (output.status.signal.empty() && output.status.code == parent::kNoLockExit) {
    return make_error(ErrorCode::kUnsupported,
                      fmt::format("image '{}' cannot be locked on {}: {}", request.name, remote.host_id(),
                                  text::join(reader.lines(), "\n")),
                      "otto needs flock (util-linux) there, and a folder of its own in /var/tmp or /tmp");
  }
  if (answer.starts_with(kFoundMark) && output.status.success()) {
    BuiltImage found;
    found.image_id = text::trim(answer.substr(kFoundMark.size()));
    found.was_there = true;
    return found;
  }
  const std::size_t mark = answer.find(kBuiltMark);
  if (!output.status.success() || mark == std::string::npos)
    return build_error(output, reader, remote.host_id(), request);
  return BuiltImage{std::string(text::trim(answer.substr(mark + kBuiltMark.size()))), false, false,
                    reader.take_bases()};
}

Result<void> tag_image(transport::Remote& remote, const parent::ParentSettings& settings, const std::string& reference,
                       const std::string& tag, const std::stop_token& stop) {
  transport::Script script;
  script.text = parent::docker_prelude(settings) + "otto_docker tag \"$1\" \"$2\"\n";
  script.args = {reference, tag};
  script.stop = stop;
  OTTO_TRY(const transport::Output output, remote.run(script));
  if (output.status.success()) return {};
  return parent::docker_error(output, remote.host_id(), ErrorCode::kRemoteFailed, "docker tag failed");
}

}  // namespace otto::images

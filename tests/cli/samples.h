// Reports as the façade gives them, for the rendering tests: every status, every kind of reason, odd bytes in names.
#pragma once

#include <string>
#include <vector>

#include "otto/docker.h"
#include "otto/doctor.h"
#include "otto/host.h"

namespace otto::cli::samples {

inline const std::string kHashA = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
inline const std::string kHashB = "ffee3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
/// A newline, an escape sequence and a byte that is no UTF-8.
inline const std::string kOddName = "sr\nc/\x1b[31m\xff.txt";

inline docker::ImageResult image(std::string name, docker::ImageStatus status, const std::string& hash) {
  docker::ImageResult result;
  result.name = name;
  result.status = status;
  result.hash = hash;
  result.tag = "veggies-" + name + ":" + hash;
  return result;
}

inline docker::BuildReport built() {
  docker::ImageResult base = image("base", docker::ImageStatus::kBuilt, kHashA);
  base.image_id = "sha256:0123";
  base.uploaded_bytes = 1400;
  base.uploaded_files = 3;
  base.duration_ms = 3200;
  base.reasons = {{graph::ReasonKind::kFileChanged, "src/main.c", ""},
                  {graph::ReasonKind::kFileAdded, "src/new.c", ""},
                  {graph::ReasonKind::kFileRemoved, kOddName, ""},
                  {graph::ReasonKind::kModeChanged, "run.sh", "0644 → 0755"},
                  {graph::ReasonKind::kBuildArgChanged, "VERSION", ""}};
  docker::ImageResult api = image("api", docker::ImageStatus::kCached, kHashB);
  api.image_id = "sha256:4567";
  api.checked = {"Dockerfile", "812 files", "2 build args"};
  docker::BuildReport report;
  report.parent = "pepper_seed";
  report.repo = "veggies";
  report.images = {base, api};
  return report;
}

inline docker::BuildReport partly_failed() {
  docker::BuildReport report = built();
  docker::ImageResult web = image("web", docker::ImageStatus::kFailed, kHashA);
  web.duration_ms = 900;
  web.error = make_error(ErrorCode::kBuildFailed,
                         "image 'web' does not build on pepper_seed:\n[2/3] RUN make\nmake: *** [all] Error 1\n",
                         "see the step above")
                  .in("while building image 'web'");
  docker::ImageResult app = image("app", docker::ImageStatus::kSkipped, kHashB);
  app.error = make_error(ErrorCode::kBuildFailed, "image 'web' that it is built from failed");
  report.images.push_back(web);
  report.images.push_back(app);
  return report;
}

inline docker::ServiceResult service(std::string name, docker::ServiceAction action, std::string reason) {
  return {name,
          "pepper_seed.veggies." + name,
          "c0ffee-" + name,
          "veggies-" + name + ":" + kHashA,
          action,
          std::move(reason)};
}

inline docker::UpReport up() {
  docker::UpReport report;
  report.build = built();
  report.project = "otto-veggies-me";
  report.services = {service("api", docker::ServiceAction::kRecreated, "image changed"),
                     service("db", docker::ServiceAction::kUnchanged, ""),
                     service("migrate", docker::ServiceAction::kCompleted, "")};
  return report;
}

inline docker::UpReport up_to_date() {
  docker::UpReport report = up();
  report.build.images = {report.build.images[1], image("base", docker::ImageStatus::kCached, kHashA)};
  report.build.images[1].checked = {"Dockerfile", "3 files"};
  report.services[0] = service("api", docker::ServiceAction::kUnchanged, "");
  return report;
}

inline docker::BuildReport unreachable_dry_run() {
  docker::BuildReport report;
  report.parent = "pepper_seed";
  report.repo = "veggies";
  report.parent_reachable = false;
  report.images = {image("base", docker::ImageStatus::kUnknown, kHashA)};
  report.error = make_error(ErrorCode::kUnreachable, "host 'pepper_seed' could not be reached", "is it on?");
  return report;
}

/// 2026-11-22T15:04:05Z.
inline constexpr std::int64_t kThen = 1'795'359'845'000;

inline docker::RecordedBuild recorded(const std::string& name, const std::string& hash,
                                      std::vector<graph::Reason> reasons) {
  docker::RecordedBuild build;
  build.at_ms = kThen;
  build.repo = "veggies";
  build.image = name;
  build.parent = "pepper_seed";
  build.hash = hash;
  build.tag = "veggies-" + name + ":" + hash;
  build.image_id = "sha256:0123";
  build.reasons = std::move(reasons);
  if (build.reasons.empty()) return build;
  build.duration_ms = 2800;
  build.uploaded_bytes = 10700;
  build.uploaded_files = 1;
  return build;
}

inline docker::RecordedAction action(const std::string& service, const std::string& what,
                                     std::vector<graph::Reason> reasons) {
  docker::RecordedAction action;
  action.at_ms = kThen + 2000;
  action.repo = "veggies";
  action.parent = "pepper_seed";
  action.service = service;
  action.host_id = "pepper_seed.veggies." + service;
  action.action = what;
  action.image = "veggies-" + service + ":" + kHashA;
  action.reasons = std::move(reasons);
  return action;
}

inline std::vector<docker::RecordedBuild> builds() {
  return {recorded("api", kHashB, {}),
          recorded("api", kHashA,
                   {{graph::ReasonKind::kFileChanged, kOddName, ""},
                    {graph::ReasonKind::kDockerfileChanged, "docker/api.Dockerfile", "- 3: EXPOSE 80\n+ 3: EXPOSE 81"},
                    {graph::ReasonKind::kUpstreamChanged, "base", "hash 1a2b… → ffee…"}}),
          recorded("base", kHashB, {{graph::ReasonKind::kNeverBuilt, "base", ""}})};
}

inline docker::History history() {
  return {builds(),
          {action("api", "recreated",
                  {{graph::ReasonKind::kImageChanged, "veggies-api", "base → api: file-changed a.c, and 2 more"},
                   {graph::ReasonKind::kDefinitionChanged, "environment.LEVEL", "changed"}}),
           action("db", "removed", {})}};
}

/// api is stale, base is as built, tool was never built, and gone could not be asked about.
inline docker::ExplainReport explained() {
  docker::ExplainReport report;
  report.parent = "pepper_seed";
  report.repo = "veggies";
  docker::ImageResult api = image("api", docker::ImageStatus::kStale, kHashB);
  api.reasons = {{graph::ReasonKind::kFileAdded, "src/new.c", ""},
                 {graph::ReasonKind::kBuildArgChanged, "VERSION", ""}};
  docker::ImageResult tool = image("tool", docker::ImageStatus::kStale, kHashA);
  tool.reasons = {{graph::ReasonKind::kNeverBuilt, "tool", "so far only on carrot_seed"}};
  report.images = {{builds()[2], built().images[1]},
                   {builds()[1], api},
                   {std::nullopt, tool},
                   {builds()[1], image("gone", docker::ImageStatus::kUnknown, kHashA)}};
  report.images[0].now.name = "base";
  docker::ServiceResult stopped = service("api", docker::ServiceAction::kStarted, "was stopped");
  stopped.reasons = {{graph::ReasonKind::kStopped, "api", "was stopped"}};
  report.services = {
      {"api", "pepper_seed.veggies.api", history().services[0], stopped},
      {"db", "pepper_seed.veggies.db", std::nullopt, service("db", docker::ServiceAction::kUnchanged, "")},
      {"gone", "pepper_seed.veggies.gone", history().services[1], std::nullopt}};
  return report;
}

inline std::vector<HostListing> hosts() {
  return {{"pepper_seed", HostKind::kUnix, "", "veggies", true, HostState::kUnknown, "", "", 0},
          {"local", HostKind::kLocal, "", "", false, HostState::kUnknown, "", "", 0},
          {"pepper_seed.veggies.api", HostKind::kContainer, "pepper_seed", "veggies", false, HostState::kRunning,
           "c0ffee", "veggies-api:" + kHashA, 1'795'359'845'000},
          {"pepper_seed.veggies.db", HostKind::kContainer, "pepper_seed", "veggies", false, HostState::kDeclared, "",
           "", 0}};
}

inline std::vector<docker::HostContainers> containers() {
  docker::HostContainers pepper{"pepper_seed", true, std::nullopt, {}};
  pepper.containers = {{"c0ffee0123456789", "otto-veggies-me-api-1", "veggies-api:" + kHashA, "Up 3 minutes", "api",
                        "pepper_seed.veggies.api"},
                       {"beef", "other", "busybox", "Up 2 days", "", ""}};
  docker::HostContainers silent{"carrot_seed", true, std::nullopt, {}};
  docker::HostContainers lost{"onion_seed", false, make_error(ErrorCode::kUnreachable, "no route to onion_seed"), {}};
  return {pepper, silent, lost};
}

inline docker::ContextListing context() {
  docker::ContextListing listing{"api", "/srv/veggies/docker", kHashA, {}};
  const auto add = [&](std::string path, graph::EntryType type, std::uint16_t mode, std::uint64_t size,
                       std::string target) {
    graph::ContextEntry entry;
    entry.path = std::move(path);
    entry.type = type;
    entry.mode = mode;
    entry.size = size;
    entry.target = std::move(target);
    listing.manifest.entries.push_back(entry);
  };
  add("Dockerfile", graph::EntryType::kFile, 0644, 812, "");
  add("data", graph::EntryType::kDirectory, 0755, 0, "");
  add(kOddName, graph::EntryType::kFile, 04755, 1'234'567, "");
  add("run", graph::EntryType::kSymlink, 0777, 0, "bin/run");
  return listing;
}

inline Diagnosis diagnosis() {
  const auto check = [](std::string step, std::string subject, CheckStatus status, std::string detail,
                        std::string hint = "", std::optional<ErrorCode> code = std::nullopt) {
    return Check{std::move(step), std::move(subject), status, std::move(detail), std::move(hint), code};
  };
  Diagnosis diagnosis;
  diagnosis.configuration = {
      check("settings", "", CheckStatus::kOk, "veggies (/r/.otto/settings.toml)"),
      check("lab", "", CheckStatus::kWarning, "veggies: 2 hosts\n/r/lab/hosts.json can be read by others"),
      check("memo", "", CheckStatus::kOk, "/s/memo.db")};
  diagnosis.hosts = {
      {"pepper_seed",
       {check("route", "", CheckStatus::kOk, "otto@gate:22 -> otto@10.0.0.7:22"),
        check("connect", "leek_gate", CheckStatus::kOk, "reached"),
        check("log-in", "leek_gate", CheckStatus::kFailed, "hop 'leek_gate' (gate:22): cannot log in as 'otto'",
              "check the user\nand the key", ErrorCode::kAuthFailed),
        check("connect", "", CheckStatus::kSkipped, ""), check("log-in", "", CheckStatus::kSkipped, ""),
        check("log-in", "", CheckStatus::kSkipped, "")}},
      {"carrot_seed",
       {check("shell", "", CheckStatus::kWarning, "/bin/sh; its rc files print " + kOddName, "make them silent")}}};
  return diagnosis;
}

}  // namespace otto::cli::samples

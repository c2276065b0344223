#include "engine/parent/remote_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "engine/parent/docker_command.h"
#include "engine/parent/remote_lock.h"
#include "engine/parent/scripts.h"
#include "engine/workspace/names.h"
#include "graph/base/record.h"
#include "graph/base/text.h"

namespace otto::parent {

namespace {

/// Docker's own spelling in `docker image ls`: short repository, tag made explicit.
std::string familiar_reference(const std::string& reference) {
  const workspace::ParsedReference parsed = workspace::parse_reference(reference);
  return parsed.repository + ":" + (parsed.tag.empty() ? "latest" : parsed.tag);
}

std::string facts_script(const ParentSettings& settings) {
  return fmt::format("otto_root={}\n{}", stage_root_word(settings), kFactsScript);
}

std::string familiar_repository(const std::string& reference) {
  return workspace::parse_reference(reference).repository;
}

/// Base images are listed with their repository, because only so `image ls` tells their digests too.
std::string images_script(const ProbeRequest& request) {
  std::set<std::string> wanted;
  for (const std::string& image : request.images) wanted.insert(familiar_reference(image));
  for (const std::string& repository : request.repositories) wanted.insert(familiar_repository(repository));
  for (const BaseQuery& base : request.bases) wanted.insert(familiar_repository(base.reference));
  if (wanted.empty()) return {};
  std::string script = fmt::format("otto_images() {{ otto_docker image ls --no-trunc --format '{}'",
                                   request.bases.empty() ? "image\t{{.ID}}\t{{.Repository}}:{{.Tag}}"
                                                         : "image\t{{.ID}}\t{{.Repository}}:{{.Tag}}\t{{.Digest}}");
  for (const std::string& reference : wanted) script += " --filter " + text::shell_quote("reference=" + reference);
  return script + "; }\n";
}

/// Pulls what is asked for, lists the images, and anew where something was pulled; empty where nothing is asked for.
std::string pull_script(const std::vector<BaseQuery>& bases) {
  std::string calls;
  for (const BaseQuery& base : bases) {
    if (base.pull == Pull::kNever) continue;
    calls += base.pull == Pull::kAlways
                 ? "otto_pull "
                 : "otto_pull_missing " + text::shell_quote(familiar_reference(base.reference)) + " ";
    calls += text::shell_quote(base.reference);
    if (!base.platform.empty()) calls += " --platform " + text::shell_quote(base.platform);
    calls += '\n';
  }
  return calls.empty() ? calls : fmt::format("{}{}{}", kPullScript, calls, kPulledScript);
}

/// Begins to list the images while the rest of the probe runs; theirs are the only lines written meanwhile.
constexpr std::string_view kBeginImages = "otto_images & otto_images=$!\n";
/// The engine's words come from here alone where it does not answer at all.
constexpr std::string_view kAwaitImages = "wait \"$otto_images\" || exit $?\n";

/// Awaits the images, too, where they are listed meanwhile.
std::string containers_script(const ProbeRequest& request, bool images_begun) {
  if (request.compose_project.empty()) return std::string(images_begun ? kAwaitImages : "");
  std::string known = " ";
  for (const ContainerState& container : request.known_containers) known += container.id + " ";
  const std::string locks = request.lock_root.empty() ? "\"$otto_locks\"" : text::shell_quote(request.lock_root);
  std::string script = project_notes_script(locks, request.compose_project);
  if (!request.stack_stage.empty()) {
    script += fmt::format("otto_stage={}\n{}", text::shell_quote(request.stack_stage), kStageNoteScript);
  }
  return script + fmt::format("otto_project={} otto_temporary={} otto_known={}{}\n{}",
                              text::shell_quote(request.compose_project), text::shell_quote(temporary_name_pattern()),
                              text::shell_quote(known), images_begun ? "" : " otto_images=", kContainersScript);
}

int to_int(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// What Docker's templates print for a label that is not there.
std::string label_value(std::string field) { return field == "<no value>" ? "" : field; }

std::optional<ContainerState> to_container(const Record& record) {
  ContainerState container;
  std::string status, number, health, restarts;
  if (!record.read(container.id, container.image_id, status, container.exit_code, container.service, number,
                   container.service_digest, container.image, container.name, health, restarts, container.account)) {
    return std::nullopt;
  }
  container.status = parse_status(status);
  container.number = static_cast<unsigned>(std::max(1, to_int(number)));
  container.service_digest = label_value(std::move(container.service_digest));
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.health = parse_health(health);
  container.restarts = static_cast<unsigned>(std::max(0, to_int(restarts)));
  container.account = label_value(std::move(container.account));
  return container;
}

/// `docker ps` tells names by which others are linked to a container, too: "db-1,api-1/db".
std::string own_name_of(const std::string& names) {
  for (const std::string& name : text::split(names, ',')) {
    if (name.find('/') == std::string::npos) return name;
  }
  return names;
}

/// A known container as its line of `docker ps` has it: "Up 2 hours (healthy)", "Exited (137) 3 days ago".
ContainerState as_listed(ContainerState container, const std::string& names, std::string_view status) {
  constexpr std::string_view kExited = "Exited (";
  container.name = own_name_of(names);
  container.health = status.ends_with("(unhealthy)")          ? Health::kUnhealthy
                     : status.ends_with("(healthy)")          ? Health::kHealthy
                     : status.ends_with("(health: starting)") ? Health::kStarting
                                                              : Health::kNone;
  const bool exited = status.starts_with(kExited);
  container.status = exited ? ContainerStatus::kExited : ContainerStatus::kRunning;
  container.exit_code = exited ? to_int(std::string(status.substr(kExited.size()))) : 0;
  return container;
}

void take_state(Probe& probe, const ProbeRequest& request, const Record& record) {
  std::string id, names, state, status;
  if (!record.read(id, names, state, status)) return;
  const auto known = std::ranges::find(request.known_containers, id, &ContainerState::id);
  if (known != request.known_containers.end()) probe.containers.push_back(as_listed(*known, names, status));
}

using BaseStates = std::map<std::string, BaseState>;  // by Docker's own spelling

void take_image(BaseStates& found, const Record& record) {
  std::string id, reference, digest;
  if (!record.read(id, reference) && !record.read(id, reference, digest)) return;
  BaseState& image = found[reference];
  image.id = id;
  if (digest.starts_with("sha256:")) image.digests.push_back(digest);
}

void answer_images(Probe& probe, const ProbeRequest& request, const BaseStates& found) {
  for (const std::string& image : request.images) {
    const auto entry = found.find(familiar_reference(image));
    if (entry != found.end()) probe.image_ids[image] = entry->second.id;
  }
  for (const std::string& repository : request.repositories) {
    const std::string head = familiar_repository(repository) + ":";
    for (auto entry = found.lower_bound(head); entry != found.end() && entry->first.starts_with(head); ++entry) {
      probe.image_ids[repository + entry->first.substr(head.size() - 1)] = entry->second.id;
    }
  }
  for (const BaseQuery& base : request.bases) {
    BaseState& state = probe.bases[base.reference];
    const auto entry = found.find(familiar_reference(base.reference));
    if (entry == found.end()) continue;
    state.id = entry->second.id;
    state.digests = entry->second.digests;
  }
}

Probe read_probe(const std::string& answer, const ProbeRequest& request) {
  BaseStates found;
  std::set<std::string> doomed;
  Probe probe;
  if (request.want_facts) probe.facts.emplace();
  for (const Record& record : split_records(answer)) {
    const std::string& kind = record.kind();
    std::string name, value;
    if (kind == "image") take_image(found, record);
    if (kind == "state") take_state(probe, request, record);
    if (kind == "unpulled" && record.read(name, value)) probe.bases[name].problem = text::trim(value);
    if (kind == "stamp") (void)record.read(probe.stack_stamp, probe.stack_tree);
    if (kind == "generation") (void)record.read(probe.generation);
    if (kind == "doomed" && record.read(value)) doomed.insert(value);
    if (kind == "fact" && record.read(name, value) && probe.facts) take_fact(*probe.facts, name, value);
    if (kind != "container") continue;
    if (auto container = to_container(record)) probe.containers.push_back(std::move(*container));
  }
  answer_images(probe, request, found);
  for (ContainerState& container : probe.containers) container.doomed = doomed.contains(container.id);
  std::sort(probe.containers.begin(), probe.containers.end(),
            [](const auto& a, const auto& b) { return std::tie(a.service, a.number) < std::tie(b.service, b.number); });
  return probe;
}

}  // namespace

Result<Probe> probe_parent(transport::Remote& remote, const ParentSettings& settings, const ProbeRequest& request,
                           const std::stop_token& stop) {
  transport::Script script;
  script.stop = stop;
  const std::string images = images_script(request);
  const std::string pulls = pull_script(request.bases);
  const bool at_once = !images.empty() && pulls.empty();
  script.text = docker_prelude(settings) + (request.want_facts ? std::string(kLockFactsScript) : "") + images +
                (at_once ? std::string(kBeginImages) : pulls) + containers_script(request, at_once);
  if (request.want_facts) {
    // The engine must answer before facts about it are believed; with images or containers asked for it already did.
    if (images.empty() && request.compose_project.empty()) script.text += "otto_docker ps -q >/dev/null || exit $?\n";
    script.text += facts_script(settings);
  }
  script.text += "exit 0\n";
  OTTO_TRY(const transport::Output output, pulls.empty() ? remote.run(script) : remote.run_job(script));
  if (!output.status.success()) {
    return docker_error(output, remote.host_id(), ErrorCode::kRemoteFailed, "docker does not answer");
  }
  return read_probe(output.out, request);
}

}  // namespace otto::parent

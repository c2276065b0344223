#include "cli/render/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/render/graph_text.h"
#include "cli/render/layout.h"
#include "cli/render/names.h"
#include "cli/render/prune_text.h"
#include "cli/render/times.h"
#include "graph/base/base64.h"
#include "graph/base/text.h"

namespace otto::cli::json {
namespace {

using Json = nlohmann::ordered_json;

std::string document(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

template <typename Report, typename Convert>
std::string one_or_more(std::span<const Report> reports, Convert convert) {
  if (reports.size() == 1) return document(convert(reports.front()));
  Json all = Json::array();
  for (const Report& report : reports) all.push_back(convert(report));
  return document({{"reports", std::move(all)}});
}

Json of_error(const Error& error) {
  Json json = {{"code", error_code_name(error.code)}, {"message", error.message}, {"context", error.context}};
  if (!error.hint.empty()) json["hint"] = error.hint;
  return json;
}

Json of_reasons(const std::vector<graph::Reason>& reasons) {
  Json all = Json::array();
  for (const graph::Reason& reason : reasons) {
    all.push_back({{"kind", graph::reason_name(reason.kind)}, {"subject", reason.subject}, {"detail", reason.detail}});
  }
  return all;
}

Json of_image(const docker::ImageResult& image) {
  return {{"name", image.name},
          {"status", docker::status_name(image.status)},
          {"tag", image.tag},
          {"hash", image.hash},
          {"image_id", image.image_id},
          {"reasons", of_reasons(image.reasons)},
          {"uploaded_bytes", image.uploaded_bytes},
          {"uploaded_files", image.uploaded_files},
          {"duration_ms", image.duration_ms}};
}

Json of_images(const docker::BuildReport& report) {
  Json images = Json::array();
  for (const docker::ImageResult& image : report.images) images.push_back(of_image(image));
  return images;
}

Json of_explanation(const docker::ImageExplanation& image) {
  Json last;
  if (image.last_build) {
    last = {{"at", rfc3339(image.last_build->at_ms)},
            {"parent", image.last_build->parent},
            {"reasons", of_reasons(image.last_build->reasons)}};
  }
  return {{"name", image.now.name},
          {"tag", image.now.tag},
          {"last_build", std::move(last)},
          {"now", {{"status", docker::status_name(image.now.status)}, {"reasons", of_reasons(image.now.reasons)}}}};
}

Json of_recorded(const docker::RecordedBuild& build) {
  return {{"at", rfc3339(build.at_ms)},
          {"repo", build.repo},
          {"image", build.image},
          {"parent", build.parent},
          {"status", recorded_status(build)},
          {"tag", build.tag},
          {"hash", build.hash},
          {"image_id", build.image_id},
          {"reasons", of_reasons(build.reasons)},
          {"uploaded_bytes", build.uploaded_bytes},
          {"uploaded_files", build.uploaded_files},
          {"duration_ms", build.duration_ms}};
}

Json of_action(const docker::RecordedAction& action) {
  return {{"at", rfc3339(action.at_ms)},
          {"repo", action.repo},
          {"parent", action.parent},
          {"service", action.service},
          {"host_id", action.host_id},
          {"action", action.action},
          {"reasons", of_reasons(action.reasons)},
          {"image", action.image}};
}

Json of_service_explanation(const docker::ServiceExplanation& service) {
  Json last;
  if (service.last_action) {
    last = {{"at", rfc3339(service.last_action->at_ms)},
            {"parent", service.last_action->parent},
            {"action", service.last_action->action},
            {"reasons", of_reasons(service.last_action->reasons)}};
  }
  Json now = {{"status", service.now ? docker::action_name(service.now->action) : "unknown"},
              {"reasons", of_reasons(service.now ? service.now->reasons : std::vector<graph::Reason>())}};
  return {{"service", service.service},
          {"host_id", service.host_id},
          {"last_action", std::move(last)},
          {"now", std::move(now)}};
}

Json of_host(const HostListing& host) {
  Json json = {{"id", host.id}, {"kind", host_kind_name(host.kind)}};
  if (!host.parent.empty()) json["parent"] = host.parent;
  json["lab"] = host.lab;
  json["docker_capable"] = host.docker_capable;
  json["state"] = host_state_name(host.state);
  if (!host.container_id.empty()) json["container_id"] = host.container_id;
  if (!host.image.empty()) json["image"] = host.image;
  if (host.last_seen_ms != 0) json["last_seen"] = rfc3339(host.last_seen_ms);
  return json;
}

Json of_hosts(std::span<const HostListing> hosts) {
  Json all = Json::array();
  for (const HostListing& host : hosts) all.push_back(of_host(host));
  return all;
}

Json of_container(const docker::ContainerInfo& container) {
  Json json = {
      {"id", container.id}, {"name", container.name}, {"image", container.image}, {"status", container.status}};
  if (!container.service.empty()) json["service"] = container.service;
  if (!container.host_id.empty()) json["host_id"] = container.host_id;
  return json;
}

Json of_checks(const std::vector<Check>& checks) {
  Json all = Json::array();
  for (const Check& check : checks) {
    Json json = {{"step", check.step}, {"status", check_status_name(check.status)}, {"detail", check.detail}};
    if (!check.subject.empty()) json["subject"] = check.subject;
    if (!check.hint.empty()) json["hint"] = check.hint;
    if (check.code) json["code"] = error_code_name(*check.code);
    all.push_back(std::move(json));
  }
  return all;
}

/// A report of one parent among several, with what went wrong on it.
Json with_error(Json report, const std::optional<Error>& error) {
  if (error) report["error"] = of_error(*error);
  return report;
}

}  // namespace

std::string doctor(const Diagnosis& diagnosis) {
  Json hosts = Json::array();
  for (const HostDiagnosis& host : diagnosis.hosts) {
    hosts.push_back({{"id", host.host_id}, {"checks", of_checks(host.checks)}});
  }
  return document({{"configuration", of_checks(diagnosis.configuration)}, {"hosts", std::move(hosts)}});
}

std::string build(std::span<const docker::BuildReport> reports) {
  return one_or_more(reports, [](const docker::BuildReport& report) -> Json {
    return with_error({{"parent", report.parent},
                       {"parent_reachable", report.parent_reachable},
                       {"repo", report.repo},
                       {"images", of_images(report)}},
                      report.error);
  });
}

std::string up(std::span<const docker::UpReport> reports) {
  return one_or_more(reports, [](const docker::UpReport& report) -> Json {
    Json services = Json::array();
    for (const docker::ServiceResult& service : report.services) {
      services.push_back({{"service", service.service},
                          {"host_id", service.host_id},
                          {"container_id", service.container_id},
                          {"image", service.image},
                          {"action", docker::action_name(service.action)},
                          {"reasons", of_reasons(service.reasons)}});
    }
    return with_error({{"parent", report.build.parent},
                       {"parent_reachable", report.build.parent_reachable},
                       {"repo", report.build.repo},
                       {"project", report.project},
                       {"images", of_images(report.build)},
                       {"services", std::move(services)}},
                      report.build.error);
  });
}

std::string down(std::span<const docker::DownReport> reports) {
  return one_or_more(reports, [](const docker::DownReport& report) -> Json {
    return with_error(
        {{"parent", report.parent}, {"repo", report.repo}, {"project", report.project}, {"removed", report.removed}},
        report.error);
  });
}

std::string ps(std::span<const docker::HostContainers> hosts) {
  Json all = Json::array();
  for (const docker::HostContainers& host : hosts) {
    Json json = {{"id", host.id}, {"reachable", host.reachable}};
    if (host.error) json["error"] = of_error(*host.error);
    Json& containers = json["containers"] = Json::array();
    for (const docker::ContainerInfo& container : host.containers) containers.push_back(of_container(container));
    all.push_back(std::move(json));
  }
  return document({{"hosts", std::move(all)}});
}

std::string explain(std::span<const docker::ExplainReport> reports) {
  const bool several = reports.size() != 1;
  return one_or_more(reports, [several](const docker::ExplainReport& report) {
    Json json = Json::object();
    if (several) json.update({{"parent", report.parent}, {"repo", report.repo}});
    Json& images = json["images"] = Json::array();
    for (const docker::ImageExplanation& image : report.images) images.push_back(of_explanation(image));
    Json& services = json["services"] = Json::array();
    for (const docker::ServiceExplanation& service : report.services)
      services.push_back(of_service_explanation(service));
    return with_error(std::move(json), report.error);
  });
}

std::string history(const docker::History& history) {
  Json builds = Json::array(), services = Json::array();
  for (const docker::RecordedBuild& build : history.builds) builds.push_back(of_recorded(build));
  for (const docker::RecordedAction& action : history.services) services.push_back(of_action(action));
  return document({{"builds", std::move(builds)}, {"services", std::move(services)}});
}

std::string prune(std::span<const docker::PruneReport> reports) {
  return one_or_more(reports, [](const docker::PruneReport& report) -> Json {
    Json removed = Json::array(), kept = Json::array();
    std::uint64_t bytes = 0;
    for (const docker::PruneEntry& entry : report.removed) {
      removed.push_back({{"kind", prune_kind_name(entry.kind)}, {"name", entry.name}, {"size", entry.bytes}});
      bytes += entry.bytes;
    }
    for (const docker::PruneEntry& entry : report.kept) {
      kept.push_back(
          {{"kind", prune_kind_name(entry.kind)}, {"name", entry.name}, {"size", entry.bytes}, {"why", entry.why}});
    }
    return with_error({{"parent", report.parent},
                       {"repo", report.repo},
                       {"removed", std::move(removed)},
                       {"kept", std::move(kept)},
                       {"size", bytes}},
                      report.error);
  });
}

std::string graph(std::span<const docker::GraphReport> reports) {
  return one_or_more(reports, [](const docker::GraphReport& report) -> Json {
    const auto id = [](const docker::GraphNode& node) {
      return fmt::format("{}:{}", shown_node_kind(node.kind), node.name);
    };
    Json nodes = Json::array();
    for (const docker::GraphNode& node : report.nodes) {
      Json inputs = Json::array();
      for (const std::size_t input : node.inputs) inputs.push_back(id(report.nodes[input]));
      nodes.push_back({{"id", id(node)},
                       {"kind", shown_node_kind(node.kind)},
                       {"name", node.name},
                       {"state", docker::node_state_name(node.state)},
                       {"reasons", of_reasons(node.reasons)},
                       {"why", node.why},
                       {"inputs", std::move(inputs)}});
    }
    return with_error({{"parent", report.parent},
                       {"parent_reachable", report.parent_reachable},
                       {"repo", report.repo},
                       {"nodes", std::move(nodes)}},
                      report.error);
  });
}

void context(const docker::ContextListing& listing, const std::function<void(std::string_view)>& print) {
  // The document around the files, as dumped with none of them; each is put in between, as deep as it would be there.
  std::string frame =
      document({{"image", listing.image}, {"root", listing.root}, {"hash", listing.hash}, {"files", Json::array()}});
  constexpr std::string_view kEnd = "]\n}\n", kIndent = "\n    ";
  frame.resize(frame.size() - kEnd.size());
  TextPieces pieces(print);
  pieces.add(frame);
  bool first = true;
  for (const graph::ContextEntry& entry : listing.manifest.entries) {
    Json file = {{"path", entry.path.view()},
                 {"type", entry_type_name(entry.type)},
                 {"mode", fmt::format("{:04o}", entry.mode)},
                 {"size", entry.size}};
    if (entry.type == graph::EntryType::kSymlink) file["target"] = entry.target.view();
    std::string text = (first ? "\n" : ",\n") + document(file);
    text.pop_back();
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + kIndent.size())) {
      text.replace(at, 1, kIndent);
    }
    pieces.add(text);
    first = false;
  }
  pieces.add(first ? "" : "\n  ");
  pieces.add(kEnd);
}

std::string hosts(std::span<const HostListing> hosts) { return document({{"hosts", of_hosts(hosts)}}); }

std::string labs(std::span<const std::string> names) {
  return document({{"labs", std::vector<std::string>(names.begin(), names.end())}});
}

std::string lab(std::span<const HostListing> machines) {
  return document({{"labs", labs_of(machines)}, {"hosts", of_hosts(machines)}});
}

std::string command(std::string_view host_id, const CommandResult& result) {
  Json command = {
      {"host_id", host_id}, {"exit_code", result.exit_code}, {"stdout", result.out}, {"stderr", result.err}};
  // What is no UTF-8 is shown with marks in its place, and can be had whole.
  for (const auto& [key, bytes] : {std::pair{"stdout_base64", &result.out}, std::pair{"stderr_base64", &result.err}}) {
    if (!text::is_utf8(*bytes)) command[key] = base64_encode(*bytes);
  }
  return document(command);
}

std::string transfer(std::string_view host_id, const TransferReport& report) {
  return document(
      {{"host_id", host_id}, {"files", report.files}, {"bytes", report.bytes}, {"duration_ms", report.duration_ms}});
}

std::string planned_transfer(std::string_view host_id, std::span<const std::string> sources,
                             std::string_view destination) {
  return document({{"host_id", host_id},
                   {"sources", std::vector<std::string>(sources.begin(), sources.end())},
                   {"destination", destination}});
}

std::string planned_commands(std::string_view host_id, std::span<const std::string> commands) {
  return document({{"host_id", host_id}, {"commands", std::vector<std::string>(commands.begin(), commands.end())}});
}

std::string of_dry_run(std::string_view document) {
  Json json = Json::parse(document);
  json["dry_run"] = true;
  return json::document(json);
}

std::string version(std::string_view version) { return document({{"version", version}}); }

std::string error(const Error& error) { return document({{"error", of_error(error)}}); }

std::string progress(const Event& event) {
  Json json = {{"event", event_kind_name(event.kind)}};
  if (event.kind == Event::Kind::kPhase) json["phase"] = phase_name(event.phase);
  if (!event.subject.empty()) json["subject"] = event.subject;
  if (!event.detail.empty()) json["detail"] = event.detail;
  if (event.done != 0 || event.total != 0) {
    json["done"] = event.done;
    json["total"] = event.total;
  }
  if (event.kind == Event::Kind::kDone || event.kind == Event::Kind::kFailed) json["elapsed_ms"] = event.elapsed_ms;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace otto::cli::json

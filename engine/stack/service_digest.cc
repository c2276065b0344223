#include "engine/stack/service_digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "engine/compose/compose_file.h"
#include "engine/compose/stage_layout.h"
#include "engine/stack/stack_model.h"
#include "graph/base/text.h"

namespace otto::stack {
namespace {

namespace dom = simdjson::dom;
namespace fs = std::filesystem;
using graph::ReasonKind;
using Member = std::pair<std::string_view, dom::element>;

std::vector<Member> sorted_members(const dom::element& element) {
  std::vector<Member> all;
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return all;
  for (const auto& [key, value] : object) all.emplace_back(key, value);
  std::sort(all.begin(), all.end(), [](const Member& a, const Member& b) { return a.first < b.first; });
  return all;
}

bool is_empty(const dom::element& element) {
  if (element.is_null()) return true;
  dom::object object;
  return element.get(object) == simdjson::SUCCESS && object.size() == 0;
}

/// Members of a service's `labels` or `deploy` that count: not otto's own label, nor the number of replicas, nor what
/// other releases of Compose leave out.
std::vector<Member> counted_members(std::string_view key, const dom::element& value) {
  std::vector<Member> all = sorted_members(value);
  const std::string_view own = key == "labels" ? kServiceDigestLabel : std::string_view("replicas");
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const Member& member) {
                             return member.first == own || (key == "deploy" && is_empty(member.second));
                           }),
            all.end());
  return all;
}

/// Their values are no secrets, as long as no variable stands in them. Of others only the name is told.
constexpr std::array<std::string_view, 47> kShown = {
    "cap_add",       "cap_drop",    "cgroup",     "container_name",    "cpu_shares",    "cpus",
    "cpuset",        "devices",     "dns",        "dns_opt",           "dns_search",    "domainname",
    "expose",        "extra_hosts", "group_add",  "hostname",          "init",          "ipc",
    "links",         "mac_address", "mem_limit",  "mem_reservation",   "memswap_limit", "network_mode",
    "oom_score_adj", "pid",         "pids_limit", "platform",          "ports",         "privileged",
    "read_only",     "restart",     "runtime",    "shm_size",          "stdin_open",    "stop_signal",
    "sysctls",       "tmpfs",       "tty",        "stop_grace_period", "ulimits",       "user",
    "userns_mode",   "uts",         "volumes",    "volumes_from",      "working_dir"};

std::string plain_text(const dom::element& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? std::string(text) : std::string(simdjson::minify(value));
}

/// "80/tcp" of a port, "/data" of a mount; empty: it has no such name.
std::string target_of(const dom::element& item) {
  dom::element target;
  if (item["target"].get(target) != simdjson::SUCCESS) return {};
  std::string_view protocol;
  const bool has_protocol = item["protocol"].get(protocol) == simdjson::SUCCESS;
  return plain_text(target) + (has_protocol && protocol != "tcp" ? fmt::format("/{}", protocol) : "");
}

/// Names of the networks, volumes, configs or secrets that a service uses.
std::set<std::string_view> used_names(const dom::element& service, std::string_view kind) {
  std::set<std::string_view> names;
  dom::element uses;
  if (service[kind].get(uses) != simdjson::SUCCESS) return names;
  for (const Member& member : sorted_members(uses)) names.insert(member.first);
  dom::array array;
  if (uses.get(array) != simdjson::SUCCESS) return names;
  for (const dom::element& item : array) {
    std::string_view name;
    if (item.get(name) == simdjson::SUCCESS || item["source"].get(name) == simdjson::SUCCESS) names.insert(name);
  }
  return names;
}

void encode_label(std::string_view label, std::string& out) {
  out += fmt::format("k{}:", label.size());
  out += label;
}

}  // namespace

ServiceDigester::ServiceDigester(const dom::element& document, const ModelSources& sources)
    : document_(document), sources_(sources), stage_(sources.stage_directory), project_(sources.project_directory) {
  while (!stage_.empty() && stage_.back() == '/') stage_.pop_back();
  if (!stage_.empty()) stage_ += '/';
}

graph::Digest ServiceDigester::digest(const dom::element& service) const {
  std::string out = "otto service 2\n";
  for (const auto& [key, value] : sorted_members(service)) {
    if (!compose::reaches_container(key) || value.is_null()) continue;
    if (key == "labels" || key == "deploy") {
      const std::vector<Member> kept = counted_members(key, value);
      if (kept.empty()) continue;
      encode_label(key, out);
      for (const auto& [name, member] : kept) {
        encode_label(name, out);
        encode(member, out);
      }
      continue;
    }
    encode_label(key, out);
    encode(value, out);
  }
  for (const std::string_view kind : {"networks", "volumes", "configs", "secrets"}) {
    for (const std::string_view name : used_names(service, kind)) add_definition(kind, name, out);
  }
  add_seccomp_profiles(service, out);
  return graph::sha256(out);
}

ServiceDefinition ServiceDigester::definition(const std::string& name, const dom::element& service) const {
  const auto known = sources_.services.find(name);
  const Sources sources = known == sources_.services.end() ? nullptr : &known->second;
  Parts parts;
  for (const auto& [key, value] : sorted_members(service)) {
    if (compose::reaches_container(key) && !value.is_null()) add_key(std::string(key), value, sources, parts);
  }
  std::string profiles;
  add_seccomp_profiles(service, profiles);
  if (!profiles.empty()) parts.push_back({ReasonKind::kStagedFileChanged, "seccomp profile", secret_digest(profiles)});
  for (const std::string_view kind : {"networks", "volumes", "configs", "secrets"}) {
    for (const std::string_view used : used_names(service, kind)) add_used(kind, used, parts);
  }
  add_sources(sources, parts);
  return make_definition(std::move(parts));
}

/// Objects member by member, mounts and ports one by one, unless a variable may have named them.
void ServiceDigester::add_key(const std::string& key, const dom::element& value, Sources sources, Parts& parts) const {
  const bool partial = sources == nullptr || sources->written.partial;
  if (value.is_object() && !partial && !sources->written.names_from_variables.contains(key)) {
    const bool counted = key == "labels" || key == "deploy";
    for (const auto& [name, member] : counted ? counted_members(key, value) : sorted_members(value)) {
      parts.push_back(part_of(key, fmt::format("{}.{}", key, name), member, sources));
    }
    return;
  }
  dom::array items;
  std::vector<std::pair<std::string, dom::element>> targets;
  if (!partial && !sources->written.interpolated.contains(key) && value.get(items) == simdjson::SUCCESS) {
    for (const dom::element& item : items) targets.emplace_back(target_of(item), item);
  }
  if (targets.empty() || std::ranges::any_of(targets, [](const auto& target) { return target.first.empty(); })) {
    parts.push_back(part_of(key, key, value, sources));
    return;
  }
  for (const auto& [target, item] : targets) {
    parts.push_back(part_of(key, fmt::format("{}.{}", key, target), item, sources));
  }
}

DefinitionPart ServiceDigester::part_of(std::string_view key, std::string subject, const dom::element& value,
                                        Sources sources) const {
  constexpr std::size_t kMostShown = 120;
  std::string encoded;
  encode(value, encoded);
  DefinitionPart part{ReasonKind::kDefinitionChanged, std::move(subject), secret_digest(encoded)};
  const bool known =
      sources != nullptr && !sources->written.partial && !sources->written.interpolated.contains(std::string(key));
  if (!known || value.is_null() || std::ranges::find(kShown, key) == kShown.end()) return part;
  std::string text = simdjson::minify(value);
  if (!stage_.empty()) text = text::replace_all(std::move(text), stage_, "");
  const bool has_labels = text.find("\"labels\"") != std::string::npos;  // a volume's
  if (text.size() <= kMostShown && !has_labels) part.shown = std::move(text);
  return part;
}

graph::Digest ServiceDigester::secret_digest(std::string_view bytes) const {
  return graph::sha256(fmt::format("{}:{}{}", sources_.secret.size(), sources_.secret, bytes));
}

/// A network, volume, config or secret that the service uses, by its name in the compose file.
void ServiceDigester::add_used(std::string_view kind, std::string_view name, Parts& parts) const {
  std::string encoded;
  add_definition(kind, name, encoded);
  if (encoded.empty()) return;
  const graph::Digest digest = secret_digest(encoded);
  std::string_view source;
  if (kind == "secrets") {
    parts.push_back({ReasonKind::kSecretChanged, std::string(name), digest});
  } else if (kind == "configs" && document_[kind][name]["file"].get(source) == simdjson::SUCCESS) {
    parts.push_back({ReasonKind::kStagedFileChanged, fmt::format("configs.{}", name), digest});
  } else {
    parts.push_back({ReasonKind::kDefinitionChanged, fmt::format("top-level {}.{}", kind, name), digest});
  }
}

/// What shows in keys already, by where it comes from.
void ServiceDigester::add_sources(Sources sources, Parts& parts) const {
  if (sources == nullptr) return;
  for (const std::string& file : sources->staged_files) {
    const auto staged = sources_.staged.find(file);
    if (staged != sources_.staged.end()) {
      parts.push_back({ReasonKind::kStagedFileChanged, file, secret_digest(staged->second.hex())});
    }
  }
  for (const std::string& name : sources->written.variables) {
    const auto value = sources_.variables.find(name);
    if (value == sources_.variables.end()) continue;
    parts.push_back({ReasonKind::kVariableChanged, name, secret_digest(value->second)});
  }
}

void ServiceDigester::add_definition(std::string_view kind, std::string_view name, std::string& out) const {
  dom::element definition;
  if (document_[kind][name].get(definition) != simdjson::SUCCESS) return;
  out += 'd';
  encode_label(kind, out);
  encode_label(name, out);
  encode(definition, out);
  if (kind == "configs" || kind == "secrets") add_contents(definition, out);
}

/// The digests of the staged files, or of the variable, that a config or secret is made from.
void ServiceDigester::add_contents(const dom::element& definition, std::string& out) const {
  std::string_view text;
  if (definition["environment"].get(text) == simdjson::SUCCESS) {
    const auto known = sources_.variables.find(std::string(text));
    if (known != sources_.variables.end()) out += "c" + graph::sha256(known->second).hex();
  }
  if (definition["file"].get(text) != simdjson::SUCCESS) return;
  const std::string file(text);
  for (const auto& [path, digest] : sources_.staged) {
    const std::string full = (fs::path(stage_) / path).lexically_normal().string();
    if (full == file || full.compare(0, file.size() + 1, file + "/") == 0) {
      encode_label(std::string_view(full).substr(file.size()), out);
      out += "c" + digest.hex();
    }
  }
}

/// Compose sends their contents with the container's creation.
void ServiceDigester::add_seccomp_profiles(const dom::element& service, std::string& out) const {
  dom::array options;
  if (service["security_opt"].get(options) != simdjson::SUCCESS) return;
  for (const dom::element& option : options) {
    std::string_view text;
    if (option.get(text) != simdjson::SUCCESS) continue;
    const std::string profile = (project_ / compose::seccomp_profile(text)).lexically_normal().string();
    const auto known = sources_.staged.find(std::string(compose::without_tree_link(profile)));
    if (known != sources_.staged.end()) out += "p" + known->second.hex();
  }
}

void ServiceDigester::encode(const dom::element& value, std::string& out) const {
  std::string_view text;
  dom::array array;
  if (value.get(text) == simdjson::SUCCESS) {
    out += fmt::format("s{}:", text.size());
    out += text;
  } else if (value.get(array) == simdjson::SUCCESS) {
    out += fmt::format("a{}:", array.size());
    for (const dom::element& item : array) encode(item, out);
  } else if (value.is_object()) {
    const std::vector<Member> all = sorted_members(value);
    out += fmt::format("o{}:", all.size());
    for (const auto& [key, member] : all) {
      encode_label(key, out);
      encode(member, out);
    }
  } else {
    out += "v" + simdjson::minify(value) + ";";
  }
}

}  // namespace otto::stack

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

namespace otto::stack {
namespace {

namespace dom = simdjson::dom;
namespace fs = std::filesystem;
using Member = std::pair<std::string_view, dom::element>;

/// What never reaches a container, or is spoken for by the image id.
constexpr std::array<std::string_view, 7> kNotOfTheContainer = {"image",    "build", "pull_policy", "depends_on",
                                                                "profiles", "scale", "develop"};

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

bool counts(std::string_view key) {
  return key.substr(0, 2) != "x-" &&
         std::find(kNotOfTheContainer.begin(), kNotOfTheContainer.end(), key) == kNotOfTheContainer.end();
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

ServiceDigester::ServiceDigester(const dom::element& document, std::string_view stage_directory,
                                 const std::map<std::string, graph::Digest>& staged, std::string_view project_directory)
    : document_(document), stage_(stage_directory), staged_(staged), project_(project_directory) {
  while (!stage_.empty() && stage_.back() == '/') stage_.pop_back();
  if (!stage_.empty()) stage_ += '/';
}

graph::Digest ServiceDigester::digest(const dom::element& service) const {
  std::string out = "otto service 2\n";
  for (const auto& [key, value] : sorted_members(service)) {
    if (!counts(key) || value.is_null()) continue;
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
    const auto known = staged_.find("env:" + std::string(text));
    if (known != staged_.end()) out += "c" + known->second.hex();
  }
  if (definition["file"].get(text) != simdjson::SUCCESS) return;
  const std::string file(text);
  for (const auto& [path, digest] : staged_) {
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
    const auto known = staged_.find(std::string(compose::without_tree_link(profile)));
    if (known != staged_.end()) out += "p" + known->second.hex();
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

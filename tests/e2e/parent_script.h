// What a script of parent_scripts.cc does on a parent and puts down of the answers: calls of the seam, and hands beside
// it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/containers/half_replaced.h"
#include "engine/context/context_scan.h"
#include "engine/parent/parent.h"
#include "engine/parent/parent_session.h"
#include "engine/stack/stack_model.h"
#include "graph/base/text.h"
#include "graph/digest.h"

namespace otto::scripts {

namespace fs = std::filesystem;
using nlohmann::json;
using parent::ContainerState;

inline constexpr const char* kProject = "otto-scripts-e2e";
inline constexpr const char* kRepository = "scripts-app";

/// A parent, and hands on it.
struct Subject {
  parent::Parent* parent = nullptr;
  parent::ParentFacts facts;
  std::function<void(const std::string& container)> remove;  ///< `docker rm -f`, by name
  std::function<void(const std::string& container)> stop;    ///< `docker stop`, by name
  std::function<void(const std::string& reference)> untag;   ///< `docker rmi`
  std::function<void(const std::string& key, const std::string& path)> edit_stage;
  std::function<void()> settle;  ///< all that goes on by itself comes to its end
};

/// What a script has been told, with its local files.
class Script {
 public:
  Script(Subject& subject, fs::path folder) : subject_(subject), folder_(std::move(folder)) {
    fs::create_directories(folder_);
  }

  void say(const std::string& line) { lines_.push_back(line); }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  Subject& subject() { return subject_; }

  void write(const std::string& path, const std::string& content) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::trunc) << content;
  }
  void set_mode(const std::string& path, unsigned mode) {
    fs::permissions(folder_ / path, static_cast<fs::perms>(mode));
  }

  /// As Compose calls a service's first container.
  [[nodiscard]] std::string plain_name(const std::string& service) const {
    const char* between = subject_.facts.compose_v1() ? "_" : "-";
    return fmt::format("{}{}{}{}1", kProject, between, service, between);
  }
  /// The same word for an id wherever it appears: "image 1".
  std::string named(const std::string& kind, const std::string& id) {
    if (id.empty()) return "no " + kind;
    const auto [known, is_new] = names_.emplace(id, 0U);
    if (is_new) known->second = ++counts_[kind];
    return fmt::format("{} {}", kind, known->second);
  }
  /// A text with the ids of containers by such words.
  std::string plain(std::string text) {
    for (const auto& [id, number] : names_) {
      if (id.size() == 64) {
        text = text::replace_all(std::move(text), id, fmt::format("<container {}>", number));
        text = text::replace_all(std::move(text), id.substr(0, 12), fmt::format("<container {}>", number));
      }
    }
    return text;
  }
  template <typename T>
  bool told(const std::string& what, const Result<T>& result) {
    if (result.ok()) return true;
    const std::string words(text::trim(result.error().message));
    const std::string last = words.substr(words.rfind('\n') == std::string::npos ? 0 : words.rfind('\n') + 1);
    // Compose v1 words what the engine said in its own way.
    const bool of_the_engine =
        !subject_.facts.compose_v1() && last.find("Error response from daemon") != std::string::npos;
    say(fmt::format("{}: {}{}", what, error_code_name(result.error().code),
                    of_the_engine ? ": " + plain(last.substr(last.find("Error response"))) : ""));
    return false;
  }

  // --- stages and builds ---

  graph::ContextManifest scan(const std::string& context) {
    context::ScanRequest request;
    request.root = folder_ / context;
    const graph::ChangeKey key = graph::ChangeKey::random();
    request.key = &key;
    auto scanned = context::scan_context(request);
    if (!scanned.ok()) throw std::runtime_error(scanned.error().message);
    return std::move(scanned->manifest);
  }

  parent::StageState stage(const std::string& context) {
    const graph::ContextManifest manifest = scan(context);
    parent::StageRequest request;
    request.key = "scripts-" + context;
    request.source = folder_ / context;
    request.wanted = &manifest;
    auto staged = subject_.parent->stage(subject_.facts, request);
    if (!told("stage", staged)) return {};
    say(fmt::format("stage: {} files{}, {}, {}", staged->uploaded_files, staged->repaired ? ", repaired" : "",
                    named("tree", staged->directory.substr(staged->directory.rfind('/') + 1)),
                    named("stamp", staged->stamp)));
    return std::move(*staged);
  }

  struct Wanted {
    std::string tag, stamp;
    std::string dockerfile = "FROM otto-lab/base:1\nCOPY main /data/\nCOPY lib /data/lib/\n";
    std::vector<std::pair<std::string, std::string>> pins = {};
    bool meanwhile = false;
  };
  std::string build(const Wanted& wanted) {
    const graph::Fingerprint fingerprint;
    parent::BuildRequest request;
    request.name = "app";
    request.tag = fmt::format("{}:{}", kRepository, wanted.tag);
    request.latest = fmt::format("{}:latest", kRepository);
    request.dockerfile = wanted.dockerfile;
    request.dockerfile_name = "Dockerfile";
    request.stage_key = "scripts-app";
    request.stage_stamp = wanted.stamp;
    request.record_name = "scripts-app";
    request.fingerprint = &fingerprint;
    request.pins = wanted.pins;
    request.may_be_built_meanwhile = wanted.meanwhile;
    const auto built = subject_.parent->build(subject_.facts, request);
    if (!told("build", built)) return {};
    say(fmt::format("build: {}{}{}", built->stage_stale ? "stale stage" : named("image", built->image_id),
                    built->was_there ? ", was there" : "", ""));
    return built->image_id;
  }

  parent::Probe look() {
    parent::ProbeRequest request;
    request.repositories = {kRepository};
    request.compose_project = kProject;
    request.lock_root = subject_.facts.lock_root;
    auto probe = subject_.parent->probe(request, {});
    if (!probe.ok()) throw std::runtime_error(probe.error().message);
    return std::move(*probe);
  }
  void tell_tags() {
    for (const auto& [tag, id] : look().image_ids) say(fmt::format("tag {} is {}", tag, named("image", id)));
  }

  // --- stacks ---

  /// Takes the turn, stages the compose file and keeps how Compose is called.
  void open(const json& services) {
    write("stack/compose.json", json{{"services", services}}.dump());
    lock_ = subject_.parent->lock(subject_.facts, kProject, {});
    if (!told("lock", lock_->take({}))) return;
    compose_ = subject_.parent->compose(subject_.facts, kProject, {});
    compose_->in_turn(lock_->token());
    const graph::ContextManifest manifest = scan("stack");
    parent::StageRequest request;
    request.key = parent::stack_stage_key(kProject);
    request.kind = parent::StageKind::kInPlace;
    request.source = folder_ / "stack";
    request.wanted = &manifest;
    request.turn = parent::TurnOf{kProject, lock_->token()};
    const auto staged = subject_.parent->stage(subject_.facts, request);
    if (!told("stage of the stack", staged)) return;
    stack_.project = kProject;
    stack_.stage_directory = staged->directory;
    stack_.project_directory = ".";
    stack_.files = {"compose.json"};
    const auto config = compose_->config(stack_);
    if (!told("config", config)) return;
    std::string names;
    const json services_of = json::parse(*config).at("services");
    for (const auto& [name, service] : services_of.items()) names += " " + name;
    say("services:" + names);
  }
  void close(bool settled = true) {
    if (settled) lock_->settle();
    compose_.reset();
    lock_.reset();
  }

  /// `digest`: what the containers made are marked with. `cut`: the call is interrupted when Compose begins to stop
  /// one.
  void up(const std::vector<std::string>& services, parent::UpCall::Mode mode, char digest, bool cut = false) {
    std::map<std::string, graph::Digest> digests;
    for (const std::string& service : services) digests[service] = graph::sha256(std::string(1, digest));
    parent::UpCall call;
    call.override_yaml = stack::compose_override({}, digests, subject_.facts.account);
    call.services = services;
    call.mode = mode;
    std::stop_source stop;
    auto compose = subject_.parent->compose(subject_.facts, kProject, stop.get_token());
    compose->in_turn(lock_->token());
    call.on_stop = [&](std::string_view, bool stopping) {
      if (!cut || !stopping) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until it has been told to stop
      stop.request_stop();
    };
    const auto up = compose->up(stack_, call);
    if (told("up", up)) say("up: done");
  }

  void await(const std::vector<parent::Dependency>& conditions) {
    const auto met = compose_->await(conditions);
    if (told("await", met)) say("await: met");
  }
  void early_exits(const std::vector<std::string>& services, const std::set<std::string>& one_shots) {
    parent::Started started;
    started.services = services;
    started.one_shots = one_shots;
    started.since = std::chrono::seconds(30);
    started.starts = services.size();
    const auto exits = compose_->early_exits(started, [] {});
    if (!told("early exits", exits)) return;
    for (const parent::EarlyExit& exit : *exits) say(fmt::format("early exit: {} ({})", exit.service, exit.code));
  }

  /// Every container of the project as the probe tells it, those of one name at a time.
  std::vector<ContainerState> tell_containers() {
    subject_.settle();
    parent::Probe probe = look();
    std::ranges::sort(probe.containers, [](const auto& a, const auto& b) {
      return std::tie(a.service, a.number) < std::tie(b.service, b.number);
    });
    // Ids first: temporary names have them in front, and stand before those they are of.
    std::ranges::stable_partition(probe.containers, [](const auto& c) { return !parent::temporary_name(c.name); });
    for (const ContainerState& one : probe.containers) static_cast<void>(named("container", one.id));
    for (const ContainerState& one : probe.containers) {
      const bool by_itself = one.service == "job" || one.service == "bad";
      say(fmt::format("{} is {}: {}{}{}", plain(one.name), named("container", one.id), parent::status_name(one.status),
                      by_itself ? fmt::format(" ({})", one.exit_code) : "", one.doomed ? ", doomed" : ""));
    }
    return probe.containers;
  }

  void put_right() {
    const containers::Salvage salvage = containers::salvage(look().containers, {});
    for (const parent::PutRight& step : salvage.steps) {
      say(fmt::format("{} {}{}", step.act == parent::PutRight::Act::kRemove ? "remove" : "rename", plain(step.name),
                      step.plain_name.empty() ? "" : " to " + step.plain_name));
    }
    const auto done = compose_->put_right(salvage.steps, {});
    if (told("put right", done)) say("put right: done");
  }

  parent::Compose& compose() { return *compose_; }
  parent::ComposeStack& stack() { return stack_; }
  parent::ProjectLock& lock() { return *lock_; }

 private:
  Subject& subject_;
  const fs::path folder_;
  std::vector<std::string> lines_;
  std::map<std::string, unsigned> names_;
  std::map<std::string, unsigned> counts_;
  std::unique_ptr<parent::ProjectLock> lock_;
  std::unique_ptr<parent::Compose> compose_;
  parent::ComposeStack stack_;
};

}  // namespace otto::scripts

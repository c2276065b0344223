// One set of scripts on a real parent and on the simulated one, which must answer alike: parent_scripts REPO_DIR HOST.
//
// So what the simulation takes for granted (tests/support/simulation) is held to what Docker and Compose do: names,
// states, exit codes, ids that stay or change, refusals in the engine's own words. A script is a row of calls of the
// seam and of what hands do beside it; what it is told is put down in lines, ids by the order of their first
// appearance. For tests/e2e/test_parent_scripts.py. Exits 1 where lines differ.
#include <fmt/format.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/containers/half_replaced.h"
#include "engine/context/context_scan.h"
#include "engine/parent/docker_command.h"
#include "engine/parent/parent_session.h"
#include "engine/stack/stack_model.h"
#include "engine/workspace/targets.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"
#include "graph/digest.h"
#include "tests/support/simulation/parent.h"

namespace {

using namespace otto;  // NOLINT(google-build-using-namespace): a program of its own
namespace fs = std::filesystem;
using nlohmann::json;
using parent::ContainerState;
using parent::ContainerStatus;

constexpr const char* kProject = "otto-scripts-e2e";
constexpr const char* kRepository = "scripts-app";

/// A parent, and hands on it.
struct Subject {
  parent::Parent* parent = nullptr;
  parent::ParentFacts facts;
  std::function<void(const std::string& container, bool force)> remove;  ///< `docker rm`, by name
  std::function<void(const std::string& container)> stop;                ///< `docker stop`, by name
  std::function<void(const std::string& reference)> untag;               ///< `docker rmi`
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

// --- the scripts ---

using Mode = parent::UpCall::Mode;

json service(const std::string& image, const json& more = json::object()) {
  json made = {{"image", image}, {"command", {"sleep", "100000"}}, {"stop_signal", "SIGKILL"}};
  made.update(more);
  return made;
}
json ends_with(int code) { return {{"command", {"sh", "-c", fmt::format("exit {}", code)}}, {"x-exits", code}}; }

void fill(Script& script) {
  script.write("app/main", "v0");
  script.write("app/notes", "v0");
  script.write("app/lib/one", "v0");
  script.set_mode("app/lib", 0755);
}

void builds(Script& script) {
  fill(script);
  const auto first = script.stage("app");
  script.stage("app");
  script.build({"a", first.stamp});
  script.tell_tags();
  script.build({.tag = "a", .stamp = first.stamp, .meanwhile = true});
  script.write("app/main", "v1");  // as long as before
  script.build({"b", script.stage("app").stamp});
  script.write("app/notes", "v1");  // in no layer
  script.build({"c", script.stage("app").stamp});
  script.set_mode("app/lib", 0700);
  script.build({"d", script.stage("app").stamp});
  script.set_mode("app/lib", 0755);
  script.build({"e", script.stage("app").stamp});
  script.tell_tags();
}

void refused_builds(Script& script) {
  fill(script);
  const auto first = script.stage("app");
  script.build({"f", "0123456789abcdef0123456789abcdef"});
  script.subject().edit_stage("scripts-app", "main");
  script.build({"f", first.stamp});
  const auto repaired = script.stage("app");
  script.build({.tag = "f", .stamp = repaired.stamp, .dockerfile = "FROM otto-lab/base:1\nRUN false\n"});
  script.build({.tag = "f",
                .stamp = repaired.stamp,
                .dockerfile = "FROM scripts-base\nCOPY main /\n",
                .pins = {{"scripts-base", "scripts-base:0123"}}});
  script.tell_tags();
}

void stacks(Script& script) {
  script.open({{"api", service("otto-lab/base:1")},
               {"job", service("otto-lab/base:1", ends_with(0))},
               {"bad", service("otto-lab/base:1", ends_with(3))},
               {"car", service("otto-lab/base:1", {{"network_mode", "service:api"}})}});
  script.up({"api", "job", "bad"}, Mode::kStart, '1');
  script.early_exits({"api", "job", "bad"}, {"job"});
  script.await({{"job", parent::DependencyCondition::kCompleted}});
  script.await({{"bad", parent::DependencyCondition::kCompleted}});
  script.tell_containers();
  script.up({"car"}, Mode::kStart, '1');
  script.up({"api", "car"}, Mode::kRecreate, '2');
  script.tell_containers();
  script.up({"api", "job"}, Mode::kStart, '2');  // nothing to do for api
  script.tell_containers();
  script.subject().stop(fmt::format("{}{}api{}1", kProject, script.subject().facts.compose_v1() ? "_" : "-",
                                    script.subject().facts.compose_v1() ? "_" : "-"));
  script.subject().stop(fmt::format("{}{}car{}1", kProject, script.subject().facts.compose_v1() ? "_" : "-",
                                    script.subject().facts.compose_v1() ? "_" : "-"));
  script.tell_containers();
  script.up({"car"}, Mode::kStart, '2');  // the container whose network it has does not run
  script.up({"api", "car"}, Mode::kStart, '2');
  script.tell_containers();
  script.told("down", script.compose().down(1, false, {}));
  script.tell_containers();
  script.close();
}

void cut_stacks(Script& script) {
  // Its TERM is heard, and takes a moment.
  const json slow = {{"command", {"sh", "-c", "trap 'sleep 0.5; exit 0' TERM; while :; do sleep 0.1; done"}},
                     {"stop_signal", "SIGTERM"},
                     {"stop_grace_period", "5s"}};
  script.open({{"api", service("otto-lab/base:1", slow)}});
  script.up({"api"}, Mode::kStart, '1');
  script.tell_containers();
  script.up({"api"}, Mode::kRecreate, '2', true);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  script.tell_containers();
  script.put_right();
  script.tell_containers();
  script.up({"api"}, Mode::kRecreate, '2');
  script.tell_containers();
  script.told("down", script.compose().down(1, false, {}));
  script.close();
}

void lost_turns(Script& script) {
  script.open({{"api", service("otto-lab/base:1")}});
  const std::string mine = script.lock().token();
  script.close();
  const auto other = script.subject().parent->lock(script.subject().facts, kProject, {});
  if (!other->take({}).ok()) return;
  const auto late = script.subject().parent->compose(script.subject().facts, kProject, {});
  late->in_turn(mine);
  script.told("config in a turn that is over", late->config(script.stack()));
  parent::UpCall call;
  call.services = {"api"};
  script.told("up in a turn that is over", late->up(script.stack(), call));
  script.told("down in a turn that is over", late->down(1, false, {}));
  script.tell_containers();
  const auto third = script.look().generation;
  script.say(parent::is_open(third) ? "the other's turn is told as open" : "nobody has a turn");
}

const std::vector<std::pair<std::string, std::function<void(Script&)>>> kScripts = {{"builds", builds},
                                                                                    {"refused builds", refused_builds},
                                                                                    {"stacks", stacks},
                                                                                    {"cut stacks", cut_stacks},
                                                                                    {"lost turns", lost_turns}};

// --- the two ---

std::vector<std::string> run_simulated(const std::function<void(Script&)>& body, const fs::path& folder, bool v1) {
  simulation::World world(1, {}, v1);
  world.tags["otto-lab/base:1"] = world.add_image("busybox");
  simulation::Client client(world, 0, "otto", {}, [](const std::string& path) -> std::optional<simulation::Entry> {
    auto content = read_whole_file(path);
    if (!content) return std::nullopt;
    return simulation::Entry{.content = std::move(*content)};
  });
  const auto parent = simulation::make_parent(client, "simulated");
  Subject subject;
  subject.parent = parent.get();
  subject.facts = simulation::facts_of(world);
  const auto by_name = [&](const std::string& name, const auto& what) {
    for (const auto& one : world.containers) {
      if (one->state.name == name) return what(one->state.id);
    }
  };
  subject.remove = [&](const std::string& name, bool) { by_name(name, [&](std::string id) { world.remove(id); }); };
  subject.stop = [&](const std::string& name) { by_name(name, [&](std::string id) { world.kill(id, 137); }); };
  subject.untag = [&](const std::string& reference) { world.tags.erase(reference); };
  subject.edit_stage = [&](const std::string& key, const std::string& path) {
    world.stages[key].files[path].content = "v9";
    world.stages[key].edited = true;
  };
  subject.settle = [&] { world.settle(); };
  Script script(subject, folder);
  body(script);
  return script.lines();
}

std::vector<std::string> run_really(const std::function<void(Script&)>& body, const fs::path& folder,
                                    parent::ParentSession& session, transport::Remote& remote) {
  const auto hands = [&](const std::string& text) {
    const auto done = remote.run({.text = parent::docker_prelude({}) + text});
    if (!done.ok()) throw std::runtime_error(done.error().message);
  };
  const auto sweep = [&] {
    hands("ids=$(otto_docker ps -aq --filter label=com.docker.compose.project=" + std::string(kProject) +
          "); [ -z \"$ids\" ] || otto_docker rm -f $ids >/dev/null\n"
          "tags=$(otto_docker image ls -q --filter reference='scripts-*' --format '{{.Repository}}:{{.Tag}}'); [ -z "
          "\"$tags\" ] || otto_docker rmi $tags >/dev/null\n"
          "chmod -R u+w " +
          session.facts().stage_root + "/scripts-app 2>/dev/null; rm -rf " + session.facts().stage_root +
          "/scripts-app " + session.facts().stage_root + "/" + parent::stack_stage_key(kProject) + "\nexit 0\n");
  };
  sweep();
  Subject subject;
  subject.parent = &session.parent();
  subject.facts = session.facts();
  subject.remove = [&](const std::string& name, bool force) {
    hands(std::string("otto_docker rm ") + (force ? "-f " : "") + name + "\n");
  };
  subject.stop = [&](const std::string& name) { hands("otto_docker stop -t 1 " + name + "\n"); };
  subject.untag = [&](const std::string& reference) { hands("otto_docker rmi " + reference + "\n"); };
  subject.edit_stage = [&](const std::string& key, const std::string& path) {
    hands("for file in " + session.facts().stage_root + "/" + key + "/tree.*/" + path +
          "; do echo v9 > \"$file\"; done\n");
  };
  subject.settle = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1500)); };
  Script script(subject, folder);
  body(script);
  sweep();
  return script.lines();
}

/// Both side by side where they differ.
bool compare(const std::string& name, const std::vector<std::string>& real, const std::vector<std::string>& simulated) {
  if (real == simulated) {
    fmt::print("{}: {} lines, alike\n", name, real.size());
    return true;
  }
  fmt::print("{}: they differ\n", name);
  for (std::size_t i = 0; i < std::max(real.size(), simulated.size()); ++i) {
    const std::string here = i < real.size() ? real[i] : "(nothing)";
    const std::string there = i < simulated.size() ? simulated[i] : "(nothing)";
    fmt::print("  {} {}\n", here == there ? " " : "!", here);
    if (here != there) fmt::print("  ≠ {}\n", there);
  }
  return false;
}

int run(const fs::path& repo, const std::string& host, const fs::path& folder) {
  WorkspaceOptions options;
  options.repo_dirs = {repo};
  options.cwd = repo;
  auto workspace = Workspace::open(options, null_reporter());
  if (!workspace.ok()) throw std::runtime_error(workspace.error().message);
  const auto targets = workspace::choose_targets((*workspace)->opened(), host);
  if (!targets.ok()) throw std::runtime_error(targets.error().message);
  auto session = parent::ParentSession::open((*workspace)->opened(), targets->front());
  if (!session.ok()) throw std::runtime_error(session.error().message);
  if (const auto probe = session->probe({}); !probe.ok()) throw std::runtime_error(probe.error().message);
  const auto remote = (*workspace)->opened().remote(*targets->front().host);
  if (!remote.ok()) throw std::runtime_error(remote.error().message);
  bool alike = true;
  for (const auto& [name, body] : kScripts) {
    const auto simulated = run_simulated(body, folder / "simulated" / name, session->facts().compose_v1());
    const auto real = run_really(body, folder / "real" / name, *session, **remote);
    alike = compare(name, real, simulated) && alike;
  }
  return alike ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: parent_scripts REPO_DIR HOST\n");
    return 2;
  }
  std::string folder = (fs::temp_directory_path() / "otto-parent-scripts-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 2;
  int code = 2;
  try {
    code = run(argv[1], argv[2], folder);
  } catch (const std::exception& trouble) {
    fmt::print(stderr, "parent_scripts: {}\n", trouble.what());
  }
  fs::remove_all(folder);
  return code;
}

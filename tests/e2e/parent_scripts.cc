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
#include <functional>
#include <thread>

#include "engine/parent/docker_command.h"
#include "engine/parent/parent_session.h"
#include "engine/workspace/targets.h"
#include "graph/base/whole_file.h"
#include "tests/e2e/parent_script.h"
#include "tests/support/simulation/parent.h"

namespace {

using namespace otto;           // NOLINT(google-build-using-namespace): a program of its own
using namespace otto::scripts;  // NOLINT(google-build-using-namespace)

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
  script.await({{"job", parent::DependencyCondition::kCompleted}});
  script.await({{"bad", parent::DependencyCondition::kCompleted}});
  script.early_exits({"api", "job", "bad"}, {"job"});  // once they have ended, however busy the machine is
  script.tell_containers();
  script.up({"car"}, Mode::kStart, '1');
  script.up({"api", "car"}, Mode::kRecreate, '2');
  script.tell_containers();
  script.up({"api", "job"}, Mode::kStart, '2');  // nothing to do for api
  script.tell_containers();
  script.subject().stop(script.plain_name("api"));
  script.subject().stop(script.plain_name("car"));
  script.tell_containers();
  script.up({"car"}, Mode::kStart, '2');  // the container whose network it has does not run
  script.up({"api", "car"}, Mode::kStart, '2');
  script.tell_containers();
  script.told("down", script.compose().down(1, false, {}));
  script.tell_containers();
  script.close();
}

void hands(Script& script) {
  fill(script);
  script.open({{"api", service("otto-lab/base:1")}, {"web", service("otto-lab/base:1", {{"scale", 2}})}});
  script.up({"api", "web"}, Mode::kStart, '1');
  script.tell_containers();
  script.subject().remove(script.plain_name("api"));
  script.tell_containers();
  script.up({"api", "web"}, Mode::kStart, '1');
  script.tell_containers();
  script.close();
  const std::string stamp = script.stage("app").stamp;
  script.build({"g", stamp});
  script.subject().untag(fmt::format("{}:g", kRepository));
  script.tell_tags();
  script.build({"g", stamp});
  script.tell_tags();
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

const std::vector<std::pair<std::string, std::function<void(Script&)>>> kScripts = {
    {"builds", builds}, {"refused builds", refused_builds}, {"stacks", stacks},
    {"hands", hands},   {"cut stacks", cut_stacks},         {"lost turns", lost_turns}};

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
  subject.remove = [&](const std::string& name) { by_name(name, [&](std::string id) { world.remove(id); }); };
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
  subject.remove = [&](const std::string& name) { hands("otto_docker rm -f " + name + "\n"); };
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

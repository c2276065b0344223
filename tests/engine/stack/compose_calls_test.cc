#include "engine/stack/compose_calls.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "graph/base/text.h"
#include "tests/engine/parent/fake_docker.h"

namespace otto::stack {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ComposeStack sample() {
  ComposeStack stack;
  stack.project = "otto-p-me";
  stack.stage_directory = "/stage";
  stack.project_directory = "docker";
  stack.files = {"docker/compose.yml"};
  stack.variables = {"GREETING", "HOME", "OTTO_TEST_UNSET"};
  stack.environment = {{"GREETING", "it's $5 \"now\"\n\\"}, {"HOME", "/home/me"}};
  return stack;
}

TEST(ComposeTest, EnvFileLinesKeepEveryByte) {
  EXPECT_EQ(env_file_line("A", "plain"), "A=\"plain\"\n");
  EXPECT_EQ(env_file_line("A", "a\"b\\c$d\ne"), "A=\"a\\\"b\\\\c\\$d\\ne\"\n");
  EXPECT_EQ(env_file_line("A", ""), "A=\"\"\n");
}

TEST(ComposeTest, VariablesAreTheClientsAndNoneOfTheParents) {
  setenv("OTTO_TEST_UNSET", "the parent's own", 1);
  parent::FakeDocker docker(R"sh(
here=${0%/docker}
printf '%s' "$GREETING" > "$here/greeting"
printf '%s' "${OTTO_TEST_UNSET-unset}" > "$here/unset"
printf '%s' "$HOME" > "$here/home"
printf '%s\n' "$@" > "$here/args"
echo '{}'
)sh");
  RemoteCompose compose = compose_in_turn(docker);
  const auto config = compose.config(sample());
  unsetenv("OTTO_TEST_UNSET");
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(*config, "{}\n");
  EXPECT_EQ(read_file(docker.tree.path("greeting")), "it's $5 \"now\"\n\\");
  EXPECT_EQ(read_file(docker.tree.path("unset")), "unset");
  EXPECT_NE(read_file(docker.tree.path("home")), "/home/me") << "docker itself needs the parent's HOME";
  const std::string args = read_file(docker.tree.path("args"));
  EXPECT_NE(args.find("--project-directory\n/stage/docker\n"), std::string::npos) << args;
  EXPECT_NE(args.find("-f\n/stage/docker/compose.yml\n"), std::string::npos) << args;
}

TEST(ComposeTest, FilesThatComeWithTheQuestionLieAsIfTheyWereStaged) {
  parent::FakeDocker docker(R"sh(
here=${0%/docker}
tree=
while [ $# -gt 0 ]; do [ "$1" = -f ] && { file=$2; tree=${2%/docker/compose.yml}; }; shift; done
cat "$file" "$tree/../above/x.env" > "$here/read" || exit 3
cat "$tree/../above/link/docker/compose.yml" >> "$here/read" || exit 4
printf '%s' "$tree" > "$here/tree"
echo "refused at $file" >&2
printf '{"a": "%s/data", "b": "%s"}\n' "$tree" "${tree%/tree}/above"
)sh");
  ComposeStack stack = sample();
  stack.stage_directory = "/stages/key/tree.1";
  const std::string odd = "it's $5 \\ \"here\"\n";
  const ScratchFiles files = {{{"docker/compose.yml", odd}, {"../above/x.env", "X=1\n"}},
                              {{"../above/link", "../tree"}}};
  RemoteCompose compose = compose_in_turn(docker);
  const auto config = compose.config_of(stack, files);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(*config, "{\"a\": \"/stages/key/tree.1/data\", \"b\": \"/stages/key/above\"}\n");
  EXPECT_EQ(read_file(docker.tree.path("read")), odd + "X=1\n" + odd);
  EXPECT_FALSE(std::filesystem::exists(read_file(docker.tree.path("tree")))) << "it goes with the question";
}

TEST(ComposeTest, WhatIsWrongInFilesThatCameWithTheQuestionIsToldByTheirStagedNames) {
  parent::FakeDocker docker(
      "while [ $# -gt 0 ]; do [ \"$1\" = -f ] && file=$2; shift; done\n"
      "echo \"$file: no such thing\" >&2; exit 15\n");
  ComposeStack stack = sample();
  stack.stage_directory = "/stages/key/tree.1";
  const auto config = compose_in_turn(docker).config_of(stack, {{{"docker/compose.yml", "x"}}, {}});
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, ErrorCode::kComposeFailed);
  EXPECT_NE(config.error().message.find("/stages/key/tree.1/docker/compose.yml: no such thing"), std::string::npos)
      << config.error().message;
}

TEST(ComposeTest, NoVariableReachesIntoTheScriptsOwn) {
  parent::FakeDocker docker("printf %s \"$work\" > \"${0%/docker}/work\"; echo '{}'\n");
  const std::filesystem::path precious = docker.tree.path("precious");
  std::filesystem::create_directory(precious);
  ComposeStack stack = sample();
  stack.variables = {"work", "otto_work"};
  stack.environment = {{"work", precious.string()}, {"otto_work", precious.string()}};
  const auto config = compose_in_turn(docker).config(stack);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(read_file(docker.tree.path("work")), precious.string());
  EXPECT_TRUE(std::filesystem::exists(precious)) << "the script's clean-up removed what a variable named";
}

TEST(ComposeTest, UpNamesExactlyTheServicesAndLeavesNothingBehind) {
  parent::FakeDocker docker(R"sh(
here=${0%/docker}
printf '%s\n' "$@" > "$here/args"
while [ $# -gt 0 ]; do [ "$1" = -f ] && cp "$2" "$here/last"; shift; done 2>/dev/null
exit 0
)sh");
  RemoteCompose compose = compose_in_turn(docker);
  ASSERT_TRUE(compose.up(sample(), {"services: {}\n", {"api", "side car"}, UpCall::Mode::kRecreate, 3, {}, {}}).ok());
  const std::string args = read_file(docker.tree.path("args"));
  EXPECT_NE(args.find("up\n-d\n--no-deps\n--no-build\n--timeout\n3\n--force-recreate\napi\nside car\n"),
            std::string::npos)
      << args;
  EXPECT_EQ(read_file(docker.tree.path("last")), "services: {}\n");
  for (const auto& entry : std::filesystem::directory_iterator(docker.tree.root())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("compose.")) << entry.path();
  }
}

TEST(ComposeTest, FailureCarriesComposesWords) {
  parent::FakeDocker docker("echo 'service \"api\" refers to undefined network' >&2; exit 15\n");
  RemoteCompose compose = compose_in_turn(docker);
  const auto config = compose.config(sample());
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, ErrorCode::kComposeFailed);
  EXPECT_NE(config.error().message.find("undefined network"), std::string::npos);
  EXPECT_FALSE(config.error().hint.empty());
}

TEST(ComposeTest, OptionalConditionsMayFail) {
  parent::FakeDocker docker("case \"$1\" in ps) echo c1 ;; container) echo 'c1 exited 2 0 ' ;; esac\n");
  RemoteCompose compose = compose_in_turn(docker);
  const parent::Dependency optional{"db", parent::DependencyCondition::kCompleted, false, false};
  EXPECT_TRUE(compose.await({optional}).ok());
  const parent::Dependency required{"db", parent::DependencyCondition::kCompleted, false, true};
  EXPECT_FALSE(compose.await({optional, required}).ok());
}

TEST(ComposeTest, ALostNetworkIsAskedForOnceMore) {
  const std::string body = R"sh(
echo x >> "$0.calls"
[ "$(wc -l < "$0.calls")" -le FAILURES ] && { echo 'Error: network otto-p-me_default not found' >&2; exit 1; }
exit 0
)sh";
  for (const auto& [failures, ok] : {std::pair("1", true), std::pair("2", false)}) {
    std::string script = body;
    parent::FakeDocker docker(script.replace(script.find("FAILURES"), 8, failures));
    RemoteCompose compose = compose_in_turn(docker);
    const auto up = compose.up(sample(), {"", {"api"}, UpCall::Mode::kStart, 1, {}, {}});
    ASSERT_EQ(up.ok(), ok);
    if (ok) {
      EXPECT_TRUE(*up);
    }
    EXPECT_EQ(read_file(docker.tree.path("docker.calls")), "x\nx\n");
  }
}

TEST(ComposeTest, EarlyExitsAreThoseThatFailed) {
  parent::FakeDocker docker(R"sh(
case "$1" in
events) exit 1 ;;
ps) printf '%s\n' 'c1 ok' 'c2 bad' 'c3 loop' 'c4 loop' 'c9 other' ;;
container) [ "$*" = "${*%c9*}" ] || exit 9
  printf '%s\n' 'c1 exited 0 0 ok 1' 'c2 exited 7 0 bad 2' 'c3 restarting 1 3 loop 1' 'c4 running 0 0 loop 2' ;;
logs) echo "log of $4" ;;
esac
)sh");
  RemoteCompose compose = compose_in_turn(docker);
  const auto exits = compose.early_exits({{"ok", "bad", "loop"}, {"ok"}, {}, {}, 3}, [] {});
  ASSERT_TRUE(exits.ok()) << exits.error().message;
  ASSERT_EQ(exits->size(), 2U);
  EXPECT_EQ((*exits)[0].service, "bad");
  EXPECT_EQ((*exits)[0].number, 2U);
  EXPECT_EQ((*exits)[0].code, 7);
  EXPECT_FALSE((*exits)[0].restarting);
  EXPECT_EQ((*exits)[0].log, "  log of c2");
  EXPECT_EQ((*exits)[1].service, "loop");
  EXPECT_TRUE((*exits)[1].restarting);
}

/// Each line with its time before it, some while ago.
std::string with_times(const std::string& events) {
  std::string all;
  for (const std::string& line : text::split(text::replace_all(events, "\\n", "\n"), '\n')) {
    if (!line.empty()) all += "1700000000000000000 " + line + "\\n";
  }
  return all;
}

/// What the engine tells of starts and deaths; "looked" where containers were looked at.
std::string after_events(const std::string& events, std::size_t starts) {
  parent::FakeDocker docker("case \"$1\" in\nevents) printf '" + with_times(events) +
                            "'; printf '%s ' \"$@\" > \"$0.events\" ;;\nps) touch \"$0.looked\" ;;\nesac\n");
  const auto exits = compose_in_turn(docker).early_exits(
      {{"web", "job"}, {"job"}, {"before", "old"}, std::chrono::milliseconds(1500), starts}, [] {});
  if (!exits.ok()) return exits.error().message;
  const std::string asked = read_file(docker.tree.path("docker.events"));
  EXPECT_NE(asked.find("--filter label=com.docker.compose.project=otto-p-me"), std::string::npos) << asked;
  double since = 0, until = 0;
  EXPECT_EQ(std::sscanf(asked.c_str(), "events --since %lf --until %lf", &since, &until), 2) << asked;
  EXPECT_NEAR(until - since, 1.5, 0.001) << "the starts are long ago: " << asked;
  EXPECT_LT(std::abs(static_cast<double>(std::time(nullptr)) - until), 10) << asked;
  return std::filesystem::exists(docker.tree.path("docker.looked")) ? "looked" : "";
}

TEST(ComposeTest, ContainersAreLookedAtOnlyWhereTheEngineToldOfADeath) {
  EXPECT_EQ(after_events("start a web <no value>\\nstart b job <no value>\\n", 2), "");
  EXPECT_EQ(after_events("die old web 137\\nstart a web <no value>\\nstart b job <no value>\\ndie b job 0\\n", 2), "")
      << "what was replaced, and a one-shot that is done";
  EXPECT_EQ(
      after_events(
          "start before web <no value>\\ndie before web 1\\nstart a web <no value>\\nstart b job <no value>\\n", 2),
      "")
      << "an earlier command had started it";
  EXPECT_EQ(after_events("start before web <no value>\\nstart a web <no value>\\n", 2), "looked");
  EXPECT_EQ(after_events("start a web <no value>\\nstart b job <no value>\\ndie a web 0\\n", 2), "looked");
  EXPECT_EQ(after_events("start a web <no value>\\nstart b job <no value>\\ndie b job 1\\n", 2), "looked");
  EXPECT_EQ(after_events("start a web <no value>\\n", 2), "looked") << "it has not told of every start";
  EXPECT_EQ(after_events("die b job 1\\nstart a web <no value>\\nstart c web <no value>\\n", 2), "looked")
      << "of which it has forgotten the start";
  EXPECT_EQ(after_events("start x other <no value>\\nstart a web <no value>\\nstart a web <no value>\\n", 2), "looked")
      << "one service's starts say nothing of another's";
}

/// By how much the second question goes beyond the first; `answer`: how long the engine takes for each.
double watched_for(const std::string& answer) {
  parent::FakeDocker docker("echo \"$*\" >> \"$0.asked\"\nsleep " + answer +
                            "\nprintf '%s start a web <no value>\\n' \"$(($(date +%s%N) - 30000000))\"\n");
  const auto exits = compose_in_turn(docker).early_exits({{"web"}, {}, {}, std::chrono::seconds(3), 1}, [] {});
  EXPECT_TRUE(exits.ok()) << exits.error().message;
  double since = 0, first = 0, second = 0;
  const std::string asked = read_file(docker.tree.path("docker.asked"));
  EXPECT_EQ(std::sscanf(asked.c_str(), "events --since %lf --until %lf", &since, &first), 2) << asked;
  const std::size_t again = asked.find("\nevents ");
  if (again == std::string::npos) return 0;
  EXPECT_EQ(std::sscanf(asked.c_str() + again + 1, "events --since %lf --until %lf", &since, &second), 2) << asked;
  return second - first;
}

/// 0.1 s after the start, or three times as long as the answer took, a second at most.
TEST(ComposeTest, WhatHasJustBeenStartedIsWatchedForAWhile) {
  const double quick = watched_for("0"), slow = watched_for("0.2");
  EXPECT_GT(quick, 0.01);
  EXPECT_GT(slow, 0.7) << "the start lies before the end of the first answer, " << 0.2 - 0.03
                       << " s after it was asked";
  EXPECT_LT(quick, slow);
  EXPECT_LT(watched_for("0.5"), 1.6);
}

TEST(ComposeTest, WhatCannotBeLookedAtIsAnError) {
  parent::FakeDocker docker("echo 'the engine is gone' >&2; exit 1\n");
  EXPECT_FALSE(compose_in_turn(docker).early_exits({{"web"}, {}, {}, {}, 1}, [] {}).ok());
}

TEST(ComposeTest, AServiceThatEndsWellIsToldUnlessThatIsItsPurpose) {
  parent::FakeDocker docker(R"sh(
case "$1" in
events) exit 1 ;;
ps) printf '%s\n' 'c1 job' 'c2 web' ;;
container) printf '%s\n' 'c1 exited 0 0 job 1' 'c2 exited 0 0 web 1' ;;
esac
)sh");
  const auto exits = compose_in_turn(docker).early_exits({{"job", "web"}, {"job"}, {}, {}, 2}, [] {});
  ASSERT_TRUE(exits.ok()) << exits.error().message;
  ASSERT_EQ(exits->size(), 1U);
  EXPECT_EQ((*exits)[0].service, "web");
  EXPECT_EQ((*exits)[0].code, 0);
}

TEST(ComposeTest, WhatIsAboutToBeStoppedIsNotedFirst) {
  parent::FakeDocker docker("cat \"${0%/docker}\"/locks/engine-1/project.otto-p-me.doomed > \"$0.noted\"\nexit 15\n");
  RemoteCompose compose = compose_in_turn(docker);
  EXPECT_FALSE(compose.up(sample(), {"", {"api"}, UpCall::Mode::kRecreate, 1, {"id1", "id2"}, {}}).ok());
  EXPECT_EQ(read_file(docker.tree.path("docker.noted")), "id1\nid2\n");
}

TEST(ComposeTest, NothingIsChangedOnceAnotherHasTheProject) {
  parent::FakeDocker docker(": > \"$0.called\"\n");
  docker.tree.write("locks/engine-1/work.otto-p-me.lock", "");
  const std::string lock = docker.tree.path("locks/engine-1/work.otto-p-me.lock").string();
  const int taken = ::open(lock.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(taken, LOCK_EX), 0);
  RemoteCompose compose = compose_in_turn(docker);
  for (const auto& change :
       {compose.remove_containers({"c1"}, {}), compose.down(1, false, {}), compose.remove_networks(),
        compose.put_right({{parent::PutRight::Act::kRemove, "api", "c1", "x", {}}}, {})}) {
    ASSERT_FALSE(change.ok());
    EXPECT_EQ(change.error().code, ErrorCode::kInputsChanged) << change.error().message;
    EXPECT_NE(change.error().message.find("took project"), std::string::npos) << change.error().message;
  }
  const auto up = compose.up(sample(), {"", {"api"}, UpCall::Mode::kStart, 1, {}, {}});
  ASSERT_FALSE(up.ok());
  EXPECT_EQ(up.error().code, ErrorCode::kInputsChanged);
  EXPECT_FALSE(std::filesystem::exists(docker.tree.path("docker.called")));
  ::close(taken);
}

/// As after a laptop slept: the jobs are free again, but the turn was another's meanwhile.
TEST(ComposeTest, NothingIsChangedInATurnThatIsOver) {
  parent::FakeDocker docker(": > \"$0.called\"\n");
  RemoteCompose compose = compose_in_turn(docker);
  for (const char* now : {"open 0b\n", "0b\n", "0a\n", ""}) {
    docker.tree.write("locks/engine-1/project.otto-p-me.generation", now);
    const auto up = compose.up(sample(), {"", {"api"}, UpCall::Mode::kStart, 1, {}, {}});
    ASSERT_FALSE(up.ok()) << now;
    EXPECT_EQ(up.error().code, ErrorCode::kInputsChanged) << up.error().message;
    const auto config = compose.config(sample());
    ASSERT_FALSE(config.ok()) << "the files that are staged are another's: " << now;
    EXPECT_EQ(config.error().code, ErrorCode::kInputsChanged) << config.error().message;
  }
  EXPECT_FALSE(std::filesystem::exists(docker.tree.path("docker.called")));
}

TEST(ComposeTest, WhatIsBeingStoppedIsToldAsComposeSaysIt) {
  for (const bool v1 : {false, true}) {
    parent::FakeDocker docker(
        v1 ? "printf '%s\\n' 'Recreating p_api_1 ... ' 'Recreating p_api_1 ... done' >&2\n"
           : "printf ' Container %s\\n' 'p-api-1  Recreate' 'p-api-1  Recreated' 'p-api-1  Starting' >&2\n");
    std::string told;
    UpCall call{"", {"api"}, UpCall::Mode::kRecreate, 1, {}, {}};
    call.on_stop = [&](std::string_view container, bool stopping) {
      told += std::string(container) + (stopping ? " stopping, " : " stopped");
    };
    ASSERT_TRUE(compose_in_turn(docker).up(sample(), call).ok());
    const std::string name = v1 ? "p_api_1" : "p-api-1";
    EXPECT_EQ(told, name + " stopping, " + name + " stopped");
  }
}

TEST(ComposeTest, PuttingRightRemovesWithoutVolumesAndRenames) {
  parent::FakeDocker docker("echo \"$@\" >> \"$0.calls\"\n");
  RemoteCompose compose = compose_in_turn(docker);
  ASSERT_TRUE(compose
                  .put_right({{parent::PutRight::Act::kRemove, "api", "c1", "x", {}},
                              {parent::PutRight::Act::kRename, "db", "c2", "y", "p-db-1"}},
                             {})
                  .ok());
  EXPECT_EQ(read_file(docker.tree.path("docker.calls")), "rm -f c1\nrename c2 p-db-1\n");
}

struct AwaitCase {
  const char* state;  // "status exit-code restarts health"
  parent::DependencyCondition condition;
  bool holds;
};

class ComposeAwaitTest : public ::testing::TestWithParam<AwaitCase> {};

TEST_P(ComposeAwaitTest, ConditionsThatHoldOrCannot) {
  const AwaitCase& test = GetParam();
  parent::FakeDocker docker("case \"$1\" in ps) echo c1 ;; container) echo 'c1 " + std::string(test.state) +
                            "' ;; esac\n");
  RemoteCompose compose = compose_in_turn(docker);
  const auto waited = compose.await({{"db", test.condition, false, true}});
  EXPECT_EQ(waited.ok(), test.holds) << (waited.ok() ? "" : waited.error().message);
  if (!waited.ok()) {
    EXPECT_EQ(waited.error().code, ErrorCode::kComposeFailed);
    EXPECT_NE(waited.error().message.find("'db'"), std::string::npos) << waited.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(
    States, ComposeAwaitTest,
    ::testing::Values(AwaitCase{"running 0 0 healthy", parent::DependencyCondition::kHealthy, true},
                      AwaitCase{"running 0 0 unhealthy", parent::DependencyCondition::kHealthy, false},
                      AwaitCase{"running 0 0 ", parent::DependencyCondition::kHealthy, false},
                      AwaitCase{"exited 1 0 unhealthy", parent::DependencyCondition::kHealthy, false},
                      AwaitCase{"exited 0 0 ", parent::DependencyCondition::kCompleted, true},
                      AwaitCase{"exited 2 0 ", parent::DependencyCondition::kCompleted, false},
                      AwaitCase{"created 0 0 ", parent::DependencyCondition::kStarted, true}));

/// What its restart policy starts again and again is caught running now and then.
TEST(ComposeTest, AServiceThatCrashLoopsIsNotUp) {
  parent::FakeDocker docker(R"sh(
case "$1" in
ps) echo c1 ;;
container) echo x >> "$0.looks"; echo "c1 running 0 $(($(wc -l < "$0.looks") / 2 + 1)) " ;;
logs) echo "its last words" ;;
esac
)sh");
  const auto up = compose_in_turn(docker).await_up({"loop"}, {});
  ASSERT_FALSE(up.ok());
  EXPECT_NE(up.error().message.find("'loop' is restarted again and again (5 times"), std::string::npos)
      << up.error().message;
  EXPECT_NE(up.error().message.find("its last words"), std::string::npos);
}

TEST(ComposeTest, AwaitsWhatIsStillStarting) {
  parent::FakeDocker docker(R"sh(
case "$1" in
ps) echo c1 ;;
container) if [ -e "$0.ready" ]; then echo 'c1 running 0 0 healthy'; else : > "$0.ready"; echo 'c1 running 0 0 starting'; fi ;;
esac
)sh");
  RemoteCompose compose = compose_in_turn(docker);
  EXPECT_TRUE(compose.await({{"db", parent::DependencyCondition::kHealthy, false, true}}).ok());
  EXPECT_TRUE(std::filesystem::exists(docker.tree.path("docker.ready")));
}

}  // namespace
}  // namespace otto::stack

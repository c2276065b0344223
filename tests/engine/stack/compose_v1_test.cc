#include "engine/stack/compose_v1.h"

#include <gtest/gtest.h>

#include "engine/stack/compose_calls.h"
#include "tests/engine/parent/fake_docker.h"

namespace otto::stack {
namespace {

TEST(ComposeV1Test, ConfigBecomesTheJsonThatComposeV2Prints) {
  // As docker-compose 1.29.2 prints it: strings that look like anything else are quoted, long ones folded, objects that
  // occur twice are aliases.
  const auto json = v1_config_as_json(R"(services:
  api:
    command: echo "a
      b"
    cpus: 0.5
    deploy:
      replicas: 2
    environment: &id001
      EMPTY: ''
      NUMBER: '5'
      'YES': "yes"
    image: p-api
    init: true
    privileged: false
    tty: null
  worker:
    environment: *id001
version: '3.9'
)");
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_EQ(*json,
            R"({"services":{"api":{"command":"echo \"a b\"","cpus":0.5,"deploy":{"replicas":2},"environment":)"
            R"({"EMPTY":"","NUMBER":"5","YES":"yes"},"image":"p-api","init":true,"privileged":false,"tty":null},)"
            R"("worker":{"environment":{"EMPTY":"","NUMBER":"5","YES":"yes"}}},"version":"3.9"})");
}

TEST(ComposeV1Test, ConfigsWouldBePassedBySoTheyAreRefused) {
  const auto json = v1_config_as_json("services: {api: {image: x, configs: [{source: c}]}}");
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(json.error().message.find("'api' uses `configs`"), std::string::npos);
  for (const char* bad : {"", "[", "x: 1", "- 1", "services: {a: "}) {
    ASSERT_FALSE(v1_config_as_json(bad).ok()) << bad;
    EXPECT_EQ(v1_config_as_json(bad).error().code, ErrorCode::kComposeFailed) << bad;
  }
  EXPECT_FALSE(v1_config_as_json("services: " + std::string(5000, '[')).ok());
}

TEST(ComposeV1Test, EnvFileLinesKeepEveryByte) {
  EXPECT_EQ(v1_env_file_line("A", "plain"), "A=\"plain\"\n");
  EXPECT_EQ(v1_env_file_line("A", "$5 a\"b\\c\r\nd"), "A=\"$5 a\\\"b\\\\c\\r\\nd\"\n");
  EXPECT_EQ(v1_env_file_line("A", "${B}$$"), "A=\"${OTTO_NO_SUCH_NAME:-$}{B}$$\"\n");
}

TEST(ComposeV1Test, OnlyWhatIsNewEnough) {
  EXPECT_TRUE(check_v1_version("1.29.2", "h").ok());
  EXPECT_TRUE(check_v1_version("1.28.0", "h").ok());
  for (const char* old : {"1.27.4", "1.9.0", "1.", "1.x"}) {
    ASSERT_FALSE(check_v1_version(old, "bean").ok()) << old;
    EXPECT_NE(check_v1_version(old, "bean").error().message.find("'bean' has Compose"), std::string::npos);
  }
}

TEST(ComposeV1Test, AParentWithoutComposeIsToldSo) {
  parent::FakeDocker docker("exit 0\n");
  docker.facts.compose_version.clear();
  RemoteCompose compose = compose_in_turn(docker);
  const auto config = compose.config({});
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(config.error().hint.find("docker-compose"), std::string::npos);
}

TEST(ComposeV1Test, TheStandaloneCommandTakesTheDockerCommandsPlace) {
  parent::FakeDocker docker("exit 9\n");
  docker.tree.write("docker-compose", "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"${0%/*}/args\"\n", 0755);
  docker.facts.compose_version = "1.29.2";
  docker.facts.compose_standalone = true;
  RemoteCompose compose = compose_in_turn(docker);
  ComposeStack stack;
  stack.project = "otto-p-me";
  stack.stage_directory = "/stage";
  const auto up = compose.up(stack, {"services: {}\n", {"api"}, UpCall::Mode::kStart, 1, {}, {}});
  ASSERT_TRUE(up.ok()) << up.error().message;
  std::ifstream file(docker.tree.path("args"));
  const std::string args{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(args.find("up\n-d\n--no-deps\n--no-build\n--timeout\n1\n--no-recreate\napi\n"), std::string::npos) << args;
  EXPECT_EQ(args.find("--profile"), std::string::npos) << args;
}

}  // namespace
}  // namespace otto::stack

#include "cli/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace otto::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Ran {
  int code;
  std::string out, err;
};

Ran run(const std::vector<std::string>& words) {
  Ran ran{0, {}, {}};
  const Surroundings bare{[](const char*) -> const char* { return nullptr; }, false, false, false};
  ran.code =
      run_app(words, bare,
              {[&](std::string_view bytes) { ran.out += bytes; }, [&](std::string_view bytes) { ran.err += bytes; }});
  return ran;
}

TEST(App, UsageErrorsAreTwoOnStandardError) {
  const Ran ran = run({"docker", "bild"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            "otto: error: unknown command 'bild' for 'otto docker' … did you mean 'build'?\n"
            "  hint: commands here: build, up, down, ps, context, explain, history, prune; see 'otto docker -h'\n");
}

TEST(App, WithJsonAnErrorIsADocumentToo) {
  const Ran ran = run({"docker", "build", "--nope", "--format", "json"});
  EXPECT_EQ(ran.code, 2);
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["error"]["code"], "usage");
  EXPECT_EQ(json["error"]["message"], "unknown option '--nope'");
  EXPECT_THAT(ran.err, StartsWith("otto: error: "));
}

TEST(App, HelpAndVersionGoToStandardOutput) {
  const Ran help = run({"docker", "up", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, StartsWith("Usage: otto docker up [OPTIONS] [SERVICE...]\n"));
  EXPECT_EQ(help.err, "");
  const Ran version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, ::testing::MatchesRegex("otto [0-9.]+\n"));
  EXPECT_EQ(nlohmann::json::parse(run({"--version", "--format", "json"}).out).size(), 1U);
}

TEST(App, WithoutAnyWordTheHelpIsAnError) {
  const Ran ran = run({});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("Commands:"));
}

TEST(App, ADryRunOfAHostCommandKnowsItsHosts) {
  const Ran ran = run({"-n", "host", "no.such.host", "run", "ls -l"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
}

}  // namespace
}  // namespace otto::cli

#include "cli/command_line/docs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line/command_line.h"
#include "cli/command_line/verb.h"
#include "graph/base/text.h"
#include "tests/cli/golden.h"
#include "tests/cli/styles.h"

namespace otto::cli {
namespace {

using ::testing::HasSubstr;

std::filesystem::path committed(const std::string& name) { return testing::golden_path("../../docs/cli/" + name); }

TEST(Docs, TheCommittedReferenceIsTheGeneratedOne) {
  testing::expect_file(committed("reference.md"), reference_markdown());
}
TEST(Docs, TheCommittedManPageIsTheGeneratedOne) { testing::expect_file(committed("otto.1"), man_page()); }

TEST(Docs, HelpOfOttoAGroupAndAVerb) {
  expect_golden("help.txt", help_text("", kPipe));
  expect_golden("help_docker.txt", help_text("docker", kPipe));
  expect_golden("help_docker_build.txt", help_text("docker build", kPipe));
  expect_golden("help_host_run.txt", help_text("host ID run", kPipe));
}

TEST(Docs, EveryVerbHasItsParts) {
  for (const VerbInfo* verb : all_verbs()) {
    const std::string help = help_text(verb->path, kPipe);
    for (const char* part : {"Usage: otto ", "Options:", "Global options:", "Examples:", "Exit codes:", "-h, --help"}) {
      if (verb == &kDockerContext && std::string_view(part) == "Options:") continue;  // it has none of its own
      EXPECT_THAT(help, HasSubstr(part)) << verb->path;
    }
  }
}

/// Splits as a shell would, as far as the examples need it.
std::vector<std::string> words_of(std::string_view command) {
  std::vector<std::string> words;
  bool quoted = false, inside = false;
  for (const char c : command.substr(0, command.find(" <"))) {
    if (c == '\'') {
      quoted = !quoted;
      continue;
    }
    if (c == ' ' && !quoted) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    words.back() += c;
  }
  return {words.begin() + 1, words.end()};
}

TEST(Docs, EveryExampleParsesAsItsOwnVerb) {
  for (const VerbInfo* verb : all_verbs()) {
    for (const Example& example : verb->examples) {
      const CommandLine line = parse_command_line(words_of(example.command));
      EXPECT_FALSE(line.error) << example.command;
      EXPECT_EQ(line.info, verb) << example.command;
    }
  }
}

}  // namespace
}  // namespace otto::cli

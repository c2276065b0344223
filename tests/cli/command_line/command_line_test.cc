#include "cli/command_line/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/base/text.h"

namespace otto::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CommandLine parse(const std::string& words) {
  return words.empty() ? parse_command_line({}) : parse_command_line(text::split(words, ' '));
}

std::string message_of(const CommandLine& line) { return line.error ? line.error->message : "(no error)"; }
std::string hint_of(const CommandLine& line) { return line.error ? line.error->hint : "(no error)"; }

TEST(CommandLine, GlobalOptionsStandBeforeWithinOrAfterTheVerb) {
  for (const char* words :
       {"--lab a,b -n -v --format json docker up api", "docker --lab a,b -n -v --format json up api",
        "docker up --lab a,b api -n -v --format=json", "docker up api -la,b -nv --format json"}) {
    SCOPED_TRACE(words);
    const CommandLine line = parse(words);
    ASSERT_FALSE(line.error) << message_of(line);
    EXPECT_EQ(line.info, &kDockerUp);
    EXPECT_EQ(line.options.lab, "a,b");
    EXPECT_TRUE(line.options.dry_run);
    EXPECT_EQ(line.options.verbose, 1);
    EXPECT_EQ(line.options.format, Format::kJson);
  }
}

TEST(CommandLine, RepoDirsAddUpAndTakeOneValueEach) {
  const CommandLine line = parse("--repo-dir x docker build --repo-dir y api");
  ASSERT_FALSE(line.error) << message_of(line);
  EXPECT_THAT(line.options.repo_dirs, ElementsAre("x", "y"));
}

TEST(CommandLine, TheLastOfTwoValuesWins) {
  const CommandLine line = parse("-l a docker ps -l b --format json --format text");
  ASSERT_FALSE(line.error) << message_of(line);
  EXPECT_EQ(line.options.lab, "b");
  EXPECT_EQ(line.options.format, Format::kText);
}

TEST(CommandLine, NamesOfVerbsAreFineAsOperands) {
  for (const char* words : {"docker build docker", "docker build host", "docker up up", "docker up run build"}) {
    const CommandLine line = parse(words);
    EXPECT_FALSE(line.error) << words << ": " << message_of(line);
  }
}

TEST(CommandLine, HostCommandsAreTakenWordForWord) {
  CommandLine line = parse_command_line(
      {"host", "pepper", "run", "docker ps", "-v", "--format", "json", "[ -f x ]", "[a,b]", "{}", "--", ""});
  ASSERT_FALSE(line.error) << message_of(line);
  EXPECT_EQ(line.info, &kHostRun);
  EXPECT_EQ(line.target, "pepper");
  EXPECT_THAT(*line.verb->verbatim(),
              ElementsAre("docker ps", "-v", "--format", "json", "[ -f x ]", "[a,b]", "{}", "--", ""));
  EXPECT_EQ(line.options.verbose, 0);
  EXPECT_EQ(line.options.format, Format::kText);
}

TEST(CommandLine, OptionsBeforeTheFirstCommandAreOttos) {
  CommandLine line = parse("host --hop gate pepper run --format json -q ls -l");
  ASSERT_FALSE(line.error) << message_of(line);
  EXPECT_EQ(line.target, "pepper");
  EXPECT_EQ(line.options.format, Format::kJson);
  EXPECT_TRUE(line.options.quiet);
  EXPECT_THAT(*line.verb->verbatim(), ElementsAre("ls", "-l"));
}

TEST(CommandLine, ADoubleDashLetsACommandBeginWithADash) {
  CommandLine line = parse("host pepper oneshot -- -x --help");
  ASSERT_FALSE(line.error) << message_of(line);
  EXPECT_THAT(*line.verb->verbatim(), ElementsAre("-x", "--help"));
  const CommandLine without = parse("host pepper run -x");
  EXPECT_EQ(message_of(without), "unknown option '-x'");
  EXPECT_THAT(hint_of(without), HasSubstr("put --"));
}

TEST(CommandLine, AHostMayBeNamedLikeAVerb) {
  const CommandLine line = parse("host run run ls");
  ASSERT_FALSE(line.error) << message_of(line);
  EXPECT_EQ(line.target, "run");
}

TEST(CommandLine, MissingPartsAreNamed) {
  EXPECT_EQ(message_of(parse("")), "a command is missing after 'otto'");
  EXPECT_EQ(message_of(parse("docker")), "a command is missing after 'otto docker'");
  EXPECT_EQ(message_of(parse("host pepper")), "a command is missing after 'otto host ID'");
  EXPECT_EQ(message_of(parse("host pepper run")), "CMD is missing");
  EXPECT_EQ(message_of(parse("docker context")), "IMAGE is missing");
  EXPECT_EQ(message_of(parse("docker up --on")), "option '--on' needs a value");
  EXPECT_EQ(message_of(parse("docker up --lab")), "option '--lab' needs a value");
  EXPECT_EQ(message_of(parse("--lab")), "option '--lab' needs a value");
}

TEST(CommandLine, SlipsOfTheHandGetTheNearMiss) {
  EXPECT_EQ(message_of(parse("docker bild")), "unknown command 'bild' for 'otto docker' … did you mean 'build'?");
  EXPECT_EQ(message_of(parse("dokcer up")), "unknown command 'dokcer' … did you mean 'docker'?");
  EXPECT_EQ(message_of(parse("up")), "unknown command 'up' … did you mean 'otto docker up'?");
  EXPECT_EQ(message_of(parse("host pepper rnu ls")), "unknown command 'rnu' for 'otto host ID' … did you mean 'run'?");
  EXPECT_EQ(message_of(parse("docker build --rebild")), "unknown option '--rebild' … did you mean '--rebuild'?");
  EXPECT_EQ(message_of(parse("--formt json docker ps")), "unknown option '--formt' … did you mean '--format'?");
  EXPECT_EQ(message_of(parse("docker up --frobnicate=3")), "unknown option '--frobnicate'");
  EXPECT_EQ(message_of(parse("docker ps --format jsno")),
            "option '--format': unknown value 'jsno' … did you mean 'json'?");
  EXPECT_EQ(hint_of(parse("docker ps --format jsno")), "one of: text, json");
  EXPECT_THAT(hint_of(parse("docker bild")), HasSubstr("build, up, down, ps, context"));
}

TEST(CommandLine, VerbsOfLaterAreUnknown) {
  for (const char* words : {"docker push", "init", "cache", "completion"}) {
    const CommandLine line = parse(words);
    ASSERT_TRUE(line.error) << words;
    EXPECT_EQ(line.error->code, ErrorCode::kUsage) << words;
  }
}

TEST(CommandLine, NumbersAreChecked) {
  EXPECT_FALSE(parse("docker build -j8").error);
  EXPECT_EQ(message_of(parse("docker build -j 0")), "option '--jobs': '0' is not a number from 1 to 256");
  EXPECT_EQ(message_of(parse("docker build --jobs 4x")), "option '--jobs': '4x' is not a number from 1 to 256");
  EXPECT_EQ(message_of(parse("docker down --timeout -1")), "option '--timeout': '-1' is not a number from 0 to 86400");
}

TEST(CommandLine, WhatDoesNotBelongIsRefused) {
  EXPECT_EQ(message_of(parse("docker ps extra")), "unexpected argument 'extra'");
  EXPECT_EQ(message_of(parse("docker context a b")), "unexpected argument 'b'");
  EXPECT_TRUE(parse("docker ps -v -q").error);
}

TEST(CommandLine, HelpIsAskedForAnywhere) {
  EXPECT_EQ(parse("-h").help, "");
  EXPECT_EQ(parse("docker --help").help, "docker");
  EXPECT_EQ(parse("docker build -h").help, "docker build");
  EXPECT_EQ(parse("-h docker build").help, "docker build");
  EXPECT_EQ(parse("docker context --help").help, "docker context") << "though IMAGE is missing";
  EXPECT_EQ(parse("host pepper run -h").help, "host ID run");
  EXPECT_FALSE(parse("host pepper run ls -h").help) << "the command's own option";
}

TEST(CommandLine, OptionsThatStandAlone) {
  for (const char* words : {"--list-hosts", "--list-labs", "--show-lab", "--version", "-l veggies --list-hosts -q",
                            "docker ps --list-hosts"}) {
    const CommandLine line = parse(words);
    EXPECT_FALSE(line.error) << words << ": " << message_of(line);
    EXPECT_TRUE(line.options.stands_alone()) << words;
  }
}

TEST(CommandLine, ErrorsKnowTheFormatAskedFor) {
  EXPECT_EQ(parse("--format json docker bild").options.format, Format::kJson);
  EXPECT_EQ(parse("docker build --nope --format=json").options.format, Format::kJson);
  EXPECT_EQ(parse("docker bild").options.format, Format::kText);
}

}  // namespace
}  // namespace otto::cli

#include "cli/terminal/terminal.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace otto::cli {
namespace {

using Variables = std::map<std::string, std::string>;

Terminal resolve(const GlobalOptions& options, bool terminals, const Variables& variables) {
  Surroundings surroundings;
  surroundings.getenv = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  surroundings.stdin_is_terminal = surroundings.stdout_is_terminal = surroundings.stderr_is_terminal = terminals;
  return resolve_terminal(options, surroundings);
}

const Variables kXterm = {{"TERM", "xterm"}, {"LANG", "C.UTF-8"}};

Variables with(std::string name, std::string value) {
  Variables all = kXterm;
  all[std::move(name)] = std::move(value);
  return all;
}

TEST(Terminal, ColourFollowsTerminalAndConventions) {
  EXPECT_TRUE(resolve({}, true, kXterm).out.color);
  EXPECT_FALSE(resolve({}, false, kXterm).out.color);
  EXPECT_FALSE(resolve({}, true, with("NO_COLOR", "1")).out.color);
  EXPECT_TRUE(resolve({}, true, with("NO_COLOR", "")).out.color) << "no-color.org: only if not empty";
  EXPECT_FALSE(resolve({}, true, with("CLICOLOR", "0")).out.color);
  EXPECT_TRUE(resolve({}, false, with("CLICOLOR_FORCE", "1")).out.color);
  EXPECT_FALSE(resolve({}, true, with("TERM", "dumb")).out.color);
}

TEST(Terminal, TheOptionWinsOverTheEnvironment) {
  GlobalOptions always, never;
  always.color = ColorMode::kAlways;
  never.color = ColorMode::kNever;
  EXPECT_TRUE(resolve(always, false, with("NO_COLOR", "1")).out.color);
  EXPECT_FALSE(resolve(never, true, with("CLICOLOR_FORCE", "1")).out.color);
}

TEST(Terminal, ProgressIsLiveOnlyWhereItCanBe) {
  EXPECT_EQ(resolve({}, true, kXterm).progress, ProgressMode::kTty);
  EXPECT_EQ(resolve({}, false, kXterm).progress, ProgressMode::kPlain);
  EXPECT_EQ(resolve({}, true, with("TERM", "dumb")).progress, ProgressMode::kPlain);
  EXPECT_EQ(resolve({}, true, {}).progress, ProgressMode::kPlain);
  GlobalOptions quiet;
  quiet.quiet = true;
  EXPECT_EQ(resolve(quiet, true, kXterm).progress, ProgressMode::kQuiet);
  quiet.progress = ProgressMode::kJson;
  EXPECT_EQ(resolve(quiet, true, kXterm).progress, ProgressMode::kJson);
}

TEST(Terminal, SymbolsFollowTheLocale) {
  EXPECT_TRUE(resolve({}, true, kXterm).err.utf8);
  EXPECT_TRUE(resolve({}, true, {{"LANG", "C"}, {"LC_CTYPE", "pl_PL.utf8"}}).err.utf8);
  EXPECT_FALSE(resolve({}, true, with("LC_ALL", "C")).err.utf8);
  EXPECT_FALSE(resolve({}, true, {}).err.utf8);
}

TEST(Terminal, HashesAreShortForPeopleOnly) {
  EXPECT_TRUE(resolve({}, true, kXterm).out.short_hashes);
  EXPECT_FALSE(resolve({}, false, kXterm).out.short_hashes);
  GlobalOptions verbose;
  verbose.verbose = 1;
  EXPECT_FALSE(resolve(verbose, true, kXterm).out.short_hashes);
}

}  // namespace
}  // namespace otto::cli

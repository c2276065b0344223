// Death at many steps: the script on the parent is killed at its commands, with every way of saving bytes in use. Each
// time the stage is what it was or refused, and the next run converges.
#include <fmt/format.h>

#include <cstdlib>

#include "engine/stage/stage.h"
#include "tests/engine/stage/stage_fixture.h"
#include "tests/support/noise.h"

namespace otto::stage {
namespace {

class StageDeathTest : public StageFixture {
 protected:
  StageDeathTest() : path_(std::getenv("PATH")) {
    for (auto side : {"one", "two"}) fs::create_directory(home_ / side);
    auto big = noise(600'000, 1);
    write_file(home_ / "one/big", big);
    write_file(home_ / "one/goes", noise(3'000, 2));
    write_file(home_ / "one/dir/renamed", noise(3'000, 3));
    write_file(home_ / "one/small", "one");
    big.insert(300'000, "inserted");
    write_file(home_ / "two/big", big, 0755);
    write_file(home_ / "two/renamed", noise(3'000, 3), 0600);
    write_file(home_ / "two/copied", noise(3'000, 3));
    write_file(home_ / "two/small", "two");
    fs::create_symlink("small", home_ / "two/link");
  }
  ~StageDeathTest() override { ::setenv("PATH", path_.c_str(), 1); }

  /// Every external command of the parent is counted, and the last one allowed kills the job's process group.
  void count_commands() {
    for (auto tool : {"mkdir", "mv", "rm", "chmod", "cp", "tar", "dd", "touch", "sha256sum", "sort", "comm", "cat",
                      "find", "head", "wc", "xargs"})
      write_file(home_ / "bin" / tool,
                 fmt::format("#!/bin/sh\necho {0} >>{1}/calls\n"
                             "[ \"$(/usr/bin/wc -l <{1}/calls)\" -lt \"$(/usr/bin/cat {1}/limit)\" ] || kill -9 0\n"
                             "PATH={2} exec {0} \"$@\"\n",
                             tool, home_.string(), path_),
                 0755);
    ::setenv("PATH", ((home_ / "bin").string() + ":" + path_).c_str(), 1);
  }
  void limit(int commands) {
    write_file(home_ / "calls", "");
    write_file(home_ / "limit", fmt::format("{}", commands));
  }

  Result<StageState> bring_side(int side) {
    auto asked = request(trees_[side]);
    asked.source = home_ / (side == 0 ? "one" : "two");
    return bring_stage(*parent_, tools(), asked);
  }

  std::string path_;
  graph::ContextManifest trees_[2];
};

TEST_F(StageDeathTest, KilledAtTheParentsCommands) {
  constexpr int kStep = 8;  // 1: at each of them; the first few are the supervisor's

  remember_ = false;
  trees_[0] = scan(home_ / "one");
  trees_[1] = scan(home_ / "two");
  auto held = bring_side(0);
  ASSERT_TRUE(held.ok()) << held.error().message;
  count_commands();
  int killed = 0;
  for (int commands = 4, side = 1;; commands += kStep, side = 1 - side) {
    limit(commands);
    parent_ = make_parent();
    auto dying = bring_side(side);
    auto calls = read_file(home_ / "calls");
    limit(1'000'000);
    parent_ = make_parent();
    if (dying.ok()) break;
    ++killed;
    ASSERT_LT(killed, 100) << calls;
    if (guard(held->stamp).first == 0) expect_holds(held->directory, trees_[1 - side]);
    held = bring_side(side);
    ASSERT_TRUE(held.ok()) << commands << ": " << held.error().message;
    EXPECT_EQ(guard(held->stamp).first, 0);
    expect_holds(held->directory, trees_[side]);
  }
  EXPECT_GT(killed, 24 / kStep);
}

}  // namespace
}  // namespace otto::stage

// Parents that cannot hold a stage: roots that must not be used, missing tools, full disks.
#include <set>

#include "engine/stage/stage.h"
#include "engine/stage/stage_failure.h"
#include "engine/stage/stage_script.h"
#include "tests/engine/stage/stage_fixture.h"

namespace otto::stage {
namespace {

class StageParentTest : public StageFixture {};

TEST_F(StageParentTest, ARootThatCannotBeUsedSaysWhyAndHints) {
  put("file", "f");
  auto wanted = scan(source());
  auto refusal = [&](const fs::path& root) {
    auto refused = bring_stage(*parent_, {root.string(), false, false}, request(wanted));
    EXPECT_FALSE(refused.ok());
    if (refused) return Error{};
    EXPECT_EQ(refused.error().code, ErrorCode::kIo) << refused.error().message;
    EXPECT_NE(refused.error().hint.find("stage_dir"), std::string::npos);
    return refused.error();
  };
  write_file(home_ / "not-a-directory", "");
  EXPECT_NE(refusal(home_ / "not-a-directory/stages").message.find("Not a directory"), std::string::npos);
  fs::create_directory(home_ / "open");
  ::chmod((home_ / "open").c_str(), 0777);
  EXPECT_NE(refusal(home_ / "open").message.find("written by others"), std::string::npos);
  fs::create_directory(home_ / "real");
  fs::create_symlink("real", home_ / "link");
  EXPECT_NE(refusal(home_ / "link").message.find("symbolic link"), std::string::npos);
  EXPECT_EQ(bring_stage(*parent_, {"stages", false, false}, request(wanted)).error().code, ErrorCode::kConfig);
}

/// Puts a directory of stand-ins before the PATH that the parent's scripts see.
class FakeTools {
 public:
  explicit FakeTools(const fs::path& directory) : before_(std::getenv("PATH")) {
    ::setenv("PATH", (directory.string() + ":" + before_).c_str(), 1);
  }
  ~FakeTools() { ::setenv("PATH", before_.c_str(), 1); }
  FakeTools(const FakeTools&) = delete;
  FakeTools& operator=(const FakeTools&) = delete;

 private:
  std::string before_;
};

TEST_F(StageParentTest, AParentWithoutGnuTarIsUnsupported) {
  put("file", "f");
  auto wanted = scan(source());
  write_file(home_ / "bin/tar", "#!/bin/sh\necho 'tar (busybox) 1.35.0'\n", 0755);
  FakeTools fake(home_ / "bin");
  auto refused = bring_stage(*parent_, tools(), request(wanted));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message.find("GNU tar"), std::string::npos);
  EXPECT_FALSE(fs::exists(stage_dir() / "stamp"));
}

TEST_F(StageParentTest, AFullDiskSaysSoInTheParentsWords) {
  put("file", "f");
  bring();
  put("file", std::string(3'000'000, 'f'));
  auto wanted = scan(source());
  write_file(home_ / "bin/tar", R"(#!/bin/sh
case $1 in --version) echo 'tar (GNU tar) 1.34'; exit ;; esac
echo 'tar: file: Cannot write: No space left on device' >&2
exit 2
)",
             0755);
  {
    FakeTools fake(home_ / "bin");
    auto refused = bring_stage(*parent_, {tools().root, false, false}, request(wanted));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
    EXPECT_NE(refused.error().message.find("No space left on device"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().hint.find("free some space"), std::string::npos);
  }
  EXPECT_EQ(guard(stamp_).first, 75);
  EXPECT_FALSE(bring().repaired);
}

TEST_F(StageParentTest, WhatFilledTheDiskGoesAndTheMessageIsShort) {
  write_file(home_ / "bin/tar", R"(#!/bin/sh
PATH=${PATH#*:}
case "$*" in "-x -f - "*) tar "$@" || exit; for n in $(seq 45); do
  echo "tar: file$n: Cannot write: No space left on device" >&2; done; exit 2 ;; esac
exec tar "$@"
)",
             0755);
  const auto bytes_there = [&] {
    std::uintmax_t bytes = 0;
    for (const auto& item : fs::recursive_directory_iterator(stage_root()))
      if (item.is_regular_file()) bytes += item.file_size();
    return bytes;
  };
  for (const auto kind : {StageKind::kContext, StageKind::kInPlace}) {
    for (const bool first : {true, false}) {
      SCOPED_TRACE(first);
      kind_ = kind;
      std::error_code ignored;
      fs::remove_all(stage_root(), ignored);
      fs::remove(source() / "big", ignored);
      believed_.reset();
      put("file", "f");
      if (!first) bring();
      put("big", std::string(3'000'000, 'b'));
      put("file", "edited");
      const auto wanted = scan(source());
      {
        FakeTools fake(home_ / "bin");
        const auto refused = bring_stage(*parent_, {tools().root, false, false}, request(wanted));
        ASSERT_FALSE(refused.ok());
        EXPECT_NE(refused.error().message.find("No space left on device"), std::string::npos);
        EXPECT_LT(refused.error().message.size(), 400U) << refused.error().message;
      }
      EXPECT_LT(bytes_there(), 20'000U);
      if (!first && kind == StageKind::kInPlace) {
        EXPECT_EQ(guard(stamp_).first, 0) << "a mounted tree is not touched before all is there";
      }
      EXPECT_FALSE(bring().repaired);
    }
  }
}

TEST_F(StageParentTest, TheScriptThatTravelsWithEveryExchangeIsSmall) {
  EXPECT_LT(stage_exchange_script(StageKind::kContext).size(), 16'000U);
  EXPECT_LT(stage_exchange_script(StageKind::kInPlace).size(), 21'000U);
}

TEST_F(StageParentTest, EachTroubleHasItsOwnHint) {
  std::set<std::string> hints;
  for (const int code : {kStageUnusable, kStageFull, kStageForeign, kStageLinked, kStageOccupied, kStageMeddled,
                         kStageClosed, kStageTruncated}) {
    const auto error = stage_failure(code, "host", "/root", "tool: words\notto-stage: it is so\n");
    EXPECT_TRUE(hints.insert(error.hint).second) << error.hint;
    EXPECT_EQ(error.hint.find("free some space") != std::string::npos, code == kStageFull);
    EXPECT_NE(error.message.find("it is so"), std::string::npos);
    EXPECT_EQ(error.message.find("tool: words") != std::string::npos, code == kStageUnusable);
  }
  std::string many;
  for (int line = 0; line < 45; ++line) many += "tar: cannot\n";
  EXPECT_LT(stage_failure(kStageUnusable, "host", "/root", many).message.size(), 150U);
}

}  // namespace
}  // namespace otto::stage

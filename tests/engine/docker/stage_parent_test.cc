// Parents that cannot hold a stage: roots that must not be used, missing tools, full disks.
#include "engine/docker/stage.h"
#include "tests/engine/docker/stage_fixture.h"

namespace otto::docker {
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
    EXPECT_NE(refused.error().hint.find("stage_dir"), std::string::npos);
  }
  EXPECT_EQ(guard(stamp_).first, 75);
  EXPECT_TRUE(bring().repaired);
}

}  // namespace
}  // namespace otto::docker

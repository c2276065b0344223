// Archives are read back by the system's tar, which is what parents have.
#include "engine/archive/tar_packer.h"

#include "tests/engine/stage/stage_fixture.h"

namespace otto::archive {
namespace {

using namespace stage;  // the fixture and its words

class TarPackerTest : public StageFixture {
 protected:
  Result<void> pack(const graph::ContextManifest& manifest) {
    std::ofstream out(home_ / "archive.tar", std::ios::binary | std::ios::trunc);
    TarPacker packer([root = source()](const std::string& path) { return root / path; },
                     [&](std::string_view bytes) -> Result<void> {
                       out << bytes;
                       return {};
                     },
                     {});
    for (const auto& entry : manifest.entries)
      OTTO_RETURN_IF_ERROR(packer.add({"tree/" + entry.path, &entry, entry.mtime_s, 123'456'789}));
    OTTO_RETURN_IF_ERROR(packer.add_data("mark", ""));
    return packer.finish();
  }
};

TEST_F(TarPackerTest, NamesTimesAndModesArrive) {
  put("caf\xe9\n", "odd name", 04755);
  put(std::string(255, 'n') + "/" + std::string(255, 'm'), "long name", 0600);
  put("empty", "");
  fs::create_symlink(std::string(300, 't') + "\xff", source() / "link");
  auto manifest = scan(source());
  ASSERT_TRUE(pack(manifest).ok());
  ASSERT_EQ(
      std::system(("tar --warning=none -xpf " + (home_ / "archive.tar").string() + " -C " + home_.string()).c_str()),
      0);
  expect_holds(home_ / "tree", manifest);
  EXPECT_EQ(facts(home_ / "tree/empty").st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(facts(home_ / "tree/link").st_mtim.tv_nsec, 123'456'789);
  EXPECT_TRUE(fs::exists(home_ / "mark"));
}

TEST_F(TarPackerTest, SizesBeyondEightGigabytesAreWritten) {
  put("huge", "");
  fs::resize_file(source() / "huge", std::uint64_t{9} << 30U);
  graph::ContextManifest manifest;
  manifest.entries = {{"huge", graph::EntryType::kFile, 0644, std::uint64_t{9} << 30U, 1, {}, {}}};
  std::string head;
  TarPacker packer([root = source()](const std::string& path) { return root / path; },
                   [&](std::string_view bytes) -> Result<void> {
                     head += bytes;
                     if (head.size() > 100'000) return make_error(ErrorCode::kUsage, "enough");
                     return {};
                   },
                   {});
  auto added = packer.add({"huge", &manifest.entries[0], 1, 1});
  ASSERT_FALSE(added.ok());
  EXPECT_EQ(added.error().code, ErrorCode::kUsage);
  EXPECT_NE(head.find("size=9663676416"), std::string::npos);
}

TEST_F(TarPackerTest, AFifoInPlaceOfAFileDoesNotBlock) {
  put("file", "f");
  auto manifest = scan(source());
  fs::remove(source() / "file");
  ASSERT_EQ(::mkfifo((source() / "file").c_str(), 0644), 0);
  auto refused = pack(manifest);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInputsChanged);
}

TEST_F(TarPackerTest, AStopIsHeeded) {
  put("file", "f");
  auto manifest = scan(source());
  std::stop_source stop;
  stop.request_stop();
  TarPacker packer(
      below_source(), [](std::string_view) { return Result<void>(); }, stop.get_token());
  EXPECT_EQ(packer.add({"file", &manifest.entries[0], 0, 0}).error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace otto::archive

#include "engine/stage/stage_upload.h"

#include <fmt/format.h>

#include "tests/engine/stage/stage_fixture.h"

namespace otto::stage {
namespace {

class StageUploadTest : public StageFixture {
 protected:
  Result<UploadTotals> send(const StageDelta& delta, archive::Codec codec) {
    UploadRequest request;
    request.delta = &delta;
    request.locate = [root = source()](const std::string& path) { return root / path; };
    request.tree = "tree.x";
    request.fresh = "f00";
    request.codec = codec;
    sent_.clear();
    return send_delta(request, [this](std::string_view bytes) {
      sent_ += bytes;
      return Result<void>();
    });
  }

  std::string sent_;
};

TEST_F(StageUploadTest, OneEditInAHundredThousandEntriesSendsAFewKilobytes) {
  StageBase base;
  for (int at = 0; at < 100'000; ++at)
    base.manifest.entries.push_back({fmt::format("directory{:03}/file{:06}", at / 1000, at),
                                     graph::EntryType::kFile,
                                     0644,
                                     5,
                                     1,
                                     graph::sha256(fmt::format("{}", at)),
                                     {}});
  put("directory050/file050000", "0123456789");
  auto wanted = base.manifest;
  auto& edited = wanted.entries[50'000];
  edited.size = 10;
  edited.digest = graph::sha256("0123456789");
  StagedEntries entries(wanted);
  auto delta = plan_delta(base, entries, StageKind::kContext);
  for (auto codec : {archive::Codec::kNone, archive::Codec::kZstd}) {
    auto totals = send(delta, codec);
    ASSERT_TRUE(totals.ok()) << totals.error().message;
    EXPECT_EQ(totals->files, 1U);
    EXPECT_EQ(totals->bytes, sent_.size());
    EXPECT_LT(totals->bytes, 16'000U);
    EXPECT_TRUE(sent_.starts_with("put none "));
  }
}

TEST_F(StageUploadTest, TheOrderNamesTheCodecAndTheSectionsComeFirst) {
  put("text", std::string(200'000, 't'));
  auto wanted = scan(source());
  StagedEntries entries(wanted);
  StageBase base;
  auto delta = plan_delta(base, entries, StageKind::kContext);
  ASSERT_TRUE(send(delta, archive::Codec::kZstd).ok());
  auto order = fmt::format("put zstd {} {}\n", delta.manifest.hex(), delta.shape.hex());
  ASSERT_TRUE(sent_.starts_with(order));
  auto plain = archive::decompress(std::string_view(sent_).substr(order.size()), 10'000'000);
  ASSERT_TRUE(plain.ok());
  EXPECT_TRUE(plain->starts_with(fmt::format("section removed 0\nsection added {}\n", delta.added_lines.size())));
  EXPECT_NE(plain->find("tar\n"), std::string::npos);
}

TEST_F(StageUploadTest, TheSinksErrorEndsIt) {
  put("file", std::string(2'000'000, 'x'));
  auto wanted = scan(source());
  StagedEntries entries(wanted);
  auto delta = plan_delta({}, entries, StageKind::kContext);
  UploadRequest request;
  request.delta = &delta;
  request.locate = [root = source()](const std::string& path) { return root / path; };
  request.tree = "tree";
  request.fresh = "f00";
  auto sent = send_delta(
      request, [](std::string_view) -> Result<void> { return make_error(ErrorCode::kConnectionLost, "gone"); });
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kConnectionLost);
}

}  // namespace
}  // namespace otto::stage

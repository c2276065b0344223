#include "engine/stage/stage_manifest.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace otto::stage {
namespace {

using graph::ContextEntry;
using graph::EntryType;

ContextEntry staged_file(std::string path, std::string_view content = "x", std::uint16_t mode = 0644) {
  return {std::move(path), EntryType::kFile, mode, content.size(), 7, graph::sha256(content), {}};
}
ContextEntry link(std::string path, std::string target) {
  return {std::move(path), EntryType::kSymlink, 0777, 0, 0, {}, std::move(target)};
}

TEST(StageManifestTest, FieldsOfAnyBytesComeBack) {
  for (int first = 1; first < 256; ++first) {
    for (int second = 1; second < 256; ++second) {
      std::string field{static_cast<char>(first), static_cast<char>(second)};
      auto escaped = escape_field(field);
      EXPECT_EQ(escaped.find_first_of("\x01\n"), std::string::npos);
      EXPECT_EQ(unescape_field(escaped), field);
    }
  }
  EXPECT_EQ(unescape_field("\x02"), std::nullopt);
  EXPECT_EQ(unescape_field("\tz"), std::nullopt);
}

TEST(StageManifestTest, LinesSortAsTheirPathsDo) {
  std::vector<std::string> paths = {"a",   "a/b",   "a-b",   "a\x01", "a\x02", "a\t",
                                    "a\n", "a\x03", "a\x0b", "a\n\t", "a\xff"};
  for (const auto& one : paths)
    for (const auto& two : paths)
      EXPECT_EQ(one < two, manifest_line(staged_file(one)) < manifest_line(staged_file(two))) << one << " and " << two;
}

TEST(StageManifestTest, LinesComeBackAsEntries) {
  graph::ContextManifest manifest;
  manifest.entries = {staged_file("a\nb", "content", 04755),
                      {"d", EntryType::kDirectory, 0700, 0, 0, {}, {}},
                      link("l", "to\n\x01where")};
  std::string text;
  for (const auto& entry : manifest.entries) text += manifest_line(entry);
  auto back = parse_manifest_lines(text);
  ASSERT_TRUE(back.has_value());
  ASSERT_EQ(back->entries.size(), 3U);
  for (std::size_t at = 0; at < 3; ++at) {
    EXPECT_EQ(back->entries[at].path, manifest.entries[at].path);
    EXPECT_TRUE(same_staged(back->entries[at], manifest.entries[at]));
  }
  EXPECT_EQ(graph::sha256(text), manifest_digest(StagedEntries(manifest)));
}

TEST(StageManifestTest, OtherTextIsRefused) {
  auto good = manifest_line(staged_file("b"));
  EXPECT_TRUE(parse_manifest_lines("").has_value());
  EXPECT_FALSE(parse_manifest_lines(good.substr(0, good.size() - 1)).has_value());
  EXPECT_FALSE(parse_manifest_lines(good + good).has_value());
  EXPECT_FALSE(parse_manifest_lines(good + manifest_line(staged_file("a"))).has_value());
  EXPECT_FALSE(parse_manifest_lines("rubbish\n").has_value());
  EXPECT_FALSE(parse_manifest_lines("p\x01q\x01"
                                    "644\x01"
                                    "1\x01"
                                    "00\n")
                   .has_value());
  EXPECT_FALSE(parse_manifest_lines("p\x01"
                                    "f\x01"
                                    "9\x01"
                                    "1\x01"
                                    "00\n")
                   .has_value());
}

TEST(StageManifestTest, ImpliedDirectoriesAreInTheirPlaces) {
  graph::ContextManifest manifest;
  manifest.entries = {staged_file("a-b"), staged_file("a/b/c"), staged_file("a/d")};
  StagedEntries entries(manifest);
  std::vector<std::string> paths;
  for (const auto* entry : entries.sorted()) paths.push_back(entry->path);
  EXPECT_EQ(paths, (std::vector<std::string>{"a", "a-b", "a/b", "a/b/c", "a/d"}));
  EXPECT_EQ(entries.find("a/b")->type, EntryType::kDirectory);
  EXPECT_EQ(entries.find("a/c"), nullptr);
}

TEST(StageManifestTest, BumpsComeBack) {
  Bumps bumps = {{"a\nb", 1}, {"c", 12}};
  EXPECT_EQ(parse_bumps(bumps_text(bumps)), bumps);
  EXPECT_EQ(parse_bumps("a\n"), std::nullopt);
  EXPECT_EQ(parse_bumps("a\x01x\n"), std::nullopt);
}

TEST(StageManifestTest, NanosecondsAreOfTheContent) {
  EXPECT_EQ(staged_nanoseconds(staged_file("a", "x"), 0), staged_nanoseconds(staged_file("b", "x", 0755), 0));
  EXPECT_NE(staged_nanoseconds(staged_file("a", "x"), 0), staged_nanoseconds(staged_file("a", "y"), 0));
  EXPECT_EQ(staged_nanoseconds(staged_file("a", "x"), 1), staged_nanoseconds(staged_file("a", "x"), 0) + 1);
  EXPECT_NE(staged_nanoseconds(link("a", "x"), 0), staged_nanoseconds(link("a", "y"), 0));
  auto highest = staged_file("a");
  highest.digest.bytes.fill(0xff);
  EXPECT_LT(staged_nanoseconds(highest, 0), 1'000'000'000U);
}

}  // namespace
}  // namespace otto::stage

#include "engine/stage/stage_delta.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace otto::stage {
namespace {

using graph::ContextEntry;
using graph::EntryType;
using std::string_literals::operator""s;

ContextEntry file(std::string path, std::string_view content = "x", std::uint16_t mode = 0644) {
  return {std::move(path), EntryType::kFile, mode, content.size(), 7, graph::sha256(content), {}};
}
ContextEntry directory(std::string path) { return {std::move(path), EntryType::kDirectory, 0755, 0, 0, {}, {}}; }

struct Plan {
  graph::ContextManifest wanted;
  StagedEntries entries;
  StageDelta delta;
  Plan(const StageBase& base, LargeVector<ContextEntry> list, StageKind kind = StageKind::kContext)
      : wanted{std::move(list)}, entries(wanted), delta(plan_delta(base, entries, kind)) {}
  [[nodiscard]] std::vector<std::string> sent() const {
    std::vector<std::string> paths;
    for (const auto& item : delta.send) paths.push_back(item.entry->path);
    return paths;
  }
};

using Paths = std::vector<std::string>;

TEST(StageDeltaTest, EqualManifestsGiveNothing) {
  StageBase base;
  base.manifest.entries = {directory("d"), file("d/f")};
  EXPECT_TRUE(Plan(base, {directory("d"), file("d/f")}).delta.empty());
  base.bumps = {{"d/f", 3}};
  Plan bumped(base, {directory("d"), file("d/f")});
  EXPECT_TRUE(bumped.delta.empty());
  EXPECT_EQ(bumped.delta.bumps, bumps_text(base.bumps));
}

TEST(StageDeltaTest, AddedChangedRemovedAndModes) {
  StageBase base;
  base.manifest.entries = {file("changed", "1"), file("gone"), file("mode", "m"), file("same")};
  Plan plan(base, {file("added"), file("changed", "2"), file("mode", "m", 0755), file("same")});
  EXPECT_EQ(plan.sent(), (Paths{"added", "changed"}));
  EXPECT_EQ(plan.delta.deletions, "gone\0"s);
  EXPECT_EQ(plan.delta.modes, (std::map<unsigned, std::string>{{0755, "mode\0"s}}));
  EXPECT_EQ(plan.delta.removed_lines,
            manifest_line(file("changed", "1")) + manifest_line(file("gone")) + manifest_line(file("mode", "m")));
}

TEST(StageDeltaTest, ARemovedDirectoryIsOneDeletionInAContextAndManyInPlace) {
  StageBase base;
  base.manifest.entries = {directory("d"), file("d-x"), file("d/f"), file("d/g")};
  EXPECT_EQ(Plan(base, {file("d-x")}).delta.deletions, "d\0"s);
  EXPECT_EQ(Plan(base, {file("d-x")}, StageKind::kInPlace).delta.deletions, "-d/g\0-d/f\0-d\0"s);
}

TEST(StageDeltaTest, ATypeChangeIsDeletedFirst) {
  StageBase base;
  base.manifest.entries = {directory("d"), file("d/f"), file("e")};
  Plan plan(base, {file("d"), directory("e"), file("e/f")});
  EXPECT_EQ(plan.sent(), (Paths{"d", "e", "e/f"}));
  EXPECT_EQ(plan.delta.deletions, "d\0e\0"s);
  Plan in_place(base, {file("d"), directory("e"), file("e/f")}, StageKind::kInPlace);
  EXPECT_EQ(in_place.delta.deletions, "de\0-d/f\0fd\0"s);
}

TEST(StageDeltaTest, TheSamePairNeverStandsForTwoContents) {
  StageBase base;
  base.manifest.entries = {file("f", "a")};
  auto twin = file("f", "b");
  std::copy_n(base.manifest.entries[0].digest.bytes.begin(), 4, twin.digest.bytes.begin());
  ASSERT_EQ(staged_nanoseconds(twin, 0), staged_nanoseconds(base.manifest.entries[0], 0));
  Plan edited(base, {twin});
  EXPECT_EQ(edited.delta.send.at(0).nanoseconds, staged_nanoseconds(twin, 1));
  EXPECT_EQ(edited.delta.bumps, bumps_text({{"f", 1}}));
  // Back again: the first content may have its own pair back, which the twin never had.
  StageBase next;
  next.manifest.entries = {twin};
  next.bumps = {{"f", 1}};
  EXPECT_EQ(Plan(next, {file("f", "a")}).delta.send.at(0).nanoseconds, staged_nanoseconds(twin, 0));
}

TEST(StageDeltaTest, ARepairNeverGivesThePairThatWasThereOrIsThere) {
  auto content = file("f", "a");
  StageBase base;
  base.manifest.entries = {content};
  base.touched["f"] = {'f', 1, staged_nanoseconds(content, 1)};
  EXPECT_EQ(Plan(base, {content}).delta.send.at(0).nanoseconds, staged_nanoseconds(content, 2));
  base.touched["f"] = {'-', 0, 0};
  EXPECT_EQ(Plan(base, {content}).delta.send.at(0).nanoseconds, staged_nanoseconds(content, 1));
}

TEST(StageDeltaTest, TouchedPathsAreSentAgainOrDeleted) {
  StageBase base;
  base.manifest.entries = {directory("d"), file("d/f"), directory("e"), file("e/f"), file("lost")};
  base.touched = {{"d", {'l', 0, 0}},     {"d/f", {'-', 0, 0}},   {"e/f", {'d', 0, 0}},
                  {"e/f/x", {'f', 1, 0}}, {"extra", {'f', 1, 0}}, {"lost", {'-', 0, 0}}};
  Plan plan(base, base.manifest.entries);
  EXPECT_EQ(plan.sent(), (Paths{"d", "d/f", "e/f", "lost"}));
  EXPECT_EQ(plan.delta.deletions, "d\0e/f\0extra\0"s);
  EXPECT_EQ(plan.delta.removed_lines + plan.delta.added_lines, "");
}

TEST(StageDeltaTest, ReadsTheParentsDifferences) {
  std::map<std::string, FoundEntry> touched;
  ASSERT_TRUE(read_differences(
      "a//f 644 3 1.5 2.0\0\ta//f 644 12 17.0000000420 2.5\0b c//l to x 1.0 1.0\0\td//d 700 - -\0"s, touched));
  EXPECT_EQ(touched.at("a").type, 'f');
  EXPECT_EQ(touched.at("a").size, 12U);
  EXPECT_EQ(touched.at("a").nanoseconds, 42U);
  EXPECT_EQ(touched.at("b c").type, '-');
  EXPECT_EQ(touched.at("d").type, 'd');
  EXPECT_FALSE(read_differences("a//f", touched));
  EXPECT_FALSE(read_differences("no mark\0"s, touched));
}

}  // namespace
}  // namespace otto::stage

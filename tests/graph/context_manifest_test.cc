#include "graph/context_manifest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace otto::graph {
namespace {

ContextEntry file(std::string path, std::uint16_t mode, std::string_view content) {
  return {std::move(path), EntryType::kFile, mode, content.size(), 1'700'000'000, sha256(content), {}};
}
ContextEntry directory(std::string path, std::uint16_t mode = 0755) {
  return {std::move(path), EntryType::kDirectory, mode, 0, 0, {}, {}};
}
ContextEntry symlink(std::string path, std::string target) {
  return {std::move(path), EntryType::kSymlink, 0777, 0, 0, {}, std::move(target)};
}

ContextEntry fifo(std::string path, std::uint16_t mode) {
  return {std::move(path), EntryType::kFifo, mode, 0, 0, {}, {}};
}

ContextManifest every_kind() {
  return {{directory("a"), file("a-b", 0755, ""), symlink("a/link", "../a-b"), directory("empty"),
           file("\xff\n", 04600, std::string(1000, 'x'))}};
}

// The vectors of docs/fingerprint.md, computed by another program.
TEST(ContextManifest, HashesAsDocumented) {
  EXPECT_EQ(ContextManifest{}.hash().hex(), "1e651b14901c4750ff3a9ad235911a6a3c1d5254880655719f037b5f0e1286ee");
  EXPECT_EQ(ContextManifest{{file("hello.txt", 0644, "hello\n")}}.hash().hex(),
            "3cff824e4b27e06798d320c0a92442cb226eb3805f26341272b429c5ee71e776");
  EXPECT_EQ(ContextManifest{{fifo("pipe", 0640)}}.hash().hex(),
            "e3cf46d18feb355b32e9b14747ab0067254f87c67207f042023cacac0a413c96");
  EXPECT_EQ(every_kind().hash().hex(), "7fa4977db6b164cd0cc43aaae864aa230110d5d219bab4b9b1b2a148faf81bc1");
  EXPECT_EQ(ContextManifest{{directory("tmp", 01777)}}.hash().hex(),
            "232a25cc4f2277091fa83fd925beaf1a5f17a74b8e7026d5ac4a1d56a00a020b");
  const ContextManifest modes{
      {directory("grp", 02775), file("grp/f", 0644, ""), directory("plain"), directory("priv", 0700)}};
  EXPECT_EQ(modes.hash().hex(), "1e3f22792e989a67fa28b9806314466baa1402029f32b320ea907a863771cfa8");
}

TEST(ContextManifest, NoModeOfADirectoryCanBeTakenForSomethingElse) {
  // Spelt without its own type word, a mode would be the next entry's type word, or a path like it.
  EXPECT_NE((ContextManifest{{directory("0700"), directory("a")}}.hash()),
            (ContextManifest{{directory("a", 0700)}}.hash()));
  EXPECT_NE((ContextManifest{{directory("a", 0700), fifo("b", 0644)}}.hash()),
            (ContextManifest{{directory("a"), fifo("b", 0700)}}.hash()));
  EXPECT_NE((ContextManifest{{symlink("a", "0700")}}.hash()), (ContextManifest{{directory("a", 0700)}}.hash()));
  EXPECT_NE((ContextManifest{{fifo("a", 0700)}}.hash()), (ContextManifest{{directory("a", 0700)}}.hash()));
}

TEST(ContextManifest, HashOfManyEntriesDoesNotDependOnBlocks) {
  ContextManifest large;
  for (int i = 1000; i < 9000; ++i) large.entries.push_back(file(std::to_string(i), 0644, std::to_string(i)));
  const Digest whole = large.hash();
  large.entries[7000].mode = 0600;
  EXPECT_NE(large.hash(), whole);
  large.entries[7000].mode = 0644;
  EXPECT_EQ(large.hash(), whole);
}

TEST(ContextManifest, HashCountsWhatLandsInTheImage) {
  const Digest base = every_kind().hash();
  const auto changed = [&](auto edit) {
    ContextManifest manifest = every_kind();
    edit(manifest.entries);
    return manifest.hash() != base;
  };
  using Entries = LargeVector<ContextEntry>;
  EXPECT_TRUE(changed([](Entries& e) { e[1].path = "a-c"; }));
  EXPECT_TRUE(changed([](Entries& e) { e[1].mode = 0644; }));
  EXPECT_TRUE(changed([](Entries& e) { e[1].digest = sha256("y"); }));
  EXPECT_TRUE(changed([](Entries& e) { e[2].target = "../a-c"; }));
  EXPECT_TRUE(changed([](Entries& e) { e[3].type = EntryType::kSymlink; }));
  EXPECT_TRUE(changed([](Entries& e) { e.erase(e.begin() + 3); }));
  EXPECT_FALSE(changed([](Entries& e) { e[1].mtime_s = 5; }));
  EXPECT_TRUE(changed([](Entries& e) { e[0].mode = 0700; }));
  EXPECT_TRUE(changed([](Entries& e) { e[3].mode = 01755; }));
  EXPECT_FALSE(changed([](Entries& e) { e[2].mode = 0; }));
}

TEST(ContextManifest, FindsByPath) {
  const ContextManifest manifest = every_kind();
  for (const ContextEntry& entry : manifest.entries) EXPECT_EQ(manifest.find(entry.path), &entry);
  EXPECT_EQ(manifest.find("a/"), nullptr);
  EXPECT_EQ(manifest.find(""), nullptr);
  EXPECT_EQ(manifest.find("zz"), nullptr);
}

TEST(ManifestDiff, NamesEachKindOfChange) {
  const ContextManifest before{{file("a", 0644, "1"), file("b", 0644, "1"), file("c", 0644, "1"), directory("d"),
                                symlink("e", "x"), file("f", 0644, "1"), file("g", 0644, "1")}};
  const ContextManifest after{{file("0", 0644, "1"), file("a", 0644, "1"), file("b", 0644, "2"), file("c", 0600, "1"),
                               directory("d"), symlink("e", "y"), symlink("f", "1"), file("z", 0644, "1")}};
  const ManifestDiff difference = diff(before, after);
  EXPECT_EQ(difference.added, (std::vector<std::string>{"0", "z"}));
  EXPECT_EQ(difference.removed, (std::vector<std::string>{"g"}));
  EXPECT_EQ(difference.changed, (std::vector<std::string>{"b", "e", "f"}));
  EXPECT_EQ(difference.mode_changed, (std::vector<std::string>{"c"}));
  EXPECT_FALSE(difference.empty());
}

TEST(ManifestDiff, AFifoIsItsMode) {
  EXPECT_TRUE(diff({{fifo("a", 0644)}}, {{fifo("a", 0644)}}).empty());
  EXPECT_EQ(diff({{fifo("a", 0644)}}, {{fifo("a", 0600)}}).mode_changed, (std::vector<std::string>{"a"}));
  EXPECT_EQ(diff({{fifo("a", 0644)}}, {{file("a", 0644, "")}}).changed, (std::vector<std::string>{"a"}));
}

TEST(ManifestDiff, AnotherModeOfADirectoryIsAModeChange) {
  const ManifestDiff difference =
      diff({{directory("a"), file("a/f", 0644, "1")}}, {{directory("a", 02775), file("a/f", 0644, "1")}});
  EXPECT_EQ(difference.mode_changed, (std::vector<std::string>{"a"}));
  EXPECT_TRUE(difference.changed.empty());
  EXPECT_EQ(diff({{directory("a", 0700)}}, {{file("a", 0700, "")}}).changed, (std::vector<std::string>{"a"}));
}

TEST(ManifestDiff, IsEmptyForWhatDoesNotCount) {
  ContextManifest after = every_kind();
  for (ContextEntry& entry : after.entries) entry.mtime_s += 1;
  after.entries[2].mode = 0;
  EXPECT_TRUE(diff(every_kind(), after).empty());
}

TEST(ManifestDiff, OfModeAndContentIsAChange) {
  EXPECT_EQ(diff({{file("a", 0644, "1")}}, {{file("a", 0755, "2")}}).changed, (std::vector<std::string>{"a"}));
}

TEST(StoredManifest, ComesBackWhole) {
  ContextManifest manifest = every_kind();
  manifest.entries[1].mtime_s = -1;
  manifest.entries[3].mode = 01777;
  manifest.entries.push_back(fifo("\xff\xff", 0640));
  const auto back = parse_manifest(serialize(manifest));
  ASSERT_TRUE(back.has_value());
  ASSERT_EQ(back->entries.size(), manifest.entries.size());
  for (std::size_t i = 0; i < manifest.entries.size(); ++i) {
    EXPECT_TRUE(back->entries[i].same_content(manifest.entries[i])) << i;
    EXPECT_EQ(back->entries[i].mode, manifest.entries[i].mode);
    EXPECT_EQ(back->entries[i].size, manifest.entries[i].size);
    EXPECT_EQ(back->entries[i].mtime_s, manifest.entries[i].mtime_s);
  }
  EXPECT_EQ(back->hash(), manifest.hash());
  EXPECT_TRUE(parse_manifest(serialize(ContextManifest{})).has_value());
}

// Written by an otto for which modes of directories did not count yet: the form has always had them.
TEST(StoredManifest, ThoseOfOlderOttosAreRead) {
  const ContextManifest manifest{{directory("d", 0700), file("f", 0644, "")}};
  std::string body = "1:2\n3:dir\n1:d\n4:0700\n4:file\n1:f\n4:0644\n32:";
  const auto append_raw = [](std::string& out, const Digest& digest) {
    out.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
  };
  append_raw(body, sha256(""));
  body += "\n1:0\n10:1700000000\n";
  std::string stored = "15:otto-manifest-1\n32:";
  append_raw(stored, sha256(body));
  stored += "\n" + body;
  EXPECT_EQ(serialize(manifest), stored);
  const auto back = parse_manifest(stored);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->entries[0].mode, 0700);
}

TEST(StoredManifest, DamageIsNoticed) {
  const std::string whole = serialize(every_kind());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    EXPECT_FALSE(parse_manifest(flipped).has_value()) << "byte " << i;
    EXPECT_FALSE(parse_manifest(whole.substr(0, i)).has_value()) << "cut at " << i;
  }
  EXPECT_FALSE(parse_manifest(whole + "1:a\n").has_value());
}

TEST(StoredManifest, EntriesOutOfOrderAreRefused) {
  ContextManifest manifest{{file("b", 0644, "1"), file("a", 0644, "1")}};
  EXPECT_FALSE(parse_manifest(serialize(manifest)).has_value());
  manifest.entries[1].path = "b";
  EXPECT_FALSE(parse_manifest(serialize(manifest)).has_value());
}

}  // namespace
}  // namespace otto::graph

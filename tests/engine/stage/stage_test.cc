// Contexts brought to this machine as the parent: first uploads, deltas, odd names, mtimes, bytes, memory.
#include "engine/stage/stage.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <map>

#include "engine/stage/stage_manifest.h"
#include "tests/engine/stage/stage_fixture.h"
#include "tests/support/noise.h"

namespace otto::stage {
namespace {

class StageTest : public StageFixture {
 protected:
  void put_sample() {
    put("Dockerfile", "FROM base:1\n");
    put("src/main.c", "int main() { return 0; }\n");
    put("src/deep/er/run.sh", "#!/bin/sh\n", 0755);
    put("empty", "");
    fs::create_directories(source() / "empty dir");
    fs::create_symlink("main.c", source() / "src/link");
  }
};

TEST_F(StageTest, TheFirstUploadHoldsTheSource) {
  put_sample();
  auto state = bring();
  EXPECT_EQ(state.uploaded_files, 5U);
  EXPECT_GT(state.uploaded_bytes, 0U);
  EXPECT_FALSE(state.repaired);
  EXPECT_FALSE(state.stamp.empty());
  EXPECT_EQ(facts(stage_root()).st_mode & 07777U, 0700U);
  EXPECT_EQ(facts(stage_dir()).st_mode & 07777U, 0700U);
  EXPECT_EQ(fs::path(state.directory).parent_path(), stage_dir());
}

TEST_F(StageTest, NothingToDoWritesNothing) {
  put_sample();
  auto first = bring();
  auto changes = [&] {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> times;
    times[stage_dir().string()] = {};
    for (const auto& item : fs::recursive_directory_iterator(stage_root())) times[item.path().string()] = {};
    for (auto& [path, time] : times) {
      auto about = facts(path);
      time = {about.st_ctim.tv_sec, about.st_ctim.tv_nsec};
    }
    return times;
  };
  auto before = changes();
  auto second = bring();
  EXPECT_EQ(second.uploaded_bytes, 0U);
  EXPECT_EQ(second.uploaded_files, 0U);
  EXPECT_EQ(second.stamp, first.stamp);
  remember_ = false;
  auto third = bring();
  EXPECT_EQ(third.uploaded_bytes, 0U);
  EXPECT_EQ(third.directory, first.directory);
  EXPECT_EQ(changes(), before);
}

TEST_F(StageTest, ADeltaSendsWhatChanged) {
  put_sample();
  auto first = bring();
  for (bool remember : {true, false}) {
    remember_ = remember;
    put("src/main.c", fmt::format("int main() {{ return {}; }}\n", 1 + remember));
    put(remember ? "new/one" : "new/two", "new");
    fs::remove_all(source() / (remember ? "src/deep" : "empty dir"));
    auto next = bring();
    EXPECT_EQ(next.uploaded_files, 2U);
    EXPECT_EQ(next.directory, first.directory);
    EXPECT_NE(next.stamp, first.stamp);
    EXPECT_FALSE(next.repaired);
  }
}

TEST_F(StageTest, RenamesAndTypeChanges) {
  put_sample();
  put("was-file", "f");
  put("was-dir/a", "a");
  put("was-dir/b/c", "c");
  fs::create_symlink("nowhere", source() / "was-link");
  bring();
  fs::rename(source() / "src/main.c", source() / "src/renamed.c");
  fs::remove(source() / "was-file");
  put("was-file/inside", "now a directory");
  fs::remove_all(source() / "was-dir");
  fs::create_symlink("src", source() / "was-dir");
  fs::remove(source() / "was-link");
  put("was-link", "now a file");
  bring();
  fs::remove(source() / "was-dir");
  put("was-dir", "now a file");
  fs::remove_all(source() / "was-file");
  fs::create_symlink("/etc", source() / "was-file");
  fs::remove(source() / "was-link");
  fs::create_directory(source() / "was-link");
  bring();
}

TEST_F(StageTest, FifosAreMadeAndSocketsAreEmptyFiles) {
  put_sample();
  const std::string pipe = source() / "pipe", other = source() / "src/other", sock = source() / "sock";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0640), 0);
  ASSERT_EQ(::mkfifo(other.c_str(), 0600), 0);
  ASSERT_EQ(::mknod(sock.c_str(), S_IFSOCK | 0644, 0), 0);
  bring();
  ASSERT_EQ(::chmod(pipe.c_str(), 0600), 0);
  fs::remove(other);
  put("src/other", "now a file");
  fs::remove(sock);
  ASSERT_EQ(::mkfifo(sock.c_str(), 0644), 0);
  bring();
  fs::remove(pipe);
  bring();
}

TEST_F(StageTest, AModeChangeSendsNoContent) {
  put("big", std::string(100'000, 'x'), 0644);
  put("other", "o", 0600);
  auto first = bring();
  auto before = facts(first.directory + "/big");
  ::chmod((source() / "big").c_str(), 0755);
  ::chmod((source() / "other").c_str(), 04711);
  auto second = bring();
  EXPECT_EQ(second.uploaded_files, 0U);
  EXPECT_LT(second.uploaded_bytes, 16'000U);
  EXPECT_EQ(facts(first.directory + "/big").st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

TEST_F(StageTest, OddNames) {
  const std::string names[] = {"new\nline",
                               "-rf",
                               "--",
                               "caf\xe9",
                               "sp ace ",
                               "quote'\"`$(x)",
                               "back\\slash",
                               "tab\there",
                               "\x01\x02",
                               "*",
                               "a\x02"
                               "b/x",
                               "ünï",
                               "~",
                               ".hidden"};
  for (const auto& name : names) put(name, "content of " + name);
  put(std::string(200, 'n') + "/" + std::string(200, 'm') + "/" + std::string(250, 'o'), "long");
  fs::create_symlink("caf\xe9 \n \x01", source() / "to\nodd");
  bring();
  remember_ = false;
  for (const auto& name : names) put(name, "other content of " + name);
  fs::remove(source() / "to\nodd");
  fs::create_symlink(std::string(300, 't'), source() / "to\nodd");
  auto changed = bring();
  EXPECT_EQ(changed.uploaded_files, std::size(names) + 1);
  for (const auto& name : names) fs::remove(source() / name);
  bring();
}

TEST_F(StageTest, SymlinksStayWhatTheyAre) {
  fs::create_symlink("/etc/passwd", source() / "absolute");
  fs::create_symlink("../../..", source() / "up");
  fs::create_symlink("gone", source() / "dangling");
  put("dir/file", "f");
  fs::create_symlink("dir", source() / "to-dir");
  auto first = bring();
  auto before = facts(first.directory + "/dangling").st_mtim;
  fs::remove(source() / "dangling");
  fs::create_symlink("lost", source() / "dangling");
  auto second = bring();
  EXPECT_EQ(second.uploaded_files, 1U);
  EXPECT_NE(facts(first.directory + "/dangling").st_mtim.tv_nsec, before.tv_nsec);
}

TEST_F(StageTest, ASameSizeEditWithKeptMtimeGetsAnotherPair) {
  put("file", "aaaa");
  auto kept = facts(source() / "file").st_mtim;
  auto first = bring();
  auto one = facts(first.directory + "/file").st_mtim;
  EXPECT_EQ(one.tv_sec, kept.tv_sec);
  put("file", "bbbb");
  set_mtime(source() / "file", kept);
  bring();
  auto two = facts(first.directory + "/file").st_mtim;
  EXPECT_EQ(two.tv_sec, kept.tv_sec);
  EXPECT_NE(two.tv_nsec, one.tv_nsec);
  put("file", "aaaa");
  set_mtime(source() / "file", kept);
  bring();
  EXPECT_EQ(facts(first.directory + "/file").st_mtim.tv_nsec, one.tv_nsec);
}

TEST_F(StageTest, MtimesOutOfRangeAreClamped) {
  put("old", "o");
  put("far", "f");
  set_mtime(source() / "old", {-5, 0});
  auto wanted = scan(source());
  wanted.entries[0].mtime_s = std::int64_t{1} << 40U;
  auto state = bring_stage(*parent_, tools(), request(wanted));
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_EQ(facts(state->directory + "/old").st_mtim.tv_sec, 0);
  EXPECT_EQ(facts(state->directory + "/far").st_mtim.tv_sec, (std::int64_t{1} << 33U) - 1);
}

TEST_F(StageTest, ATouchSendsNothing) {
  put_sample();
  bring();
  set_mtime(source() / "src/main.c", {1'000'000'000, 5});
  EXPECT_EQ(bring().uploaded_bytes, 0U);
  put("src/main.c", "edited after the touch\n");
  EXPECT_EQ(bring().uploaded_files, 1U);
}

TEST_F(StageTest, ImpliedDirectoriesAreMade) {
  put("a/b/c", "c");
  put("a-b", "x");
  auto wanted = scan(source());
  std::erase_if(wanted.entries, [](const auto& entry) { return entry.type == graph::EntryType::kDirectory; });
  auto first = bring_stage(*parent_, tools(), request(wanted));
  ASSERT_TRUE(first.ok()) << first.error().message;
  expect_holds(first->directory, scan(source()));
  believed_ = wanted;
  stamp_ = first->stamp;
  auto again = bring_stage(*parent_, tools(), request(wanted));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->uploaded_bytes, 0U);
}

TEST_F(StageTest, AFileEditedAfterTheScanIsRefusedAndTheNextRunConverges) {
  put_sample();
  bring();
  put("aaa", std::string(3'000'000, 'a'));  // on its way before the edit is met
  put("src/main.c", "first\n");
  auto wanted = scan(source());
  put("src/main.c", "FIRST\n");  // the same size
  auto plain = tools();
  plain.has_zstd = plain.has_gzip = false;
  auto refused = bring_stage(*parent_, plain, request(wanted));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInputsChanged);
  EXPECT_NE(refused.error().message.find("src/main.c"), std::string::npos);
  EXPECT_FALSE(fs::exists(stage_dir() / "stamp"));
  EXPECT_EQ(guard(stamp_).first, 75);
  auto next = bring();
  EXPECT_FALSE(next.repaired) << "it was otto's own";
  EXPECT_EQ(guard(next.stamp).first, 0);
}

TEST_F(StageTest, AnEditMetBeforeAnythingIsSentLeavesTheStageAsItWas) {
  put_sample();
  auto first = bring();
  auto before = scan(source());
  put("src/main.c", "first\n");
  auto wanted = scan(source());
  put("src/main.c", "FIRST\n");
  EXPECT_EQ(bring_stage(*parent_, tools(), request(wanted)).error().code, ErrorCode::kInputsChanged);
  expect_holds(first.directory, before);
  EXPECT_EQ(guard(first.stamp).first, 0);
}

TEST_F(StageTest, EveryKindOfLateChangeIsNamed) {
  auto refusal = [&](const graph::ContextManifest& wanted) {
    auto refused = bring_stage(*parent_, tools(), request(wanted));
    return refused ? ErrorCode::kUsage : refused.error().code;
  };
  put("file", "content");
  auto wanted = scan(source());
  fs::remove(source() / "file");
  EXPECT_EQ(refusal(wanted), ErrorCode::kInputsChanged);
  put("file", "contents");
  EXPECT_EQ(refusal(wanted), ErrorCode::kInputsChanged);
  fs::remove(source() / "file");
  fs::create_symlink("content", source() / "file");
  EXPECT_EQ(refusal(wanted), ErrorCode::kInputsChanged);
  wanted = scan(source());
  fs::remove(source() / "file");
  fs::create_symlink("con", source() / "file");
  EXPECT_EQ(refusal(wanted), ErrorCode::kInputsChanged);
  bring();
}

TEST_F(StageTest, OneEditAmongManySendsLittle) {
  for (int at = 0; at < 1'000; ++at) put(fmt::format("dir{}/file{}.txt", at % 10, at), fmt::format("content {}", at));
  auto first = bring();
  put("dir7/file7.txt", "0123456789");
  auto delta = bring();
  EXPECT_EQ(delta.uploaded_files, 1U);
  EXPECT_LT(delta.uploaded_bytes, 16'000U);
  EXPECT_LT(delta.uploaded_bytes, first.uploaded_bytes / 4);
}

TEST_F(StageTest, CompressesWhatCompresses) {
  put("text", std::string(3'000'000, 't'));
  EXPECT_LT(bring().uploaded_bytes, 300'000U);
  put("noise", noise(3'000'000, 1));
  auto state = bring();
  EXPECT_GE(state.uploaded_bytes, 3'000'000U);
  EXPECT_LT(state.uploaded_bytes, 3'064'000U);
}

TEST_F(StageTest, WorksWithGzipAndWithoutAnyCompression) {
  put_sample();
  put("text", std::string(500'000, 't'));
  for (auto [zstd, gzip] : {std::pair{false, true}, std::pair{false, false}}) {
    auto limited = tools();
    limited.has_zstd = zstd;
    limited.has_gzip = gzip;
    remember_ = false;
    put("src/main.c", gzip ? "one\n" : "two\n");
    put("text", std::string(500'000, gzip ? 'g' : 'n'));
    auto wanted = scan(source());
    auto state = bring_stage(*parent_, limited, request(wanted));
    ASSERT_TRUE(state.ok()) << state.error().message;
    expect_holds(state->directory, wanted);
    EXPECT_EQ(state->uploaded_bytes < 100'000, gzip);
  }
}

TEST_F(StageTest, ABigFileStreamsInBoundedMemory) {
  constexpr std::uint64_t kSize = 300'000'000;
  put("big", "");
  fs::resize_file(source() / "big", kSize);
  graph::ContextManifest wanted;
  graph::Sha256 hasher;
  std::string zeros(1'000'000, '\0');
  for (std::uint64_t done = 0; done < kSize; done += zeros.size()) hasher.update(zeros);
  wanted.entries.push_back({"big", graph::EntryType::kFile, 0644, kSize, 1, hasher.finish(), {}});
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  auto before = usage.ru_maxrss;
  std::uint64_t reported = 0;
  auto asked = request(wanted);
  asked.progress = [&](std::uint64_t sent, std::uint64_t) { reported = sent; };
  auto plain = tools();
  plain.has_zstd = plain.has_gzip = false;
  auto state = bring_stage(*parent_, plain, asked);
  ASSERT_TRUE(state.ok()) << state.error().message;
  ::getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss - before, 64 * 1024);
  EXPECT_EQ(fs::file_size(state->directory + "/big"), kSize);
  EXPECT_EQ(reported, state->uploaded_bytes);
  EXPECT_GT(reported, kSize);
}

TEST_F(StageTest, FilesMayLieElsewhere) {
  put("a/here", "here");
  put("b/there", "there");
  auto wanted = scan(source());
  write_file(home_ / "elsewhere", "there");
  fs::remove(source() / "b/there");
  auto asked = request(wanted);
  asked.locate = [this](const std::string& path) { return path == "b/there" ? home_ / "elsewhere" : source() / path; };
  auto state = bring_stage(*parent_, tools(), asked);
  ASSERT_TRUE(state.ok()) << state.error().message;
  expect_holds(state->directory, wanted);
}

TEST_F(StageTest, AStoppedRequestIsInterrupted) {
  put("file", "f");
  auto wanted = scan(source());
  auto asked = request(wanted);
  std::stop_source stop;
  stop.request_stop();
  asked.stop = stop.get_token();
  auto refused = bring_stage(*parent_, tools(), asked);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInterrupted);
  bring();
}

}  // namespace
}  // namespace otto::stage

// A local tree, a stage root and this machine as the parent, in one private temp directory.
//
// The scan here is its own, so that the stage is tested against what lies on disk and not against the scanner.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "engine/stage/stage.h"
#include "transport/connect.h"
#include "transport/remote.h"

namespace otto::stage {

namespace fs = std::filesystem;

class StageFixture : public ::testing::Test {
 protected:
  StageFixture() {
    std::string pattern = (fs::temp_directory_path() / "otto-stage-XXXXXX").string();
    home_ = ::mkdtemp(pattern.data());
    fs::create_directory(source());
  }
  ~StageFixture() override {
    std::error_code ignored;
    fs::remove_all(home_, ignored);
  }

  /// Runs `body` as an account that is not root, to which all of this directory belongs from now on. Only the calling
  /// thread's credentials are another's, and those of what it starts.
  void as_account(const std::function<void()>& body) {
    if (::geteuid() != 0) return body();
    give(home_, kAccount);
    as_account_as_is(body);
  }
  void as_account_as_is(const std::function<void()>& body) {
    std::thread([&] {
      ASSERT_EQ(::syscall(SYS_setgroups, 0, nullptr), 0);
      ASSERT_EQ(::syscall(SYS_setresgid, kAccount, kAccount, kAccount), 0);
      ASSERT_EQ(::syscall(SYS_setresuid, kAccount, kAccount, kAccount), 0);
      parent_ = make_parent();
      body();
      parent_.reset();
    }).join();
    parent_ = make_parent();
  }
  static constexpr unsigned kAccount = 65534, kAnother = 65533;
  static void give(const fs::path& path, unsigned owner) {
    ASSERT_EQ(::lchown(path.c_str(), owner, owner), 0) << path;
    if (!fs::is_directory(fs::symlink_status(path))) return;
    for (const auto& item : fs::recursive_directory_iterator(path)) {
      const auto mode = facts(item.path()).st_mode & 07777U;  // giving a file away takes its special bits
      ASSERT_EQ(::lchown(item.path().c_str(), owner, owner), 0);
      if (!item.is_symlink()) {
        ASSERT_EQ(::chmod(item.path().c_str(), mode), 0);
      }
    }
  }

  [[nodiscard]] fs::path source() const { return home_ / "source"; }
  [[nodiscard]] std::function<fs::path(const std::string&)> below_source() const {
    return [root = source()](const std::string& path) { return root / path; };
  }
  [[nodiscard]] fs::path stage_root() const { return home_ / "stages"; }
  [[nodiscard]] fs::path stage_dir() const { return stage_root() / "ctx"; }
  [[nodiscard]] parent::StageTools tools() const { return {stage_root().string(), true, true}; }

  static std::unique_ptr<transport::Transport> connect_locally() {
    transport::Route route;
    route.target.id = "local";
    route.target.protocol = transport::Protocol::kLocal;
    auto transport = transport::connect(route, {});
    EXPECT_TRUE(transport.ok());
    return std::move(transport).value();
  }
  static std::unique_ptr<transport::Remote> make_parent() {
    return std::make_unique<transport::Remote>(connect_locally());
  }

  static void write_file(const fs::path& path, std::string_view content, unsigned mode = 0644) {
    const mode_t before = ::umask(022);  // directories are usual ones, whoever runs the tests
    fs::create_directories(path.parent_path());
    ::umask(before);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  void put(const std::string& path, std::string_view content, unsigned mode = 0644) {
    write_file(source() / path, content, mode);
  }
  static std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static struct stat facts(const fs::path& path) {
    struct stat facts {};
    EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
    return facts;
  }
  static void set_mtime(const fs::path& path, const timespec& time) {
    timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  static graph::ContextManifest scan(const fs::path& root) {
    graph::ContextManifest manifest;
    for (const auto& item : fs::recursive_directory_iterator(root)) {
      graph::ContextEntry entry;
      entry.path = item.path().string().substr(root.string().size() + 1);
      auto about = facts(item.path());
      entry.mode = static_cast<std::uint16_t>(about.st_mode & 07777U);
      entry.mtime_s = about.st_mtim.tv_sec;
      if (S_ISLNK(about.st_mode)) {
        entry.type = graph::EntryType::kSymlink;
        entry.target = fs::read_symlink(item.path()).string();
      } else if (S_ISFIFO(about.st_mode)) {
        entry.type = graph::EntryType::kFifo;
      } else if (S_ISSOCK(about.st_mode)) {
        entry.digest = graph::sha256("");
      } else if (S_ISDIR(about.st_mode)) {
        entry.type = graph::EntryType::kDirectory;
      } else {
        auto content = read_file(item.path());
        entry.size = content.size();
        entry.digest = graph::sha256(content);
      }
      manifest.entries.push_back(std::move(entry));
    }
    std::sort(manifest.entries.begin(), manifest.entries.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return manifest;
  }

  StageRequest request(const graph::ContextManifest& wanted) {
    StageRequest request;
    request.key = "ctx";
    request.kind = kind_;
    request.source = source();
    request.wanted = &wanted;
    if (remember_) {
      request.believed = believed_;
      request.believed_stamp = stamp_;
    }
    return request;
  }

  /// Scans, brings the stage, checks that it holds the source, and remembers as the engine does.
  StageState bring() {
    auto wanted = scan(source());
    auto state = bring_stage(*parent_, tools(), request(wanted));
    if (!state) {
      ADD_FAILURE() << state.error().message;
      return {(home_ / "nothing").string(), {}, 0, 0, false};  // never paths outside of here
    }
    believed_ = wanted;
    stamp_ = state->stamp;
    if (kind_ == StageKind::kContext) expect_holds(state->directory, wanted);
    return *state;
  }

  static void expect_holds(const fs::path& tree, const graph::ContextManifest& wanted) {
    auto staged = scan(tree);
    ASSERT_EQ(staged.entries.size(), wanted.entries.size());
    for (std::size_t at = 0; at < wanted.entries.size(); ++at) {
      const auto& is = staged.entries[at];
      const auto& should = wanted.entries[at];
      EXPECT_EQ(is.path, should.path);
      EXPECT_EQ(is.type, should.type) << is.path;
      EXPECT_EQ(is.digest, should.digest) << is.path;
      EXPECT_EQ(is.target, should.target) << is.path;
      EXPECT_EQ(is.mode, should.mode) << is.path;
    }
  }

  /// What the guard says about a stamp: exit status and its words.
  std::pair<int, std::string> guard(const std::string& stamp, const std::string& then = ":") {
    transport::Script script;
    script.text =
        stage_guard_script(tools()) + "otto_stage_enter ctx \"$1\"\n" + then + "\necho \"$otto_stage_tree\"\n";
    script.args = {stamp};
    auto output = parent_->run(script);
    if (!output) return {-1, output.error().message};
    return {output->status.shell_code(), output->status.success() ? output->out : output->err};
  }

  fs::path home_;
  std::unique_ptr<transport::Remote> parent_ = make_parent();
  StageKind kind_ = StageKind::kContext;
  bool remember_ = true;
  std::optional<graph::ContextManifest> believed_;
  std::string stamp_;
};

}  // namespace otto::stage

// A private folder with a memo in it, and the ways to hurt it, for the tests of the cache layer.
//
// Raw SQLite is used here to be independent of the code under test. One test, one folder, removed at its end.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "cache/database.h"
#include "cache/records.h"

namespace otto::cache {

class MemoTest : public ::testing::Test {
 protected:
  MemoTest() {
    std::string name = (std::filesystem::temp_directory_path() / "otto-memo-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    root = name;
    file = root / "state" / "otto" / "memo.db";
  }
  ~MemoTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root, ignored);
  }

  /// Opens for writing; anything but success without warnings ends the test binary.
  [[nodiscard]] Database open() const {
    std::vector<std::string> warnings;
    Database database = open_with(warnings);
    if (!warnings.empty()) panic(warnings.front().c_str(), __FILE__, __LINE__);
    return database;
  }
  [[nodiscard]] Database open_with(std::vector<std::string>& warnings) const {
    return Database::open(file, OpenMode::kReadWrite, warnings).value();
  }

  /// Runs SQL without the code under test.
  static void raw(const std::filesystem::path& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    char* said = nullptr;
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &said), SQLITE_OK) << (said ? said : "");
    sqlite3_free(said);
    sqlite3_close(handle);
  }
  /// All rows of a query, columns joined by '|', rows by '\n'.
  static std::string ask(const std::filesystem::path& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    std::string answer;
    const auto row = [](void* out, int count, char** values, char**) {
      auto& text = *static_cast<std::string*>(out);
      for (int i = 0; i < count; ++i) text += (i == 0 ? "" : "|") + std::string(values[i] ? values[i] : "NULL");
      text += '\n';
      return 0;
    };
    EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), row, &answer, nullptr), SQLITE_OK) << sql;
    sqlite3_close(handle);
    return answer;
  }

  /// Overwrites the page that holds the root of `table`; nobody has the memo open.
  void damage_table(const std::string& table) const {
    const long page_size = std::stol(ask(file, "PRAGMA page_size"));
    const long page = std::stol(ask(file, "SELECT rootpage FROM sqlite_schema WHERE name = '" + table + "'"));
    ASSERT_GT(page, 1);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp((page - 1) * page_size);
    stream << std::string(static_cast<std::size_t>(page_size), '\x5a');
    ASSERT_TRUE(stream.flush().good());
  }

  [[nodiscard]] static std::string content(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  static void write(const std::filesystem::path& path, std::string_view bytes) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }

  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat status = {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  /// Names in the memo's folder that begin with `prefix`.
  [[nodiscard]] std::vector<std::string> files(const std::string& prefix) const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(file.parent_path())) return names;
    for (const auto& entry : std::filesystem::directory_iterator(file.parent_path())) {
      if (entry.path().filename().string().starts_with(prefix)) names.push_back(entry.path().filename().string());
    }
    return names;
  }

  /// The databases set aside, without their logs.
  [[nodiscard]] std::vector<std::string> set_aside_files(const std::string& why) const {
    std::vector<std::string> names = files("memo.db." + why + "-");
    std::erase_if(names, [](const std::string& name) { return name.ends_with("-wal") || name.ends_with("-shm"); });
    return names;
  }

  /// Runs `body` in a child process; its exit code is 0 where `body` returned true.
  static pid_t in_child(const std::function<bool()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body() ? 0 : 1);
    return child;
  }
  static int wait_for(pid_t child) {
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  std::filesystem::path root, file;
};

inline BuildRecord a_build(std::string image = "api", std::string parent = "pepper_seed",
                           std::string_view made_of = "x") {
  graph::FingerprintBuilder builder;
  builder.add(graph::ComponentKind::kDockerfile, "Dockerfile", made_of);
  builder.add_digest(graph::ComponentKind::kContext, ".", graph::sha256(made_of));
  BuildRecord build;
  build.at_ms = 1'700'000'000'123;
  build.project = "repo1";
  build.image = std::move(image);
  build.parent = std::move(parent);
  build.fingerprint = std::move(builder).finish();
  build.hash = build.fingerprint.hash.tag();
  build.tag = "repo1-" + build.image + ":" + build.hash;
  build.image_id = "sha256:1234";
  build.duration_ms = 4321;
  build.uploaded_bytes = std::uint64_t{5} << 32;
  build.uploaded_files = 7;
  build.reasons = {{graph::ReasonKind::kFileChanged, "src/a b.c", ""},
                   {graph::ReasonKind::kModeChanged, "bin/run\xff", "0644 → 0755"}};
  return build;
}

inline Registration a_registration(std::string service = "api", std::string parent = "pepper_seed") {
  Registration registration;
  registration.parent = std::move(parent);
  registration.lab = "veggies";
  registration.project = "repo1";
  registration.compose_project = "otto-repo1-ann";
  registration.service = std::move(service);
  registration.host_id = registration.parent + ".repo1." + registration.service;
  registration.replica = 1;
  registration.container_id = "c0ffee";
  registration.image = "repo1-api:0123";
  registration.state = "running";
  registration.last_seen_ms = 1'700'000'000'456;
  return registration;
}

}  // namespace otto::cache

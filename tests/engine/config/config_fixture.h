// A private repo on disk for configuration tests, and the reader of golden files of bad inputs.
//
// A golden file is a list of cases: `## title`, the input as it is written to the file under test, a line `=>`, and the
// expected error (its hint on the line `hint: …`), in which $ROOT stands for the repo. OTTO_UPDATE_GOLDEN=1 rewrites
// it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"
#include "tests/support/golden.h"

namespace otto::config {

class TempRepo {
 public:
  TempRepo() {
    std::string pattern = (std::filesystem::temp_directory_path() / "otto-config-XXXXXX").string();
    OTTO_CHECK(mkdtemp(pattern.data()) != nullptr);
    root_ = std::filesystem::canonical(pattern);
  }
  TempRepo(const TempRepo&) = delete;
  TempRepo& operator=(const TempRepo&) = delete;
  ~TempRepo() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path path(std::string_view relative) const { return root_ / relative; }

  std::filesystem::path write(std::string_view relative, std::string_view content) const {
    const std::filesystem::path file = root_ / relative;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return file;
  }
  std::filesystem::path settings(std::string_view content) const { return write(".otto/settings.toml", content); }

  /// What the examples refer to.
  void write_example_files() const {
    write("docker/api.Dockerfile", "FROM scratch\n");
    write("docker/db.Dockerfile", "FROM scratch\n");
    write("docker/compose.yml", "services: {}\n");
    write("lab/hosts.json", "[]\n");
    std::filesystem::create_directories(path("lib"));
  }

  /// `text` with this repo's path as $ROOT.
  [[nodiscard]] std::string portable(std::string text) const {
    for (std::size_t at; (at = text.find(root_.string())) != std::string::npos;) {
      text.replace(at, root_.string().size(), "$ROOT");
    }
    return text;
  }

 private:
  std::filesystem::path root_;
};

/// Sets or unsets a variable for the length of a test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

inline std::string shown(const TempRepo& repo, const Error& error) {
  std::string text = error.message + "\n";
  if (!error.hint.empty()) text += "hint: " + error.hint + "\n";
  return repo.portable(std::move(text));
}

struct GoldenCase {
  std::string title;
  std::string input;
  std::string expected;
};

inline std::vector<GoldenCase> read_golden(const std::filesystem::path& file) {
  std::vector<GoldenCase> cases;
  std::ifstream stream(file);
  EXPECT_TRUE(stream) << file;
  bool in_expected = false;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("## ")) {
      cases.push_back({line.substr(3), {}, {}});
      in_expected = false;
    } else if (line == "=>") {
      in_expected = true;
    } else if (!cases.empty()) {
      (in_expected ? cases.back().expected : cases.back().input) += line + "\n";
    }
  }
  for (GoldenCase& each : cases) {
    while (each.expected.ends_with("\n\n")) each.expected.pop_back();
  }
  return cases;
}

/// Runs every case of tests/golden/config/<name> and compares exactly.
template <typename Run>
void check_golden(const std::string& name, std::size_t at_least, Run run) {
  const std::filesystem::path file = testing::golden_path("config/" + name);
  const std::vector<GoldenCase> cases = read_golden(file);
  EXPECT_GE(cases.size(), at_least);
  std::string rewritten;
  for (const GoldenCase& each : cases) {
    const std::string actual = run(each.input);
    EXPECT_EQ(actual, each.expected) << each.title;
    rewritten += "## " + each.title + "\n" + each.input + "=>\n" + actual + "\n";
  }
  if (testing::update_golden()) std::ofstream(file) << rewritten;
}

}  // namespace otto::config

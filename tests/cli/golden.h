// Compares output with a file of tests/golden/cli, byte for byte; OTTO_UPDATE_GOLDEN=1 rewrites the file instead.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace otto::cli {

inline void expect_file(const std::string& path, const std::string& actual) {
  if (const char* update = std::getenv("OTTO_UPDATE_GOLDEN"); update != nullptr && std::string(update) == "1") {
    std::ofstream(path, std::ios::binary) << actual;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path << " is missing; run once with OTTO_UPDATE_GOLDEN=1";
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str()) << "differs from " << path;
}

inline void expect_golden(const std::string& name, const std::string& actual) {
  expect_file(OTTO_TEST_DATA_DIR "/cli/" + name, actual);
}

}  // namespace otto::cli

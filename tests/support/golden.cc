#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace otto::testing {

std::filesystem::path golden_path(std::string_view name) { return std::filesystem::path(OTTO_GOLDEN_DIR) / name; }

bool update_golden() {
  const char* update = std::getenv("OTTO_UPDATE_GOLDEN");
  return update != nullptr && std::string_view(update) == "1";
}

void expect_file(const std::filesystem::path& path, const std::string& actual) {
  if (update_golden()) std::ofstream(path, std::ios::binary) << actual;
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path << " is missing; run once with OTTO_UPDATE_GOLDEN=1";
  std::ostringstream expected;
  expected << file.rdbuf();
  EXPECT_EQ(actual, expected.str()) << "differs from " << path;
}

}  // namespace otto::testing

// Compares output with a file of tests/golden/cli (tests/support/golden.h).
#pragma once

#include <string>

#include "tests/support/golden.h"

namespace otto::cli {

inline void expect_golden(const std::string& name, const std::string& actual) {
  testing::expect_file(testing::golden_path("cli/" + name), actual);
}

}  // namespace otto::cli

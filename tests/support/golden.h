// Expected output as files of tests/golden, compared byte for byte; OTTO_UPDATE_GOLDEN=1 rewrites them instead.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace otto::testing {

/// tests/golden/<name>.
std::filesystem::path golden_path(std::string_view name);
/// Whether golden files are to be rewritten.
bool update_golden();
/// Fails the running test where `actual` is not what the file holds.
void expect_file(const std::filesystem::path& path, const std::string& actual);

}  // namespace otto::testing

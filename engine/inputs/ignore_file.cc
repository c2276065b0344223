#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "engine/inputs/context_scan.h"
#include "graph/base/text.h"

namespace otto::inputs {

namespace {

Result<std::optional<std::string>> read_if_there(const std::filesystem::path& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (status.type() == std::filesystem::file_type::not_found) return std::optional<std::string>();
  const bool directory = std::filesystem::is_directory(status);
  std::ifstream in;
  if (!directory) in.open(path, std::ios::binary);
  std::string bytes;
  if (in.is_open()) bytes.assign(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad()) {
    return make_error(ErrorCode::kIo, fmt::format("cannot read the ignore file '{}'", text::printable(path.string())),
                      "make it a readable file, or remove it");
  }
  return std::optional(std::move(bytes));
}

}  // namespace

Result<IgnoreFile> find_ignore_file(const std::filesystem::path& dockerfile, const std::filesystem::path& context) {
  std::filesystem::path beside = dockerfile;
  beside += ".dockerignore";
  for (const std::filesystem::path& path : {beside, context / ".dockerignore"}) {
    OTTO_TRY(auto text, read_if_there(path));
    if (text) return IgnoreFile{path, std::move(*text)};
  }
  return IgnoreFile{};
}

}  // namespace otto::inputs

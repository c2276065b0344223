#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "engine/context/context_scan.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::context {

namespace {

Result<std::optional<std::string>> read_if_there(const std::filesystem::path& path) {
  auto bytes = read_whole_file(path);
  if (bytes || errno == ENOENT || errno == ENOTDIR) return bytes;
  return make_error(ErrorCode::kIo, fmt::format("cannot read the ignore file '{}'", text::printable(path.string())),
                    "make it a readable file, or remove it");
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

}  // namespace otto::context

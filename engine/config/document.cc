// What both document formats share: reading the file, and the words of an error.
//
// Must not know TOML, JSON or any key.
#include "engine/config/document.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "graph/base/fd.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"

namespace otto::config {

namespace fs = std::filesystem;

namespace {
constexpr std::uintmax_t kLargestFile = std::uintmax_t{64} << 20;
constexpr std::size_t kRoomBehind = 64;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
}  // namespace

Result<std::string> read_document(const fs::path& file) {
  std::error_code failure;
  const fs::file_status status = fs::status(file, failure);
  if (status.type() == fs::file_type::not_found) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: no such file", file.string()));
  }
  const auto unreadable = [&] {
    return make_error(ErrorCode::kConfig, fmt::format("{}: cannot be read: {}", file.string(), failure.message()),
                      "check the permissions of the file and of the directories above it");
  };
  if (failure) return unreadable();
  if (!fs::is_regular_file(status)) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: not a regular file", file.string()));
  }
  const std::uintmax_t size = fs::file_size(file, failure);
  if (failure) return unreadable();
  if (size > kLargestFile) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("{}: {} bytes are more than a configuration file holds", file.string(), size));
  }
  auto bytes = read_whole_file(file, kRoomBehind);
  if (!bytes) {
    return make_error(ErrorCode::kConfig, fmt::format("{}: cannot be read: {}", file.string(), errno_text(errno)),
                      fmt::format("check the permissions: chmod u+r {}", file.string()));
  }
  std::string text = std::move(*bytes);
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

Error error_at(const Source& source, Position at, std::string_view message, std::string hint) {
  const SourceLocation where{source.file, at.line, at.column};
  return make_error(ErrorCode::kConfig, fmt::format("{}: {}", where.str(), message), std::move(hint));
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text::printable(text)) {
    if (c == '\n' || c == '\t') {
      line += c == '\n' ? "\\n" : "\\t";
    } else {
      line += c;
    }
  }
  return line;
}

std::string_view kind_name(Kind kind, Format format) {
  const bool json = format == Format::kJson;
  switch (kind) {
    case Kind::kNull: return "null";
    case Kind::kBoolean: return "a boolean";
    case Kind::kInteger: return json ? "a number" : "an integer";
    case Kind::kFloat: return json ? "a number" : "a float";
    case Kind::kString: return "a string";
    case Kind::kDate: return "a date or time";
    case Kind::kArray: return "an array";
    case Kind::kTable: return json ? "an object" : "a table";
  }
  panic("unknown kind", __FILE__, __LINE__);
}

}  // namespace otto::config

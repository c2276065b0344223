// A configuration document as one tree of values that remember where they stand: what TOML and JSON have in common.
//
// toml_document.cc and json_document.cc fill it; they alone see toml++ and simdjson. fields.h reads it strictly. The
// tree must not know what any key means. It exists because simdjson's DOM has no positions and an error without line
// and column is no help: one tree with positions gives both formats the same checks and the same words. Values only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config/source_location.h"
#include "graph/base/result.h"

namespace otto::config {

enum class Format { kToml, kJson };
enum class Kind { kNull, kBoolean, kInteger, kFloat, kString, kDate, kArray, kTable };

/// 1-based; columns count characters, not bytes.
struct Position {
  unsigned line = 0;
  unsigned column = 0;
};

struct Member;

struct Node {
  Kind kind = Kind::kNull;
  Position at;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;              ///< also set for kInteger
  std::string text;             ///< a string's value; a number as it is to be shown
  std::vector<Node> items;      ///< of an array
  std::vector<Member> members;  ///< of a table, in file order, without duplicate keys
};

struct Member {
  std::string key;
  Position at;  ///< of the key
  Node value;
};

/// What every message about a document needs to know of it.
struct Source {
  std::string file;
  Format format = Format::kToml;
  std::filesystem::path base;          ///< what relative paths are relative to
  std::optional<std::string> sut_dir;  ///< what ${sutDir} stands for; unset: there are no variables
};

/// The whole file, without a UTF-8 byte-order mark, with room behind it for simdjson to read. kConfig naming the file
/// where it is missing, no regular file, not readable or larger than 64 MiB.
Result<std::string> read_document(const std::filesystem::path& file);

/// The document's top-level table. kConfig for a syntax error or a duplicate key.
Result<Node> parse_toml(const Source& source, std::string_view text);
/// Is given one item of an array; its error ends the reading.
using TakeNode = std::function<Result<void>(Node)>;
/// The document's top-level object, or its top-level array, whose items go to `take` one by one and not into what comes
/// back. kConfig for a syntax error or a duplicate key.
Result<Node> parse_json(const Source& source, std::string text, const TakeNode& take);

/// A kConfig error whose message starts with file:line:column.
Error error_at(const Source& source, Position at, std::string_view message, std::string hint = {});

/// `text` for a message: text::printable on one line.
std::string one_line(std::string_view text);

/// "a string", "a table" (TOML) or "an object" (JSON), …
std::string_view kind_name(Kind kind, Format format);

}  // namespace otto::config

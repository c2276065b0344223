// JSON text → the positioned tree, by simdjson's on-demand parser. The only file of config/ that sees its headers.
//
// On-demand values point into the text, which is where positions come from (the DOM has none). Every value is visited,
// so the lazy parser validates all of the document. Errors it finds before the walk (UTF-8, unclosed strings) carry no
// place; locate_lexical_error looks for it. simdjson's error codes are used, never its exceptions.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <unordered_map>

#include "engine/config/document.h"
#include "graph/base/text.h"

namespace otto::config {

namespace {

namespace od = simdjson::ondemand;
constexpr int kDeepest = 64;

/// Turns offsets into positions; they come in ascending order, so that a file is counted through once.
class Positions {
 public:
  explicit Positions(std::string_view text) : text_(text) {}

  Position at(std::size_t offset) {
    offset = std::min(offset, text_.size());
    if (offset < seen_) *this = Positions(text_);
    for (; seen_ < offset; ++seen_) {
      if (text_[seen_] == '\n') {
        ++now_.line;
        now_.column = 1;
      } else if ((static_cast<unsigned char>(text_[seen_]) & 0xc0) != 0x80) {
        ++now_.column;
      }
    }
    return now_;
  }

 private:
  std::string_view text_;
  std::size_t seen_ = 0;
  Position now_{1, 1};
};

/// simdjson reads a little more than there is.
std::string with_room_behind(std::string text) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return text;
}

class JsonReader {
 public:
  JsonReader(const Source& source, std::string text)
      : source_(source), text_(with_room_behind(std::move(text))), positions_(text_) {}

  Result<Node> read(const TakeNode& take);

 private:
  [[nodiscard]] std::size_t offset_of(const char* pointer) const {
    return static_cast<std::size_t>(pointer - text_.data());
  }
  Error fail(std::size_t offset, std::string_view what, std::string hint = {});
  Error unexpected(std::size_t offset, std::string_view expected);
  Error unexpected_here(std::string_view expected);
  Error locate_lexical_error();

  Result<void> read_value(od::value value, Node& node, int depth);
  Result<void> read_object(od::value& value, Node& node, int depth);
  Result<void> read_array(od::value& value, int depth, const TakeNode& take);
  Result<void> read_number(od::value& value, Node& node, std::size_t offset);
  Result<void> read_scalar(od::value& value, od::json_type type, Node& node, std::size_t offset);

  const Source& source_;
  const std::string text_;
  Positions positions_;
  od::parser parser_;
  od::document document_;
};

Error JsonReader::fail(std::size_t offset, std::string_view what, std::string hint) {
  return error_at(source_, positions_.at(offset), fmt::format("invalid JSON: {}", what), std::move(hint));
}

/// What stands there, as far as it may be shown: hosts.json holds passwords, so strings, numbers and words are not.
Error JsonReader::unexpected(std::size_t offset, std::string_view expected) {
  static const std::vector<std::string> kLiterals = {"true", "false", "null", "none"};
  if (offset >= text_.size()) return fail(text_.size(), fmt::format("expected {}, but the file ends", expected));
  const char saw = text_[offset];
  std::string hint;
  if (saw == '}' || saw == ']') hint = "JSON takes no comma after the last entry, and each bracket closes its own kind";
  if (saw == '/' || saw == '#') hint = "JSON knows no comments";
  if (saw == '\'') hint = "JSON takes strings in double quotes only";
  if (saw == '"' || saw == '{' || saw == '[') hint = "is a ',' or ':' missing before it?";
  if (saw == '"') return fail(offset, fmt::format("expected {}, saw a string", expected), std::move(hint));
  const std::size_t end = std::min(text_.find_first_of(" \t\r\n,:[]{}\"", offset + 1), text_.size());
  const auto meant = text::near_miss(text::to_lower(text_.substr(offset, end - offset)), kLiterals);
  if (meant) hint = fmt::format("JSON spells it {}", *meant == "none" ? "null" : *meant);
  return fail(offset, fmt::format("expected {}, saw '{}'", expected, one_line(text_.substr(offset, 1))),
              std::move(hint));
}

Error JsonReader::unexpected_here(std::string_view expected) {
  const char* location = nullptr;
  if (document_.current_location().get(location) != simdjson::SUCCESS) return unexpected(text_.size(), expected);
  return unexpected(offset_of(location), expected);
}

Error JsonReader::locate_lexical_error() {
  for (std::size_t begin = 0; begin < text_.size();) {
    const std::size_t end = std::min(text_.find('\n', begin), text_.size() - 1) + 1;
    if (!simdjson::validate_utf8(text_.data() + begin, end - begin)) {
      std::size_t good = begin;
      for (std::size_t length = 1; length <= 4 && good + length <= end;) {
        const bool whole = simdjson::validate_utf8(text_.data() + good, length);
        good += whole ? length : 0;
        length = whole ? 1 : length + 1;
      }
      return fail(good, "this is not UTF-8", "save the file as UTF-8");
    }
    begin = end;
  }
  std::optional<std::size_t> opened;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (opened && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == '"') {
      opened = opened ? std::nullopt : std::optional(i);
    } else if (opened && static_cast<unsigned char>(text_[i]) < 0x20) {
      return fail(*opened, "this string is not closed on its line", "add the missing '\"', or write \\n and \\t");
    }
  }
  return fail(opened.value_or(text_.size()), "this string is never closed", "add the missing '\"'");
}

/// Where a key is among the members so far; `seen` is filled once they are many.
std::optional<Position> first_of(const std::vector<Member>& members, std::string_view key,
                                 std::unordered_map<std::string, Position>& seen) {
  constexpr std::size_t kFew = 24;
  if (members.size() < kFew) {
    const auto same = [&](const Member& member) { return member.key == key; };
    const auto first = std::find_if(members.begin(), members.end(), same);
    return first == members.end() ? std::nullopt : std::optional(first->at);
  }
  for (std::size_t i = seen.size(); i < members.size(); ++i) seen.emplace(members[i].key, members[i].at);
  const auto first = seen.find(std::string(key));
  return first == seen.end() ? std::nullopt : std::optional(first->second);
}

Result<void> JsonReader::read_object(od::value& value, Node& node, int depth) {
  static constexpr std::string_view kExpected = "a quoted key with ':', or ',' or '}'";
  node.kind = Kind::kTable;
  od::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return unexpected_here(kExpected);
  node.members.reserve(8);
  std::unordered_map<std::string, Position> seen;  // of the keys, once a look at each would take long
  for (auto each : object) {
    od::field field;
    if (std::move(each).get(field) != simdjson::SUCCESS) return unexpected_here(kExpected);
    const std::size_t key_offset = offset_of(field.key().raw()) - 1;
    const Position at = positions_.at(key_offset);
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return fail(key_offset, "this key has a bad escape");
    if (const auto first = first_of(node.members, key, seen)) {
      return error_at(
          source_, at,
          fmt::format("duplicate key '{}', first at line {}, column {}", one_line(key), first->line, first->column),
          "keep one of the two");
    }
    Member& member = node.members.emplace_back(std::string(key), at);
    OTTO_RETURN_IF_ERROR(read_value(field.value(), member.value, depth + 1));
  }
  return {};
}

Result<void> JsonReader::read_array(od::value& value, int depth, const TakeNode& take) {
  od::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return unexpected_here("',' or ']'");
  for (auto each : array) {
    od::value item;
    if (std::move(each).get(item) != simdjson::SUCCESS) return unexpected_here("',' or ']'");
    Node read;
    OTTO_RETURN_IF_ERROR(read_value(item, read, depth + 1));
    OTTO_RETURN_IF_ERROR(take(std::move(read)));
  }
  return {};
}

Result<void> JsonReader::read_number(od::value& value, Node& node, std::size_t offset) {
  od::number number;
  node.text = text::trim(value.raw_json_token());
  const auto failure = value.get_number().get(number);
  if (failure == simdjson::SUCCESS && number.is_int64()) {
    node.kind = Kind::kInteger;
    node.integer = number.get_int64();
    node.real = static_cast<double>(node.integer);
    return {};
  }
  node.kind = Kind::kFloat;
  if (failure == simdjson::SUCCESS) {
    node.real = number.is_uint64() ? static_cast<double>(number.get_uint64()) : number.get_double();
    return {};
  }
  return unexpected(offset, "a number that JSON knows");
}

Result<void> JsonReader::read_scalar(od::value& value, od::json_type type, Node& node, std::size_t offset) {
  bool good = false;
  if (type == od::json_type::string) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return fail(offset, "this string has a bad escape");
    node.kind = Kind::kString;
    node.text = text;
    return {};
  }
  if (type == od::json_type::number) return read_number(value, node, offset);
  if (type == od::json_type::boolean) {
    node.kind = Kind::kBoolean;
    good = value.get_bool().get(node.boolean) == simdjson::SUCCESS;
    node.text = node.boolean ? "true" : "false";
  } else {
    bool null = false;
    good = value.is_null().get(null) == simdjson::SUCCESS && null;
  }
  if (!good) return unexpected(offset, "true, false, null, a number or a quoted string");
  return {};
}

Result<void> JsonReader::read_value(od::value value, Node& node, int depth) {
  const std::size_t offset = offset_of(value.raw_json_token().data());
  if (depth > kDeepest) return fail(offset, fmt::format("nested more than {} deep", kDeepest));
  node.at = positions_.at(offset);
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return unexpected(offset, "a value");
  if (type == od::json_type::object) return read_object(value, node, depth);
  if (type != od::json_type::array) return read_scalar(value, type, node, offset);
  node.kind = Kind::kArray;
  return read_array(value, depth, [&](Node item) -> Result<void> {
    node.items.push_back(std::move(item));
    return {};
  });
}

Result<Node> JsonReader::read(const TakeNode& take) {
  const std::size_t first = text_.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail(0, "the file is empty");
  if (text_[first] != '[' && text_[first] != '{') return unexpected(first, "'['");
  if (parser_.iterate(simdjson::padded_string_view(text_)).get(document_) != simdjson::SUCCESS)
    return locate_lexical_error();
  od::value root;
  if (document_.get_value().get(root) != simdjson::SUCCESS) return unexpected_here("a closing bracket");
  Node node;
  if (text_[first] == '[') {
    node.kind = Kind::kArray;
    node.at = positions_.at(first);
    OTTO_RETURN_IF_ERROR(read_array(root, 1, take));
  } else {
    OTTO_RETURN_IF_ERROR(read_value(root, node, 1));
  }
  const char* rest = nullptr;
  if (document_.current_location().get(rest) == simdjson::SUCCESS && offset_of(rest) < text_.size()) {
    return unexpected(offset_of(rest), "the end of the file");
  }
  return node;
}

}  // namespace

Result<Node> parse_json(const Source& source, std::string text, const TakeNode& take) {
  return JsonReader(source, std::move(text)).read(take);
}

}  // namespace otto::config

// TOML text → the positioned tree, by toml++. The only file that sees its headers and its exceptions.
//
// toml++ keeps a table's keys sorted by name; they are put back into file order here, so that the first error reported
// is the first one in the file.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "engine/config/document.h"
#include "graph/base/text.h"

// With assertions, header-only toml++ 3.3 stops at what it is to report as an error ("[~x]").
#ifndef NDEBUG
static_assert(!TOML_HEADER_ONLY, "link tomlplusplus::tomlplusplus");
#endif

namespace otto::config {

namespace {

Position position_of(const toml::source_region& region) {
  return {static_cast<unsigned>(region.begin.line), static_cast<unsigned>(region.begin.column)};
}

Node convert(const toml::node& from);

std::vector<Member> convert_members(const toml::table& table) {
  std::vector<Member> members;
  members.reserve(table.size());
  for (const auto& [key, value] : table) {
    members.push_back({std::string(key.str()), position_of(key.source()), convert(value)});
  }
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
  });
  return members;
}

void convert_scalar(const toml::node& from, Node& node) {
  if (const auto* text = from.as_string()) {
    node.kind = Kind::kString;
    node.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.kind = Kind::kInteger;
    node.integer = integer->get();
    node.real = static_cast<double>(node.integer);
    node.text = std::to_string(node.integer);
  } else if (const auto* real = from.as_floating_point()) {
    node.kind = Kind::kFloat;
    node.real = real->get();
    node.text = fmt::format("{}", node.real);
  } else if (const auto* boolean = from.as_boolean()) {
    node.kind = Kind::kBoolean;
    node.boolean = boolean->get();
    node.text = node.boolean ? "true" : "false";
  } else {
    node.kind = Kind::kDate;
  }
}

Node convert(const toml::node& from) {
  Node node;
  node.at = position_of(from.source());
  if (const auto* table = from.as_table()) {
    node.kind = Kind::kTable;
    node.members = convert_members(*table);
  } else if (const auto* array = from.as_array()) {
    node.kind = Kind::kArray;
    node.items.reserve(array->size());
    for (const toml::node& item : *array) node.items.push_back(convert(item));
  } else {
    convert_scalar(from, node);
  }
  return node;
}

/// toml++ bounds nested values, but not the parts of a dotted key, each of which is a table within the last.
Result<void> refuse_deep_keys(const Source& source, std::string_view text) {
  constexpr std::ptrdiff_t kMostDots = 500;
  unsigned line = 1;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view content = text.substr(begin, end - begin);
    if (std::count(content.begin(), content.end(), '.') > kMostDots) {
      return error_at(source, {line, 1}, fmt::format("a line with more than {} dots may nest too deeply", kMostDots),
                      "split the line");
    }
    begin = end + 1;
  }
  return {};
}

}  // namespace

Result<Node> parse_toml(const Source& source, std::string_view text) {
  OTTO_RETURN_IF_ERROR(refuse_deep_keys(source, text));
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    std::string what = one_line(error.description());
    if (what.starts_with("Error while ")) what.replace(0, std::string_view("Error while ").size(), "while ");
    while (what.ends_with('.')) what.pop_back();
    std::string hint = "the rules of TOML are at https://toml.io";
    if (what.find("cannot redefine") != std::string::npos) hint = "keep one of the two, or put their keys together";
    if (what.find("control characters") != std::string::npos)
      hint = "is the string closed by its quote before this place?";
    return error_at(source, position_of(error.source()), fmt::format("invalid TOML {}", what), std::move(hint));
  }
}

}  // namespace otto::config

// See fields.h: one table, read strictly. Every message of this file names the key, its table and the remedy.
#include "engine/config/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <system_error>

#include "engine/config/plain_path.h"
#include "graph/base/text.h"

namespace otto::config {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSutDir = "${sutDir}";

std::string expand_sut_dir(std::string_view raw, const std::string& sut_dir) {
  std::string expanded;
  for (std::size_t found; (found = raw.find(kSutDir)) != std::string_view::npos;) {
    expanded.append(raw.substr(0, found)).append(sut_dir);
    raw.remove_prefix(found + kSutDir.size());
  }
  return expanded.append(raw);
}

/// A near-miss, else the one known key that `word` is the beginning of.
std::string did_you_mean_key(std::string_view word, std::span<const std::string> known) {
  std::string meant = text::did_you_mean(word, known);
  if (!meant.empty() || word.size() < 3) return meant;
  const auto longer =
      std::find_if(known.begin(), known.end(), [&](const std::string& key) { return key.starts_with(word); });
  return longer == known.end() ? meant : fmt::format(" … did you mean '{}'?", *longer);
}

/// The entries beside `missing` whose name is nearest to its own.
std::string neighbour(const fs::path& missing) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::directory_iterator it(missing.parent_path(), ignored), end; !ignored && it != end; it.increment(ignored)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return text::did_you_mean(missing.filename().string(), names);
}

}  // namespace

std::string list_of(std::span<const std::string> words) { return text::join(words, ", "); }

std::string unfit_for_argv(std::string_view word) {
  if (word.starts_with('-')) return "must not begin with '-'";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) return "must hold neither blanks nor control characters";
  }
  return {};
}

Fields::Fields(const Source& source, const Node& table, std::string scope, std::span<const FieldSpec> specs)
    : source_(source), table_(table), scope_(std::move(scope)), specs_(specs) {}

Result<void> Fields::check() const {
  if (table_.kind != Kind::kTable) {
    const std::string entry = remedy(specs_.front().key, "");
    return error_at(source_, table_.at,
                    fmt::format("expected {} here, not {}", kind_name(Kind::kTable, source_.format),
                                kind_name(table_.kind, source_.format)),
                    source_.format == Format::kToml ? "write { " + entry + " }" : "write {" + entry + "}");
  }
  for (const Member& member : table_.members) {
    const auto same = [&](const FieldSpec& spec) { return spec.key == member.key; };
    if (std::any_of(specs_.begin(), specs_.end(), same)) continue;
    std::vector<std::string> known;
    for (const FieldSpec& spec : specs_) known.emplace_back(spec.key);
    return error_at(
        source_, member.at,
        fmt::format("unknown key '{}' {}{}", one_line(member.key), scope_, did_you_mean_key(member.key, known)),
        fmt::format("the keys {} are: {}", scope_, list_of(known)));
  }
  return {};
}

const Member* Fields::find(std::string_view key) const {
  for (const Member& member : table_.members) {
    if (member.key == key) return member.value.kind == Kind::kNull ? nullptr : &member;
  }
  return nullptr;
}

Position Fields::where(std::string_view key) const {
  const Member* member = find(key);
  return member != nullptr ? member->value.at : table_.at;
}

std::string Fields::remedy(std::string_view key, std::string_view verb) const {
  std::string hint(verb);
  if (!hint.empty()) hint += ' ';
  for (const FieldSpec& spec : specs_) {
    if (spec.key != key) continue;
    if (source_.format == Format::kJson) return hint + fmt::format("\"{}\": {}", key, spec.example);
    if (spec.example.starts_with('[') && spec.example.ends_with(']') && spec.example.find('"') == std::string::npos) {
      return hint + std::string(spec.example);
    }
    return hint + fmt::format("{} = {}", key, spec.example);
  }
  panic("a key without its spec", __FILE__, __LINE__);
}

Error Fields::error(std::string_view key, Position at, std::string_view what) const {
  return error(key, at, what, remedy(key));
}

Error Fields::error(std::string_view key, Position at, std::string_view what, std::string hint) const {
  const std::string scope = scope_ == kTopLevel ? std::string() : scope_ + " ";
  return error_at(source_, at, fmt::format("'{}' {}{}", one_line(key), scope, what), std::move(hint));
}

Error Fields::wrong_type(std::string_view key, const Node& node, std::string_view wanted) const {
  return error(key, node.at, fmt::format("must be {}, not {}", wanted, kind_name(node.kind, source_.format)));
}

Result<std::string> Fields::text_of(std::string_view key, const Node& node) const {
  if (node.kind != Kind::kString) return wrong_type(key, node, "a string");
  if (node.text.empty()) return error(key, node.at, "is empty");
  if (node.text.find('\0') != std::string::npos) return error(key, node.at, "holds a NUL character");
  return source_.sut_dir ? expand_sut_dir(node.text, *source_.sut_dir) : node.text;
}

Result<std::optional<std::string>> Fields::text(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) return std::optional<std::string>();
  OTTO_TRY(std::string text, text_of(key, member->value));
  return std::optional(std::move(text));
}

Result<Located> Fields::required_text(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) {
    return error_at(source_, table_.at, fmt::format("missing key '{}' {}", key, scope_), remedy(key, "add"));
  }
  OTTO_TRY(std::string text, text_of(key, member->value));
  return Located{std::move(text), member->value.at};
}

Result<std::optional<bool>> Fields::boolean(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) return std::optional<bool>();
  if (member->value.kind != Kind::kBoolean) return wrong_type(key, member->value, "true or false");
  return std::optional(member->value.boolean);
}

Result<std::optional<std::int64_t>> Fields::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
  const Member* member = find(key);
  if (member == nullptr) return std::optional<std::int64_t>();
  const Node& node = member->value;
  if (node.kind != Kind::kInteger && node.kind != Kind::kFloat) return wrong_type(key, node, "a whole number");
  if (node.kind == Kind::kFloat || node.integer < least || node.integer > most) {
    return error(key, node.at, fmt::format("must be a whole number from {} to {}, not {}", least, most, node.text));
  }
  return std::optional(node.integer);
}

Result<std::optional<std::int64_t>> Fields::seconds(std::string_view key, double least, double most) const {
  const Member* member = find(key);
  if (member == nullptr) return std::optional<std::int64_t>();
  const Node& node = member->value;
  if (node.kind != Kind::kInteger && node.kind != Kind::kFloat) return wrong_type(key, node, "a number of seconds");
  if (!(node.real >= least && node.real <= most)) {
    return error(key, node.at, fmt::format("must be from {} to {} seconds, not {}", least, most, node.text));
  }
  return std::optional<std::int64_t>(std::llround(node.real * 1000));
}

Result<std::optional<std::vector<Located>>> Fields::texts(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) return std::optional<std::vector<Located>>();
  if (member->value.kind != Kind::kArray) return wrong_type(key, member->value, "an array of strings");
  std::vector<Located> texts;
  std::set<std::string> seen;
  for (const Node& item : member->value.items) {
    OTTO_TRY(std::string text, text_of(key, item));
    if (!seen.insert(text).second) {
      return error(key, item.at, fmt::format("names '{}' twice", one_line(text)), "keep one of the two");
    }
    texts.push_back({std::move(text), item.at});
  }
  return std::optional(std::move(texts));
}

Result<std::optional<std::vector<std::string>>> Fields::words(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) return std::optional<std::vector<std::string>>();
  if (member->value.kind != Kind::kArray) return wrong_type(key, member->value, "an array of strings");
  if (member->value.items.empty()) return error(key, member->value.at, "is empty");
  std::vector<std::string> words;
  for (const Node& item : member->value.items) {
    OTTO_TRY(std::string word, text_of(key, item));
    words.push_back(std::move(word));
  }
  return std::optional(std::move(words));
}

Result<std::optional<std::size_t>> Fields::choice(std::string_view key, std::span<const std::string> choices) const {
  OTTO_TRY(const std::optional<std::string> chosen, text(key));
  if (!chosen) return std::optional<std::size_t>();
  const auto found = std::find(choices.begin(), choices.end(), *chosen);
  if (found == choices.end()) {
    return error(key, where(key),
                 fmt::format("cannot be '{}'{}", one_line(*chosen), text::did_you_mean(*chosen, choices)),
                 fmt::format("'{}' is one of: {}", key, list_of(choices)));
  }
  return std::optional(static_cast<std::size_t>(found - choices.begin()));
}

Result<const Node*> Fields::table(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) return static_cast<const Node*>(nullptr);
  if (member->value.kind != Kind::kTable) {
    return wrong_type(key, member->value, kind_name(Kind::kTable, source_.format));
  }
  return &member->value;
}

Result<std::span<const Node>> Fields::tables(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) return std::span<const Node>();
  if (member->value.kind == Kind::kTable) {
    return error(key, member->value.at, "must be an array of tables, not one table",
                 remedy(key) + ", with two brackets, above each of them");
  }
  if (member->value.kind != Kind::kArray) return wrong_type(key, member->value, "an array of tables");
  return std::span<const Node>(member->value.items);
}

Result<void> Fields::check_variables(std::string_view key, const Node& node) const {
  static const std::vector<std::string> kKnown = {std::string(kSutDir)};
  if (!source_.sut_dir || node.kind != Kind::kString) return {};
  const std::string_view raw = node.text;
  for (std::size_t at = raw.find("${"); at != std::string_view::npos; at = raw.find("${", at + 2)) {
    const std::string_view variable = raw.substr(at, raw.find('}', at) - at + 1);
    if (variable == kSutDir) continue;
    std::string meant = text::to_lower(variable) == text::to_lower(kSutDir)
                            ? fmt::format(" … did you mean '{}'?", kSutDir)
                            : text::did_you_mean(variable, kKnown);
    return error(key, node.at, fmt::format("holds the unknown variable '{}'{}", one_line(variable), meant),
                 "${sutDir}, the repo's root, is the only variable here");
  }
  return {};
}

Result<fs::path> Fields::path_of(std::string_view key, const Node& node, PathKind kind) const {
  OTTO_TRY(const std::string text, text_of(key, node));
  OTTO_RETURN_IF_ERROR(check_variables(key, node));
  if (text == "~" || text.starts_with("~/")) {
    return error(key, node.at, fmt::format("cannot be '{}': ~ is not a path of the repo", one_line(text)),
                 "write a path relative to the repo's root, or an absolute one");
  }
  const bool is_normal = text.starts_with('/') && is_plain_path(text);
  fs::path path = is_normal ? fs::path(text) : (source_.base / text).lexically_normal();
  if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  const bool directory = kind == PathKind::kDirectory;
  if (directory ? fs::is_directory(status) : fs::is_regular_file(status)) return path;
  const std::string shown = one_line(path.string());
  if (status.type() == fs::file_type::not_found) {
    return error(key, node.at, fmt::format("names {}, which does not exist{}", shown, neighbour(path)),
                 "mend the path or create it; relative paths start at the repo's root");
  }
  if (status.type() == fs::file_type::none) {
    return error(key, node.at, fmt::format("names {}, which cannot be read: {}", shown, failure.message()),
                 "check the permissions of the directories above it");
  }
  if (directory) {
    return error(key, node.at, fmt::format("names {}, which is no directory", shown), "name the directory it lies in");
  }
  return error(key, node.at, fmt::format("names {}, which is no regular file", shown), "name the file itself");
}

Result<fs::path> Fields::required_path(std::string_view key, PathKind kind) const {
  OTTO_RETURN_IF_ERROR(required_text(key));
  return path_of(key, find(key)->value, kind);
}

Result<std::vector<std::pair<fs::path, Position>>> Fields::paths(std::string_view key, PathKind kind) const {
  std::vector<std::pair<fs::path, Position>> paths;
  OTTO_RETURN_IF_ERROR(texts(key));
  const Member* member = find(key);
  if (member == nullptr) return paths;
  for (const Node& item : member->value.items) {
    OTTO_TRY(fs::path path, path_of(key, item, kind));
    paths.emplace_back(std::move(path), item.at);
  }
  return paths;
}

Result<std::string> Fields::user_path_of(std::string_view key, const Node& node) const {
  OTTO_TRY(const std::string text, text_of(key, node));
  OTTO_RETURN_IF_ERROR(check_variables(key, node));
  if (!text.starts_with('~')) return (source_.base / text).lexically_normal().string();
  if (text.size() > 1 && text[1] != '/') {
    return error(key, node.at, fmt::format("cannot be '{}': only ~/, your own home, is known", one_line(text)));
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    return error(key, node.at, fmt::format("cannot be '{}': HOME is not set", one_line(text)),
                 "set HOME, or write an absolute path");
  }
  return home + text.substr(1);
}

Result<std::optional<std::vector<std::string>>> Fields::user_paths(std::string_view key) const {
  const Member* member = find(key);
  if (member == nullptr) return std::optional<std::vector<std::string>>();
  std::vector<std::string> paths;
  if (member->value.kind == Kind::kString) {
    OTTO_TRY(std::string path, user_path_of(key, member->value));
    paths.push_back(std::move(path));
    return std::optional(std::move(paths));
  }
  OTTO_RETURN_IF_ERROR(texts(key));
  for (const Node& item : member->value.items) {
    OTTO_TRY(std::string path, user_path_of(key, item));
    paths.push_back(std::move(path));
  }
  return std::optional(std::move(paths));
}

}  // namespace otto::config

#include "engine/compose/env_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace otto::compose {
namespace {

bool is_env_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }
bool is_env_space(char c) { return is_env_blank(c) || c == '\n'; }

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '-' || c == '[' || c == ']' || static_cast<unsigned char>(c) >= 0x80;
}

/// dotenv's escapes of a double-quoted value. A `\$` becomes `$$`, which interpolation reads as a plain dollar.
std::string expand_escapes(std::string_view value) {
  static constexpr std::string_view kFrom = "abfnrtv\"\\";
  static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\"\\";
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char next = value[i] == '\\' && i + 1 < value.size() ? value[i + 1] : '\0';
    const std::size_t known = next == '\0' ? std::string_view::npos : kFrom.find(next);
    if (next == '$') {
      out += "$$";
      ++i;
    } else if (known != std::string_view::npos) {
      out += kTo[known];
      ++i;
    } else {
      out += value[i];
    }
  }
  return out;
}

class EnvParser {
 public:
  EnvParser(std::string_view text, std::string_view file_name, const Lookup& outside)
      : text_(text), file_name_(file_name), outside_(outside) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }

  Result<std::map<std::string, std::string>> run() {
    while (skip_to_statement()) OTTO_RETURN_IF_ERROR(statement());
    return std::move(values_);
  }

 private:
  /// False at the end of the text.
  bool skip_to_statement() {
    while (at_ < text_.size()) {
      if (is_env_space(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        break;
      }
    }
    begin_ = at_;
    return at_ < text_.size();
  }

  Result<void> statement() {
    if (text_.substr(at_, 6) == "export" && at_ + 6 < text_.size() && is_env_blank(text_[at_ + 6])) {
      at_ += 6;
      while (at_ < text_.size() && is_env_blank(text_[at_])) ++at_;
    }
    const std::size_t key_begin = at_;
    while (at_ < text_.size() && (is_key_char(text_[at_]) || is_env_blank(text_[at_]))) ++at_;
    std::string_view key = text_.substr(key_begin, at_ - key_begin);
    while (!key.empty() && is_env_blank(key.back())) key.remove_suffix(1);
    const char separator = at_ < text_.size() ? text_[at_] : '\n';
    if (separator != '=' && separator != ':' && separator != '\n' && separator != '#') {
      return failure(fmt::format("unexpected character '{}' in a variable's name", separator));
    }
    if (key.empty()) return failure(fmt::format("a variable's name is missing before '{}'", separator));
    if (std::any_of(key.begin(), key.end(), is_env_blank)) {
      return failure(fmt::format("the variable name '{}' holds a blank", key));
    }
    if (separator == '\n' || separator == '#') {
      if (auto value = outside_(key)) values_[std::string(key)] = *std::move(value);
      return {};
    }
    ++at_;
    OTTO_TRY(std::string value, this->value());
    values_[std::string(key)] = std::move(value);
    return {};
  }

  Result<std::string> value() {
    while (at_ < text_.size() && is_env_blank(text_[at_])) ++at_;
    const char quote = at_ < text_.size() ? text_[at_] : '\n';
    if (quote == '"' || quote == '\'') return quoted(quote);
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view raw = text_.substr(at_, end - at_);
    at_ = end;
    raw = raw.substr(0, raw.find(" #"));
    while (!raw.empty() && is_env_space(raw.back())) raw.remove_suffix(1);
    return interpolated(raw);
  }

  Result<std::string> quoted(char quote) {
    std::string raw;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == quote) {
        at_ = i + 1;
        return quote == '"' ? interpolated(expand_escapes(raw)) : Result<std::string>(raw);
      }
      if (text_[i] == '\r' && i + 1 < text_.size() && text_[i + 1] == '\n') continue;
      if (text_[i] == '\\' && i + 1 < text_.size()) {
        ++i;
        if (text_[i] != quote) raw += '\\';
      }
      raw += text_[i];
    }
    return failure(fmt::format("a value that begins with {} is not closed", quote));
  }

  Result<std::string> interpolated(std::string_view raw) {
    const Lookup lookup = [&](std::string_view name) -> std::optional<std::string> {
      if (auto value = outside_(name)) return value;
      const auto known = values_.find(std::string(name));
      return known == values_.end() ? std::nullopt : std::optional(known->second);
    };
    auto value = interpolate(raw, lookup);
    if (value) return value;
    Error error = std::move(value).error();
    error.message = fmt::format("{}:{}: {}", file_name_, line(), error.message);
    return error;
  }

  [[nodiscard]] std::ptrdiff_t line() const {
    return 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(begin_), '\n');
  }

  [[nodiscard]] Error failure(const std::string& what) const {
    return make_error(ErrorCode::kConfig, fmt::format("{}:{}: {}", file_name_, line(), what),
                      "env files hold lines of NAME=value, # begins a comment");
  }

  std::string_view text_;
  std::string_view file_name_;
  const Lookup& outside_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;  ///< of the current statement
  std::map<std::string, std::string> values_;
};

}  // namespace

Result<std::map<std::string, std::string>> parse_env_file(std::string_view text, std::string_view file_name,
                                                          const Lookup& outside) {
  return EnvParser(text, file_name, outside).run();
}

std::vector<std::string> env_file_names(std::string_view text) {
  std::set<std::string> names;
  const Lookup record = [&](std::string_view name) -> std::optional<std::string> {
    names.emplace(name);
    return std::nullopt;
  };
  if (!EnvParser(text, "", record).run()) {
    for (std::string& name : interpolated_names(text)) names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

}  // namespace otto::compose

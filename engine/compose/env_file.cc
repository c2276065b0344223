#include "engine/compose/env_file.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "graph/base/text.h"

namespace otto::compose {
namespace {

/// Blanks between words: Go's, without the line feed.
bool is_env_blank(std::string_view c) {
  return c == " " || c == "\t" || c == "\v" || c == "\f" || c == "\r" || c == "\xC2\x85" || c == "\xC2\xA0";
}

/// unicode.IsSpace.
bool is_env_space(std::string_view c) {
  static const re2::RE2 kSpace(R"([\s\x{0B}\x{85}\p{Zs}\p{Zl}\p{Zp}])");
  return c.size() == 1 ? c == "\n" || is_env_blank(c)
                       : re2::RE2::FullMatch(re2::StringPiece(c.data(), c.size()), kSpace);
}

/// Letters and numbers of any script.
bool is_key_char(std::string_view c) {
  static const re2::RE2 kKey(R"([\p{L}\p{N}_.\[\]-])");
  return re2::RE2::FullMatch(re2::StringPiece(c.data(), c.size()), kKey);
}

std::string_view without_trailing_space(std::string_view text) {
  for (std::size_t kept = 0, at = 0;;) {
    if (at == text.size()) return text.substr(0, kept);
    const std::string_view c = text::character_at(text, at);
    at += c.size();
    if (!is_env_space(c)) kept = at;
  }
}

std::string utf8(unsigned code) {
  constexpr unsigned kOneByte = 0x80;
  if (code < kOneByte) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | (code >> 6U)), static_cast<char>(0x80 | (code & 0x3FU))};
}

/// dotenv's escapes of a double-quoted value. A `\$` becomes `$$`, which interpolation reads as a plain dollar. `\0`
/// and three octal digits are a character; of fewer the zero is lost, as there.
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
    } else if (next == '0') {
      std::string_view digits = value.substr(i + 2, 3);
      digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
      unsigned code = 0;
      const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 8);
      const bool whole = digits.size() == 3 && failed == std::errc() && end == digits.data() + digits.size();
      if (whole && code <= 0xFF)
        out += utf8(code);
      else
        out.append("\\").append(digits);
      i += 1 + digits.size();
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
      if (const std::string_view c = text::character_at(text_, at_); is_env_space(c)) {
        at_ += c.size();
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
    constexpr std::string_view kExport = "export";
    if (text_.substr(at_).starts_with(kExport) && is_blank_at(at_ + kExport.size())) {
      at_ += kExport.size();
      skip_blanks();
    }
    const std::size_t key_begin = at_;
    while (at_ < text_.size() && (is_blank_at(at_) || is_key_char(text::character_at(text_, at_)))) {
      at_ += text::character_at(text_, at_).size();
    }
    const std::string_view key = without_trailing_space(text_.substr(key_begin, at_ - key_begin));
    if (at_ == text_.size()) return failure(fmt::format("the last line, '{}', has neither '=' nor an end", key));
    const char separator = text_[at_];
    if (separator != '=' && separator != ':' && separator != '\n') {
      return failure(fmt::format("unexpected character '{}' in a variable's name",
                                 text::printable(text::character_at(text_, at_))));
    }
    if (key.empty() && separator == '\n') {  // `export` alone
      ++at_;
      return {};
    }
    if (key.empty()) return failure(fmt::format("a variable's name is missing before '{}'", separator));
    if (key.find(' ') != std::string_view::npos) {
      return failure(fmt::format("the variable name '{}' holds a blank", key));
    }
    if (separator == '\n') {
      if (auto value = outside_(key)) values_[std::string(key)] = *std::move(value);
      return {};
    }
    ++at_;
    OTTO_TRY(std::string value, this->value());
    values_[std::string(key)] = std::move(value);
    return {};
  }

  [[nodiscard]] bool is_blank_at(std::size_t at) const {
    return at < text_.size() && is_env_blank(text::character_at(text_, at));
  }

  void skip_blanks() {
    while (is_blank_at(at_)) at_ += text::character_at(text_, at_).size();
  }

  Result<std::string> value() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\n';
    if (quote == '"' || quote == '\'') return quoted(quote);
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view raw = text_.substr(at_, end - at_);
    at_ = end;
    raw = raw.substr(0, raw.find(" #"));
    return interpolated(without_trailing_space(raw));
  }

  Result<std::string> quoted(char quote) {
    std::string raw;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == quote) {
        at_ = i + 1;
        return quote == '"' ? interpolated(expand_escapes(raw)) : Result<std::string>(raw);
      }
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

#include "engine/images/dockerfile_words.h"

#include <fmt/format.h>

namespace otto::images {
namespace {

bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r' || c == '\n'; }
bool starts_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

/// Shell patterns of `*` and `?`, backslash protecting.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    const bool literal = p + 1 < pattern.size() && pattern[p] == '\\' && pattern[p + 1] == text[t];
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (literal || (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]))) {
      p += literal ? 2 : 1;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string without_prefix(const std::string& value, std::string_view pattern, bool longest) {
  for (std::size_t i = 0; i <= value.size(); ++i) {
    const std::size_t length = longest ? value.size() - i : i;
    if (matches(pattern, std::string_view(value).substr(0, length))) return value.substr(length);
  }
  return value;
}

std::string without_suffix(const std::string& value, std::string_view pattern, bool longest) {
  for (std::size_t i = 0; i <= value.size(); ++i) {
    const std::size_t begin = longest ? i : value.size() - i;
    if (matches(pattern, std::string_view(value).substr(begin))) return value.substr(0, begin);
  }
  return value;
}

std::string replaced(const std::string& value, std::string_view pattern, std::string_view with, bool all) {
  std::string out;
  std::size_t at = 0;
  while (at < value.size()) {
    std::size_t length = value.size() - at;
    while (length > 0 && !matches(pattern, std::string_view(value).substr(at, length))) --length;
    if (length == 0) {
      out += value[at++];
      continue;
    }
    out += with;
    at += length;
    if (!all) break;
  }
  return out + value.substr(at);
}

class Expander {
 public:
  Expander(std::string_view word, char escape, const ArgLookup* lookup)
      : word_(word), escape_(escape), lookup_(lookup) {}

  Result<std::string> run() { return until('\0', 0); }

 private:
  static constexpr unsigned kMaxNesting = 64;

  [[nodiscard]] bool more() const { return at_ < word_.size(); }

  /// Reads up to `stop` (which is consumed) or the end of the word where `stop` is NUL.
  Result<std::string> until(char stop, unsigned depth) {
    if (depth > kMaxNesting) return make_error(ErrorCode::kConfig, "variables are nested too deeply");
    std::string out;
    while (more()) {
      const char c = word_[at_++];
      if (stop != '\0' && c == stop) return out;
      if (c == '\'') {
        while (more() && word_[at_] != '\'') out += word_[at_++];
        ++at_;
      } else if (c == '"') {
        OTTO_RETURN_IF_ERROR(double_quoted(out, depth));
      } else if (c == escape_) {
        if (more()) out += word_[at_++];
      } else if (c == '$' && lookup_ != nullptr) {
        OTTO_TRY(std::string value, dollar(depth));
        out += value;
      } else {
        out += c;
      }
    }
    if (stop != '\0') return make_error(ErrorCode::kConfig, fmt::format("'{}' lacks a closing brace", word_));
    return out;
  }

  Result<void> double_quoted(std::string& out, unsigned depth) {
    while (more()) {
      const char c = word_[at_++];
      if (c == '"') return {};
      if (c == '$' && lookup_ != nullptr) {
        OTTO_TRY(std::string value, dollar(depth));
        out += value;
      } else if (c == escape_ && more() && (word_[at_] == '"' || word_[at_] == '$' || word_[at_] == escape_)) {
        out += word_[at_++];
      } else {
        out += c;
      }
    }
    return {};
  }

  std::string_view name() {
    const std::size_t begin = at_;
    if (more() && starts_name(word_[at_])) {
      while (more() && continues_name(word_[at_])) ++at_;
    }
    return word_.substr(begin, at_ - begin);
  }

  Result<std::string> dollar(unsigned depth) {
    if (!more() || word_[at_] != '{') {
      const std::string_view variable = name();
      return variable.empty() ? "$" : (*lookup_)(variable).value_or("");
    }
    ++at_;
    const std::string_view variable = name();
    if (variable.empty() || !more()) {
      return make_error(ErrorCode::kConfig, fmt::format("'{}' is no valid substitution", word_));
    }
    const std::optional<std::string> value = (*lookup_)(variable);
    const char op = word_[at_++];
    if (op == '}') return value.value_or("");
    if (op == '#' || op == '%' || op == '/') return edited(value.value_or(""), op, depth);
    return defaulted(variable, value, op, depth);
  }

  Result<std::string> defaulted(std::string_view variable, const std::optional<std::string>& value, char op,
                                unsigned depth) {
    const bool or_empty = op == ':';
    if (or_empty) op = more() ? word_[at_++] : '\0';
    OTTO_TRY(const std::string operand, until('}', depth + 1));
    const bool usable = value && !(or_empty && value->empty());
    switch (op) {
      case '-': return usable ? *value : operand;
      case '+': return usable ? operand : std::string();
      case '?':
        if (usable) return *value;
        return make_error(
            ErrorCode::kConfig,
            fmt::format("build arg '{}' is required: {}", variable, operand.empty() ? "not set" : operand),
            fmt::format("set {} in build_args", variable));
      default: return make_error(ErrorCode::kConfig, fmt::format("unsupported modifier in '{}'", word_));
    }
  }

  Result<std::string> edited(const std::string& value, char op, unsigned depth) {
    const bool twice = more() && word_[at_] == op;
    if (twice) ++at_;
    if (op != '/') {
      OTTO_TRY(const std::string pattern, until('}', depth + 1));
      return op == '#' ? without_prefix(value, pattern, twice) : without_suffix(value, pattern, twice);
    }
    OTTO_TRY(const std::string pattern, until('/', depth + 1));
    OTTO_TRY(const std::string with, until('}', depth + 1));
    return replaced(value, pattern, with, twice);
  }

  std::string_view word_;
  char escape_;
  const ArgLookup* lookup_;  ///< null: nothing is expanded
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Word> split_words(std::string_view line, char escape) {
  std::vector<Word> words;
  std::size_t at = 0;
  while (at < line.size()) {
    if (ends_word(line[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    char quote = '\0';
    for (; at < line.size() && (quote != '\0' || !ends_word(line[at])); ++at) {
      const char c = line[at];
      if (c == escape && quote != '\'') {
        ++at;
      } else if (quote != '\0') {
        if (c == quote) quote = '\0';
      } else if (c == '\'' || c == '"') {
        quote = c;
      }
    }
    at = std::min(at, line.size());
    words.push_back({line.substr(begin, at - begin), begin});
  }
  return words;
}

std::string unquote_word(std::string_view word, char escape) {
  auto plain = Expander(word, escape, nullptr).run();
  return plain ? *std::move(plain) : std::string();
}

Result<std::string> expand_word(std::string_view word, char escape, const ArgLookup& lookup) {
  return Expander(word, escape, &lookup).run();
}

}  // namespace otto::images

#include "engine/images/dockerfile_words.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <cctype>

#include "graph/base/text.h"

namespace otto::images {
namespace {

bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r' || c == '\n'; }
bool is_letter_or_digit(std::string_view c) {
  if (c.size() == 1) return c == "_" || std::isalnum(static_cast<unsigned char>(c[0])) != 0;
  static const re2::RE2 kLetter(R"([\p{L}\p{Nd}])");
  return re2::RE2::FullMatch(re2::StringPiece(c.data(), c.size()), kLetter);
}

/// Of a shell: they have no value in a Dockerfile.
bool is_special(char c) { return std::string_view("@*#?-$!").find(c) != std::string_view::npos; }

/// A shell's pattern of `*` and `?` as a regular expression; `\}` and `\/` are those characters. kConfig.
Result<std::string> as_regexp(std::string_view pattern, bool greedy) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (c == '*') {
      out += greedy ? ".*" : ".*?";
    } else if (c == '?') {
      out += '.';
    } else if (c == '\\' && (next == '}' || next == '/')) {
      continue;
    } else if (c == '\\') {
      if (next != '*' && next != '?' && next != '\\') {
        return make_error(ErrorCode::kConfig, fmt::format("invalid escape '\\{}' in the pattern '{}'", next, pattern));
      }
      out.append("\\").append(1, next);
      ++i;
    } else {
      if (std::string_view("[]{}.+()|^$").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

/// The characters in reverse; an escaped one stays behind its escape.
std::string reversed(std::string_view text, bool keeps_escapes) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = text::character_at(text, at).size();
    if (keeps_escapes && text[at] == '\\' && at + 1 < text.size()) size += text::character_at(text, at + 1).size();
    out.insert(0, text.substr(at, size));
    at += size;
  }
  return out;
}

Result<std::string> without_prefix(const std::string& value, std::string_view pattern, bool longest) {
  OTTO_TRY(const std::string regexp, as_regexp(pattern, longest));
  const re2::RE2 prefix("^" + regexp, re2::RE2::Quiet);
  re2::StringPiece found;
  if (!prefix.Match(value, 0, value.size(), re2::RE2::UNANCHORED, &found, 1)) return value;
  return value.substr(found.size());
}

/// The shortest match that ends a text is the shortest that begins it in reverse.
Result<std::string> without_suffix(const std::string& value, std::string_view pattern, bool longest) {
  OTTO_TRY(const std::string rest, without_prefix(reversed(value, false), reversed(pattern, true), longest));
  return reversed(rest, false);
}

Result<std::string> replaced(std::string value, std::string_view pattern, const std::string& with, bool all) {
  OTTO_TRY(const std::string regexp, as_regexp(pattern, true));
  const re2::RE2 searched(regexp, re2::RE2::Quiet);
  const std::string literal = text::replace_all(with, "\\", "\\\\");
  if (all)
    re2::RE2::GlobalReplace(&value, searched, literal);
  else
    re2::RE2::Replace(&value, searched, literal);
  return value;
}

class Expander {
 public:
  Expander(std::string_view word, char escape, const ArgLookup* lookup)
      : word_(word), escape_(escape), lookup_(lookup) {}

  Result<std::string> run() { return until('\0', 0, false); }

 private:
  static constexpr unsigned kMaxNesting = 64;

  [[nodiscard]] bool more() const { return at_ < word_.size(); }

  /// Reads up to `stop` (which is consumed) or the end of the word where `stop` is NUL. `raw`: escapes stay, for a
  /// pattern.
  Result<std::string> until(char stop, unsigned depth, bool raw) {
    if (depth > kMaxNesting) return make_error(ErrorCode::kConfig, "variables are nested too deeply");
    std::string out;
    while (more()) {
      const char c = word_[at_++];
      if (stop != '\0' && c == stop) return out;
      if (c == '\'') {
        OTTO_RETURN_IF_ERROR(single_quoted(out));
      } else if (c == '"') {
        OTTO_RETURN_IF_ERROR(double_quoted(out, depth, raw));
      } else if (c == escape_) {
        if (raw) out += c;
        if (more()) out += word_[at_++];
      } else if (c == '$' && lookup_ != nullptr) {
        OTTO_TRY(std::string value, dollar(depth));
        out += value;
      } else {
        out += c;
      }
    }
    if (stop != '\0')
      return make_error(ErrorCode::kConfig,
                        fmt::format("'{}' lacks a {}", word_, stop == '}' ? "closing brace" : "second slash"));
    return out;
  }

  /// Where nothing is expanded a quote may stay open: the builder will say so.
  [[nodiscard]] Result<void> not_closed(char quote) const {
    if (lookup_ == nullptr) return {};
    return make_error(ErrorCode::kConfig, fmt::format("in '{}' a {} is not closed", word_, quote));
  }

  Result<void> single_quoted(std::string& out) {
    while (more()) {
      const char c = word_[at_++];
      if (c == '\'') return {};
      out += c;
    }
    return not_closed('\'');
  }

  Result<void> double_quoted(std::string& out, unsigned depth, bool raw) {
    while (more()) {
      const char c = word_[at_++];
      if (c == '"') return {};
      if (c == '$' && lookup_ != nullptr) {
        OTTO_TRY(std::string value, dollar(depth));
        out += value;
      } else if (c == escape_ && more() && (word_[at_] == '"' || word_[at_] == '$' || word_[at_] == escape_)) {
        if (raw) out += c;
        out += word_[at_++];
      } else {
        out += c;
      }
    }
    return not_closed('"');
  }

  std::string_view name() {
    const std::size_t begin = at_;
    const auto is_digit = [&] { return more() && word_[at_] >= '0' && word_[at_] <= '9'; };
    if (is_digit()) {
      while (is_digit()) ++at_;
    } else if (more() && is_special(word_[at_])) {
      ++at_;
    } else {
      while (more() && is_letter_or_digit(text::character_at(word_, at_))) {
        at_ += text::character_at(word_, at_).size();
      }
    }
    return word_.substr(begin, at_ - begin);
  }

  [[nodiscard]] Error no_substitution() const {
    return make_error(ErrorCode::kConfig, fmt::format("'{}' is no valid substitution", word_));
  }

  Result<std::string> dollar(unsigned depth) {
    if (!more() || word_[at_] != '{') {
      const std::string_view variable = name();
      return variable.empty() ? "$" : (*lookup_)(variable).value_or("");
    }
    ++at_;
    if (!more() || word_[at_] == '{' || word_[at_] == '}' || word_[at_] == ':') return no_substitution();
    const std::string_view variable = name();
    if (!more()) return no_substitution();
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
    OTTO_TRY(const std::string operand, until('}', depth + 1, false));
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
    if (op == '/') {
      const bool all = more() && word_[at_] == '/';
      if (all) ++at_;
      OTTO_TRY(const std::string pattern, until('/', depth + 1, true));
      OTTO_TRY(const std::string with, until('}', depth + 1, true));
      return replaced(value, pattern, with, all);
    }
    OTTO_TRY(const std::string operand, until('}', depth + 1, true));
    const bool longest = operand.starts_with(op);
    const std::string_view pattern = std::string_view(operand).substr(longest ? 1 : 0);
    return op == '#' ? without_prefix(value, pattern, longest) : without_suffix(value, pattern, longest);
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

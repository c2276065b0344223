#include "engine/context/glob_program.h"

#include <re2/re2.h>

#include <algorithm>

#include "engine/context/go_text.h"

namespace otto::context {

namespace {

bool is_ascii(char c) { return (c & 0x80) == 0; }

}  // namespace

GlobProgram::GlobProgram() = default;
GlobProgram::GlobProgram(GlobProgram&&) noexcept = default;
GlobProgram& GlobProgram::operator=(GlobProgram&&) noexcept = default;
GlobProgram::~GlobProgram() = default;

bool GlobProgram::matches(std::string_view path) const {
  switch (kind_) {
    case Kind::kExact: return path == literal_;
    case Kind::kPrefix: return path.starts_with(literal_);
    case Kind::kSuffix:
      return path.ends_with(literal_) || (!literal_.empty() && literal_[0] == '/' && path == literal_.substr(1));
    case Kind::kRegexp: break;
  }
  if (!path.ends_with(literal_)) return false;
  const auto found = [&](std::string_view text) {
    return regexp_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
  };
  // Go reads a byte that is no UTF-8 as U+FFFD; RE2 would match it with nothing.
  return std::ranges::all_of(path, is_ascii) ? found(path) : found(to_valid_utf8(path));
}

namespace {

/// patternmatcher's shouldEscape. It means to escape '|', '{' and '}' too, but its bit map has no room for them, so
/// Docker reads "a|b*" as two alternatives and "a{2}*" as a repetition.
bool needs_escape(char32_t rune) {
  return rune < 128 && std::string_view(".+()$").find(static_cast<char>(rune)) != std::string_view::npos;
}

/// What is ASCII behind the last wildcard, where nothing else in the pattern means anything to a regexp. (U+FFFD stands
/// for many bytes.)
std::string_view literal_tail(std::string_view pattern) {
  if (pattern.find_first_of("[]\\|{}^") != std::string_view::npos) return {};
  const auto ends = [](char c) { return c == '*' || c == '?' || !is_ascii(c); };
  const auto wildcard = std::find_if(pattern.rbegin(), pattern.rend(), ends).base();
  std::string_view tail = pattern.substr(static_cast<std::size_t>(wildcard - pattern.begin()));
  if (tail.starts_with('/')) tail.remove_prefix(1);  // "**/" may stand for nothing
  return tail;
}

/// nullptr, with `why` set: Go's compiler refuses the source.
std::unique_ptr<const re2::RE2> compile_regexp(const std::string& source, std::string& why) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(std::int64_t{64} << 20);  // "\pL{500}" is much, and Go takes it
  auto regexp = std::make_unique<const re2::RE2>(source, options);
  if (regexp->ok()) return regexp;
  why = regexp->error();
  return nullptr;
}

}  // namespace

/// What patternmatcher's Pattern.compile makes of a pattern: the regexp's source, and which shortcut it found.
std::optional<GlobProgram> GlobProgram::compile(std::string_view pattern, std::string& why) {
  GlobProgram program;
  std::string source = "^";
  std::string_view rest = pattern;
  // text/scanner, which Docker reads the pattern with, drops a byte-order mark at the head.
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  const auto take = [&] {
    const Rune rune = decode_rune(rest);
    rest.remove_prefix(rune.width);
    return rune.value;
  };
  for (bool first = true; !rest.empty(); first = false) {
    const char32_t rune = take();
    if (rune == '*' && rest.starts_with('*')) {
      rest.remove_prefix(1);
      if (rest.starts_with('/')) rest.remove_prefix(1);
      if (!rest.empty()) {
        source += "(.*/)?";
        program.kind_ = Kind::kRegexp;
      } else if (program.kind_ == Kind::kExact) {
        program.kind_ = Kind::kPrefix;
      } else {
        source += ".*";
        program.kind_ = Kind::kRegexp;
      }
      if (first) program.kind_ = Kind::kSuffix;
      continue;
    }
    if (rune == '*' || rune == '?') {
      source += rune == '*' ? "[^/]*" : "[^/]";
      program.kind_ = Kind::kRegexp;
    } else if (rune == '\\') {
      source += '\\';
      if (rest.empty()) continue;
      // "Any byte", which RE2 knows and Go does not.
      if (rest[0] == 'C') {
        why = "invalid escape sequence: \\C";
        return std::nullopt;
      }
      append_rune(source, take());
      program.kind_ = Kind::kRegexp;
    } else {
      if (needs_escape(rune)) source += '\\';
      append_rune(source, rune);
      if (rune == '[' || rune == ']') program.kind_ = Kind::kRegexp;
    }
  }
  switch (program.kind_) {
    case Kind::kExact: program.literal_ = pattern; break;
    case Kind::kPrefix: program.literal_ = pattern.substr(0, pattern.size() - 2); break;
    case Kind::kSuffix: program.literal_ = pattern.substr(2); break;
    case Kind::kRegexp:
      program.literal_ = literal_tail(pattern);
      program.regexp_ = compile_regexp(source + "$", why);
      if (program.regexp_ == nullptr) return std::nullopt;
  }
  return program;
}

}  // namespace otto::context

#include "engine/context/go_text.h"

#include <vector>

namespace otto::context {

namespace {

unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

bool is_continuation(std::string_view text, std::size_t i) {
  return i < text.size() && (byte_at(text, i) & 0xc0) == 0x80;
}

/// unicode.IsSpace.
bool is_unicode_space(char32_t rune) {
  if (rune < 0x100) return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 || rune == 0xa0;
  return rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 || rune == 0x202f ||
         rune == 0x205f || rune == 0x3000;
}

}  // namespace

Rune decode_rune(std::string_view text) {
  const unsigned char lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xc2 && lead < 0xe0 && is_continuation(text, 1)) {
    return {static_cast<char32_t>((lead & 0x1f) << 6 | (byte_at(text, 1) & 0x3f)), 2};
  }
  if (lead >= 0xe0 && lead < 0xf0 && is_continuation(text, 1) && is_continuation(text, 2)) {
    const char32_t rune =
        static_cast<char32_t>((lead & 0x0f) << 12 | (byte_at(text, 1) & 0x3f) << 6 | (byte_at(text, 2) & 0x3f));
    if (rune >= 0x800 && !(rune >= 0xd800 && rune < 0xe000)) return {rune, 3};
  }
  if (lead >= 0xf0 && lead < 0xf5 && is_continuation(text, 1) && is_continuation(text, 2) && is_continuation(text, 3)) {
    const char32_t rune = static_cast<char32_t>((lead & 0x07) << 18 | (byte_at(text, 1) & 0x3f) << 12 |
                                                (byte_at(text, 2) & 0x3f) << 6 | (byte_at(text, 3) & 0x3f));
    if (rune >= 0x10000 && rune <= 0x10ffff) return {rune, 4};
  }
  return {};
}

void append_rune(std::string& out, char32_t rune) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xc0 | rune >> 6), put(0x80 | (rune & 0x3f));
  } else if (rune < 0x10000) {
    put(0xe0 | rune >> 12), put(0x80 | (rune >> 6 & 0x3f)), put(0x80 | (rune & 0x3f));
  } else {
    put(0xf0 | rune >> 18), put(0x80 | (rune >> 12 & 0x3f)), put(0x80 | (rune >> 6 & 0x3f)), put(0x80 | (rune & 0x3f));
  }
}

std::string to_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    append_rune(valid, rune.value);
    text.remove_prefix(rune.width);
  }
  return valid;
}

std::string_view trim_space(std::string_view text) {
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    if (!is_unicode_space(rune.value)) break;
    text.remove_prefix(rune.width);
  }
  while (!text.empty()) {
    std::size_t width = 1;
    for (std::size_t back = 2; back <= 3 && back <= text.size(); ++back) {
      if (decode_rune(text.substr(text.size() - back)).width == back) width = back;
    }
    const Rune rune = decode_rune(text.substr(text.size() - width));
    if (!is_unicode_space(rune.value)) break;
    text.remove_suffix(width);
  }
  return text;
}

std::string clean_path(std::string_view path) {
  const bool rooted = !path.empty() && path.front() == '/';
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part.empty() || part == ".") continue;
    const bool up = part == "..";
    if (up && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!up || !rooted) {
      parts.push_back(part);
    }
  }
  std::string clean = rooted ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) clean += '/';
    clean += parts[i];
  }
  return clean.empty() ? "." : clean;
}

namespace {

enum class Match { kBadPattern, kNo, kYes };

/// filepath's getEsc: takes one possibly escaped character of a class; a class must go on after it.
bool take_class_character(std::string_view& chunk, char32_t& character) {
  if (chunk.empty() || chunk[0] == '-' || chunk[0] == ']') return false;
  if (chunk[0] == '\\') {
    chunk.remove_prefix(1);
    if (chunk.empty()) return false;
  }
  const Rune rune = decode_rune(chunk);
  if (rune.value == kReplacementRune && rune.width == 1) return false;
  character = rune.value;
  chunk.remove_prefix(rune.width);
  return !chunk.empty();
}

Match take_class(std::string_view& chunk, char32_t rune) {
  chunk.remove_prefix(1);
  const bool negated = chunk.starts_with('^');
  if (negated) chunk.remove_prefix(1);
  bool listed = false;
  for (bool first = true; first || !chunk.starts_with(']'); first = false) {
    char32_t low = 0;
    if (!take_class_character(chunk, low)) return Match::kBadPattern;
    char32_t high = low;
    if (chunk[0] == '-') {
      chunk.remove_prefix(1);
      if (!take_class_character(chunk, high)) return Match::kBadPattern;
    }
    listed = listed || (low <= rune && rune <= high);
  }
  chunk.remove_prefix(1);
  return listed != negated ? Match::kYes : Match::kNo;
}

/// filepath's matchChunk: takes the head of `name`; a mismatch still reads the chunk to its end for bad syntax.
Match take_chunk(std::string_view chunk, std::string_view& name) {
  bool failed = false;
  while (!chunk.empty()) {
    failed = failed || name.empty();
    if (chunk[0] == '[') {
      const Rune rune = failed ? Rune{0, 0} : decode_rune(name);
      const Match match = take_class(chunk, rune.value);
      if (match == Match::kBadPattern) return match;
      if (!failed) name.remove_prefix(rune.width);
      failed = failed || match == Match::kNo;
      continue;
    }
    const bool any = chunk[0] == '?';
    if (chunk[0] == '\\') {
      chunk.remove_prefix(1);
      if (chunk.empty()) return Match::kBadPattern;
    }
    if (!failed) {
      failed = any ? name[0] == '/' : chunk[0] != name[0];
      name.remove_prefix(any ? decode_rune(name).width : 1);
    }
    chunk.remove_prefix(1);
  }
  return failed ? Match::kNo : Match::kYes;
}

/// filepath's scanChunk: the length up to the next '*' outside brackets, brackets being counted crudely as Go does.
std::size_t chunk_length(std::string_view pattern) {
  bool in_class = false;
  std::size_t i = 0;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      ++i;
    } else if (pattern[i] == '[') {
      in_class = true;
    } else if (pattern[i] == ']') {
      in_class = false;
    } else if (pattern[i] == '*' && !in_class) {
      break;
    }
  }
  return i;
}

}  // namespace

/// Go stops reading at the first chunk that does not match, so what is refused depends on the name "." that
/// patternmatcher tries.
bool valid_glob(std::string_view pattern) {
  std::string_view name = ".";
  while (!pattern.empty()) {
    const bool star = pattern[0] == '*';
    while (pattern.starts_with('*')) pattern.remove_prefix(1);
    const std::string_view chunk = pattern.substr(0, chunk_length(pattern));
    pattern.remove_prefix(chunk.size());
    if (star && chunk.empty()) return true;
    bool taken = false;
    for (std::size_t skip = 0; skip <= (star ? name.size() : 0) && !taken; ++skip) {
      std::string_view rest = name.substr(skip);
      const Match match = take_chunk(chunk, rest);
      if (match == Match::kBadPattern) return false;
      taken = match == Match::kYes && (rest.empty() || !pattern.empty());
      if (taken) name = rest;
    }
    if (!taken) return true;
  }
  return true;
}

}  // namespace otto::context

// The few functions of Go's standard library that ignore files are defined by: path cleaning, blanks, glob syntax,
// UTF-8.
//
// Docker's rules are what its Go code does with a line, so the odd corners (what counts as a blank, how ".." collapses,
// which brackets are refused) are Go's and are reproduced here, each with the name of its model. Pure functions on
// bytes; must not know ignore files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace otto::context {

/// U+FFFD, what Go yields for a byte that is no UTF-8.
inline constexpr char32_t kReplacementRune = 0xfffd;

struct Rune {
  char32_t value = kReplacementRune;
  std::size_t width = 1;  ///< bytes taken; 1 for an invalid byte
};

/// utf8.DecodeRuneInString; `text` must not be empty.
Rune decode_rune(std::string_view text);
void append_rune(std::string& out, char32_t rune);
/// Each invalid byte replaced by U+FFFD, as encoding/json writes strings.
std::string to_valid_utf8(std::string_view text);

/// strings.TrimSpace: blanks in Unicode's sense.
std::string_view trim_space(std::string_view text);
/// filepath.Clean on Unix.
std::string clean_path(std::string_view path);
/// Does filepath.Match(pattern, ".") take the pattern (false: ErrBadPattern)?
bool valid_glob(std::string_view pattern);

}  // namespace otto::context

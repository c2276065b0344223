// Small text primitives that every layer needs: near-misses for error messages, hex, sizes, quoting, splitting.
//
// Pure functions on values; no locale, no allocation tricks. Anything with a domain of its own (ignore patterns, tags,
// compose variables) lives with that domain instead.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otto::text {

/// Optimal string alignment distance (insert, delete, replace, swap of neighbours), in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word`, if it is near enough to be a slip of the hand (at most a third of its length, at
/// least 1).
std::optional<std::string> near_miss(std::string_view word, std::span<const std::string> candidates);

/// " … did you mean 'x'?" for the nearest candidate, else "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

std::string to_hex(std::span<const std::uint8_t> bytes);
/// Lower-case ASCII; other bytes stay.
std::string to_lower(std::string_view text);
std::string_view trim(std::string_view text);
/// Every `from` (not empty), from left to right, replaced.
std::string replace_all(std::string text, std::string_view from, std::string_view to);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

/// Quotes one word for POSIX sh: safe for any bytes but NUL.
std::string shell_quote(std::string_view word);
/// Each word quoted, joined by blanks.
std::string shell_join(std::span<const std::string> words);

/// "0 B", "812 B", "1.4 kB", "237 MB": decimal units as Docker prints them.
std::string human_size(std::uint64_t bytes);
/// "40 ms", "3.2 s", "2m 05s".
std::string human_duration(std::uint64_t milliseconds);

/// Replaces control characters (but not \n and \t) and invalid UTF-8 so that remote text cannot drive the terminal.
std::string printable(std::string_view text);

bool is_utf8(std::string_view text);

/// The character of UTF-8 that begins there, 1 to 4 bytes; a byte that is none stands alone.
std::string_view character_at(std::string_view text, std::size_t at);

}  // namespace otto::text

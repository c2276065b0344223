// A plain scalar as a Go program that reads YAML has it, and writes it again.
#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <regex>

#include "engine/compose/node.h"
#include "graph/base/text.h"

namespace otto::compose {
namespace {

/// strconv.ParseInt and ParseUint with base 0, of a text without underscores; nullopt: no integer of 64 bits.
std::optional<std::string> as_integer(std::string text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.erase(0, kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
  if (negative && number > kMost) return std::nullopt;
  return (negative && number != 0 ? "-" : "") + std::to_string(number);
}

/// A float64 as fmt.Sprint writes it: the fewest digits that read back the same, with an exponent below -4 and from 21
/// on.
std::string go_float(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Inf" : "+Inf";
  std::array<char, 64> digits{};
  const auto scientific =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::scientific);
  const std::string text(digits.data(), scientific.ptr);
  const int exponent = std::atoi(text.c_str() + text.find('e') + 1);
  constexpr int kLeast = -4, kMost = 6;
  if (exponent < kLeast || exponent >= kMost) return text;
  std::array<char, 400> plain{};
  const auto fixed = std::to_chars(plain.data(), plain.data() + plain.size(), number, std::chars_format::fixed);
  return {plain.data(), fixed.ptr};
}

std::optional<std::string> as_float(const std::string& text) {
  static const re2::RE2 kFloat(R"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
  if (!re2::RE2::FullMatch(text, kFloat)) return std::nullopt;
  const char* begin = text.c_str() + (text.starts_with('+') ? 1 : 0);
  double number = 0;
  const auto [end, failure] = std::from_chars(begin, text.c_str() + text.size(), number);
  if (failure != std::errc()) return std::nullopt;  // out of range: ParseFloat refuses it, too
  return go_float(number);
}

/// A day, or a day with a time, as time.Time prints itself.
std::optional<std::string> as_time(const std::string& text) {
  static const std::regex kTime(
      R"(([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]| +)([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]{1,9})?(Z|[-+][0-9]{2}:[0-9]{2})?)?)");
  constexpr std::size_t kLongest = 200;  // the matcher goes as deep as its text is long
  std::smatch found;
  if (text.size() > kLongest || !std::regex_match(text, found, kTime)) return std::nullopt;
  const auto number = [&](int group) { return found[group].matched ? std::stoi(found[group].str()) : 0; };
  const std::chrono::year_month_day day(std::chrono::year(number(1)),
                                        std::chrono::month(static_cast<unsigned>(number(2))),
                                        std::chrono::day(static_cast<unsigned>(number(3))));
  const bool has_zone = found[8].matched, by_blank = text.find(' ') != std::string::npos;
  if (!day.ok() || number(4) > 23 || number(5) > 59 || number(6) > 59) return std::nullopt;
  if (found[4].matched && has_zone == by_blank)
    return std::nullopt;  // with T there is a zone, with a blank there is none
  std::string fraction = found[7].str();
  while (fraction.ends_with('0')) fraction.pop_back();
  if (fraction == ".") fraction.clear();
  std::string zone = "+0000 UTC";
  if (has_zone && found[8].str() != "Z") {
    zone = found[8].str();
    zone.erase(3, 1);
    zone = zone == "+0000" || zone == "-0000" ? "+0000 UTC" : zone + " " + zone;  // where Compose runs, UTC is local
  }
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}{} {}", number(1), number(2), number(3), number(4), number(5),
                     number(6), fraction, zone);
}

/// Whether the text is `word` in one of the three spellings that YAML knows: null, Null, NULL.
bool is_word(const std::string& text, std::string_view word) {
  std::string capital(word), upper(word);
  capital[0] = static_cast<char>(capital[0] - 'a' + 'A');
  for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
  return text == word || text == capital || text == upper;
}

/// What it is other than text, written again.
std::optional<std::string> as_other(const std::string& text) {
  if (text.empty()) return std::nullopt;
  for (const std::string_view truth : {"true", "false"}) {
    if (is_word(text, truth)) return std::string(truth);
  }
  const bool begins_as_number =
      std::isdigit(static_cast<unsigned char>(text[0])) != 0 || text[0] == '-' || text[0] == '+';
  const std::string digits = begins_as_number ? text::replace_all(text, "_", "") : text;
  if (begins_as_number || text[0] == '.') {
    if (auto number = as_integer(digits)) return number;
    if (auto number = as_float(digits)) return number;
  }
  for (const std::string_view infinity : {".inf", ".Inf", ".INF"}) {
    if (text == infinity || text == "+" + std::string(infinity)) return "+Inf";
    if (text == "-" + std::string(infinity)) return "-Inf";
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return "NaN";
  return as_time(text);
}

}  // namespace

bool is_null_word(const std::string& plain) { return plain.empty() || plain == "~" || is_word(plain, "null"); }

bool is_go_text(const std::string& plain) { return !is_null_word(plain) && !as_other(plain); }

std::string go_text(const std::string& plain) { return as_other(plain).value_or(plain); }

}  // namespace otto::compose

#include "engine/context/regexp_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/context/go_text.h"

namespace otto::context {

namespace {

struct NamedClass {
  std::string_view name;
  std::string_view ranges;  ///< pairs of low and high
};

constexpr std::array<NamedClass, 14> kPosixClasses = {{
    {"alnum", "09AZaz"},
    {"alpha", "AZaz"},
    {"ascii", std::string_view("\0\x7f", 2)},
    {"blank", "\t\t  "},
    {"cntrl", std::string_view("\0\x1f\x7f\x7f", 4)},
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "\t\r  "},
    {"upper", "AZ"},
    {"word", "09AZaz__"},
    {"xdigit", "09AFaf"},
}};

constexpr std::string_view perl_ranges(char32_t letter) {
  switch (letter) {
    case 'd': return "09";
    case 's': return "\t\n\f\r  ";
    case 'w': return "09AZ__az";
    default: return {};
  }
}

constexpr char32_t kLastRune = 0x10ffff;
constexpr int kMostRepetitions = 1000;

bool is_octal(std::string_view rest) { return !rest.empty() && rest[0] >= '0' && rest[0] <= '7'; }

int hex_value(char32_t rune) {
  if (rune >= '0' && rune <= '9') return static_cast<int>(rune - '0');
  if (rune >= 'a' && rune <= 'f') return static_cast<int>(rune - 'a' + 10);
  if (rune >= 'A' && rune <= 'F') return static_cast<int>(rune - 'A' + 10);
  return -1;
}

bool is_alnum(char32_t rune) {
  return (rune >= '0' && rune <= '9') || (rune >= 'A' && rune <= 'Z') || (rune >= 'a' && rune <= 'z');
}

/// Adds the ranges, or everything but them.
template <typename Class>
void add_ranges(Class& set, std::string_view ranges, bool negated) {
  char32_t next = 0;
  for (std::size_t i = 0; i + 1 < ranges.size(); i += 2) {
    const char32_t low = static_cast<unsigned char>(ranges[i]), high = static_cast<unsigned char>(ranges[i + 1]);
    if (!negated) {
      set.add(low, high);
      continue;
    }
    if (low > next) set.add(next, low - 1);
    next = high + 1;
  }
  if (negated) set.add(next, kLastRune);
}

}  // namespace

bool RegexpReader::fail(std::string why) {
  if (why_.empty()) why_ = std::move(why);
  return false;
}

char32_t RegexpReader::take() {
  const Rune rune = decode_rune(rest_);
  rest_.remove_prefix(rune.width);
  return rune.value;
}

bool RegexpReader::take_if(std::string_view text) {
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}

void RegexpReader::emit(Op op, char32_t rune, Times times) { sequence().push_back({op, times, rune, 0}); }

void RegexpReader::emit_class(GlobProgram::RuneClass set) {
  const auto index = static_cast<std::uint32_t>(program_.classes_.size());
  program_.classes_.push_back(std::move(set));
  sequence().push_back({Op::kClass, Times::kOnce, 0, index});
}

bool RegexpReader::read(std::string& why) {
  program_.alternatives_.emplace_back();
  while (more()) {
    stacked_ = std::exchange(repeated_, false);
    if (!read_step()) {
      why = why_;
      return false;
    }
  }
  find_tail();
  return true;
}

bool RegexpReader::read_step() {
  // Groups and bare repetitions are never the user's: Docker escapes those.
  if (take_if("(.*/)?")) return emit(Op::kDirectories), repeated_ = true;
  if (take_if(".*")) return emit(Op::kLine, 0, Times::kAnyNumber), repeated_ = true;
  if (rest_[0] == '\\') return read_escape_step();
  if (rest_[0] == '{') return read_repetition();
  if (rest_[0] == '[') {
    if (!read_class()) return false;
    if (take_if("*")) sequence().back().times = Times::kAnyNumber, repeated_ = true;
    return true;
  }
  const char32_t rune = take();
  if (rune == '^') return emit(Op::kTextBegin), true;
  if (rune == '$') return emit(Op::kTextEnd), true;
  if (rune == '|') return program_.alternatives_.emplace_back(), true;
  return emit(Op::kRune, rune), true;
}

/// A number without leading zeros, as Go's parser takes them; more than a repetition may be where it is too large.
std::optional<int> RegexpReader::read_count(std::string_view& in) const {
  const std::size_t digits = std::min(in.find_first_not_of("0123456789"), in.size());
  if (digits == 0 || (digits > 1 && in[0] == '0')) return std::nullopt;
  int value = 0;
  for (const char c : in.substr(0, digits)) value = std::min(value * 10 + (c - '0'), kMostRepetitions + 1);
  in.remove_prefix(digits);
  return value;
}

/// "{2}", "{2,}", "{2,5}"; any other '{' stands for itself.
bool RegexpReader::read_repetition() {
  std::string_view in = rest_.substr(1);
  const auto least = read_count(in);
  auto most = least;
  bool endless = false;
  if (least && in.starts_with(',')) {
    in.remove_prefix(1);
    endless = in.starts_with('}');
    if (!endless) most = read_count(in);
  }
  if (!least || !most || !in.starts_with('}')) return emit(Op::kRune, take()), true;
  rest_ = in.substr(1);
  if (*least > kMostRepetitions || *most > kMostRepetitions || (!endless && *least > *most)) {
    return fail("the counts in braces are out of range");
  }
  if (stacked_) return fail("braces cannot repeat a repetition");
  if (sequence().empty()) return fail("there is nothing for the braces to repeat");
  auto step = sequence().back();
  sequence().pop_back();
  sequence().insert(sequence().end(), static_cast<std::size_t>(*least), step);
  step.times = endless ? Times::kAnyNumber : Times::kAtMostOnce;
  sequence().insert(sequence().end(), endless ? 1 : static_cast<std::size_t>(*most - *least), step);
  return repeated_ = true;
}

bool RegexpReader::read_escape_step() {
  const char32_t letter = rest_.size() > 1 ? decode_rune(rest_.substr(1)).value : 0;
  static constexpr std::array<std::pair<char32_t, Op>, 4> kAssertions = {
      {{'A', Op::kTextBegin}, {'z', Op::kTextEnd}, {'b', Op::kWordBoundary}, {'B', Op::kNotWordBoundary}}};
  for (const auto& [name, op] : kAssertions) {
    if (letter != name) continue;
    rest_.remove_prefix(2);
    return emit(op), true;
  }
  if (take_if("\\Q")) return read_quoted(), true;
  const char32_t lower = letter | 0x20;
  if (letter < 128 && !perl_ranges(lower).empty() && is_alnum(letter)) {
    rest_.remove_prefix(2);
    GlobProgram::RuneClass set;
    add_ranges(set, perl_ranges(lower), letter != lower);
    return emit_class(std::move(set)), true;
  }
  const auto rune = read_escape();
  if (!rune) return false;
  return emit(Op::kRune, *rune), true;
}

void RegexpReader::read_quoted() {
  const std::size_t end = rest_.find("\\E");
  std::string_view quoted = rest_.substr(0, end);
  if (quoted.empty()) repeated_ = stacked_;
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
  while (!quoted.empty()) {
    const Rune rune = decode_rune(quoted);
    emit(Op::kRune, rune.value);
    quoted.remove_prefix(rune.width);
  }
}

std::optional<char32_t> RegexpReader::read_escape() {
  rest_.remove_prefix(1);
  if (!more()) return fail("trailing backslash"), std::nullopt;
  const char32_t rune = take();
  if (rune == 'p' || rune == 'P') return fail("unicode classes such as \\pL are not supported"), std::nullopt;
  if (rune == '0' || (rune >= '1' && rune <= '7' && is_octal(rest_))) return read_octal(rune);
  if (rune == 'x') return read_hex();
  static constexpr std::string_view kNames = "afnrtv";
  static constexpr std::string_view kValues = "\a\f\n\r\t\v";
  if (rune < 128 && kNames.find(static_cast<char>(rune)) != std::string_view::npos) {
    return static_cast<char32_t>(kValues[kNames.find(static_cast<char>(rune))]);
  }
  if (rune < 128 && !is_alnum(rune)) return rune;
  std::string spelling = "\\";
  append_rune(spelling, rune);
  return fail(fmt::format("unknown escape '{}'", spelling)), std::nullopt;
}

std::optional<char32_t> RegexpReader::read_octal(char32_t first) {
  char32_t value = first - '0';
  for (int digits = 1; digits < 3 && is_octal(rest_); ++digits) value = value * 8 + (take() - '0');
  return value;
}

std::optional<char32_t> RegexpReader::read_hex() {
  char32_t value = 0;
  for (int digits = 0; digits < 2; ++digits) {
    const int digit = more() ? hex_value(take()) : -1;
    if (digit < 0) return fail("'\\x' needs two hexadecimal digits"), std::nullopt;
    value = value * 16 + static_cast<char32_t>(digit);
  }
  return value;
}

bool RegexpReader::read_class() {
  rest_.remove_prefix(1);
  GlobProgram::RuneClass set;
  set.negated = take_if("^");
  for (bool first = true; first || !rest_.starts_with(']'); first = false) {
    if (!read_class_item(set)) return false;
  }
  rest_.remove_prefix(1);
  return emit_class(std::move(set)), true;
}

bool RegexpReader::read_class_item(GlobProgram::RuneClass& set) {
  if (rest_.starts_with("[:")) {
    if (const auto named = read_named_class(set)) return *named;
  }
  if (rest_.size() > 1 && rest_[0] == '\\') {
    const char letter = rest_[1];
    const char32_t lower = static_cast<unsigned char>(letter | 0x20);
    if (is_alnum(static_cast<unsigned char>(letter)) && !perl_ranges(lower).empty()) {
      rest_.remove_prefix(2);
      add_ranges(set, perl_ranges(lower), lower != static_cast<unsigned char>(letter));
      return true;
    }
  }
  const auto low = read_class_rune();
  if (!low) return false;
  auto high = low;
  if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
    rest_.remove_prefix(1);
    high = read_class_rune();
    if (!high) return false;
    if (*high < *low) return fail("a range in brackets runs backwards");
  }
  set.add(*low, *high);
  return true;
}

/// nullopt: no named class here, the '[' stands for itself.
std::optional<bool> RegexpReader::read_named_class(GlobProgram::RuneClass& set) {
  const std::size_t end = rest_.find(":]", 2);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view name = rest_.substr(2, end - 2);
  const bool negated = name.starts_with('^');
  if (negated) name.remove_prefix(1);
  const auto known =
      std::find_if(kPosixClasses.begin(), kPosixClasses.end(), [&](const NamedClass& c) { return c.name == name; });
  if (known == kPosixClasses.end()) return fail(fmt::format("unknown class '[:{}:]'", name));
  rest_.remove_prefix(end + 2);
  add_ranges(set, known->ranges, negated);
  return true;
}

std::optional<char32_t> RegexpReader::read_class_rune() {
  if (!more()) return fail("missing closing ']'"), std::nullopt;
  if (rest_[0] == '\\') return read_escape();
  return take();
}

/// The ASCII literal that every match must end with: most paths are told apart by it alone.
void RegexpReader::find_tail() {
  const auto& steps = sequence();
  if (program_.alternatives_.size() > 1 || steps.empty() || steps.back().op != Op::kTextEnd) return;
  std::string tail;
  for (auto step = steps.rbegin() + 1; step != steps.rend(); ++step) {
    if (step->op != Op::kRune || step->times != Times::kOnce || step->rune >= 128) break;
    tail += static_cast<char>(step->rune);
  }
  std::reverse(tail.begin(), tail.end());
  program_.literal_ = std::move(tail);
}

}  // namespace otto::context

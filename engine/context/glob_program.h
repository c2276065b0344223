// One ignore pattern as moby/patternmatcher understands it: turned into a Go regular expression, or a literal shortcut.
//
// Docker rewrites each pattern into the source of a Go regexp, so brackets, backslashes, '^', '|' and '{' mean what Go
// makes of that source, not what a glob would ("[*]" is no literal star, "\d" is a digit). Therefore the same source is
// built here and parsed by a reader of exactly the regexp grammar that can come out of the rewriting: alternatives that
// are plain sequences. Matching walks the set of reachable positions through a sequence, so it is linear in
// pattern × path and cannot be made to backtrack. Must not know files or rule order. Immutable after compile(): any
// thread may match.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otto::context {

class GlobProgram {
 public:
  /// `pattern` is cleaned, valid UTF-8 and has passed valid_glob(). nullopt, with `why` set: Go's regexp refuses it.
  static std::optional<GlobProgram> compile(std::string_view pattern, std::string& why);

  /// Does the pattern match `path` itself (parents are the caller's concern)?
  [[nodiscard]] bool matches(std::string_view path) const;

 private:
  friend class RegexpReader;
  enum class Kind { kExact, kPrefix, kSuffix, kRegexp };
  enum class Op : std::uint8_t {
    kRune,             ///< one rune
    kClass,            ///< one rune of a class
    kLine,             ///< ".": one rune but newline
    kDirectories,      ///< "(.*/)?": nothing, or runes but newline that end in '/'
    kTextBegin,        ///< "^", "\A"
    kTextEnd,          ///< "$", "\z"
    kWordBoundary,     ///< "\b", ASCII as in Go
    kNotWordBoundary,  ///< "\B"
  };
  enum class Times : std::uint8_t { kOnce, kAtMostOnce, kAnyNumber };
  struct RuneClass {
    bool negated = false;
    std::bitset<128> ascii;
    std::vector<std::pair<char32_t, char32_t>> ranges;  ///< above ASCII
    void add(char32_t low, char32_t high);
    [[nodiscard]] bool contains(char32_t rune) const;
  };
  struct Step {
    Op op = Op::kRune;
    Times times = Times::kOnce;
    char32_t rune = 0;
    std::uint32_t class_index = 0;
  };

  using Sequence = std::vector<Step>;
  class Positions;
  [[nodiscard]] bool accepts(const Step& step, char32_t rune) const;
  void advance(const Step& step, std::string_view path, Positions& at) const;
  [[nodiscard]] bool found(const Sequence& sequence, std::string_view path) const;

  Kind kind_ = Kind::kExact;
  std::string literal_;  ///< what to compare with, for the shortcuts; for a regexp the ASCII tail of all it matches
  std::vector<Sequence> alternatives_;
  std::vector<RuneClass> classes_;
};

}  // namespace otto::context

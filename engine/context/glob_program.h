// One ignore pattern as moby/patternmatcher understands it: turned into a Go regular expression, or a literal shortcut.
//
// Docker rewrites each pattern into the source of a Go regexp, so brackets, backslashes, '^', '|' and '{' mean what Go
// makes of that source, not what a glob would ("[*]" is no literal star, "\d" is a digit). Therefore the same source is
// built here and given to RE2, whose grammar Go's is. Matching is linear in the path and cannot be made to backtrack.
// Must not know files or rule order. Immutable after compile(): any thread may match.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace otto::context {

class GlobProgram {
 public:
  /// `pattern` is cleaned, valid UTF-8 and has passed valid_glob(). nullopt, with `why` set: Go's regexp refuses it.
  static std::optional<GlobProgram> compile(std::string_view pattern, std::string& why);

  GlobProgram(GlobProgram&&) noexcept;
  GlobProgram& operator=(GlobProgram&&) noexcept;
  ~GlobProgram();

  /// Does the pattern match `path` itself (parents are the caller's concern)?
  [[nodiscard]] bool matches(std::string_view path) const;

 private:
  enum class Kind { kExact, kPrefix, kSuffix, kRegexp };
  GlobProgram();

  Kind kind_ = Kind::kExact;
  std::string literal_;  ///< what to compare with, for the shortcuts; for a regexp what all that it matches ends with
  std::unique_ptr<const re2::RE2> regexp_;
};

}  // namespace otto::context

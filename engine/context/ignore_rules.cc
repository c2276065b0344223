#include "engine/context/ignore_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/context/glob_program.h"
#include "engine/context/go_text.h"
#include "graph/base/text.h"

namespace otto::context {

struct IgnoreRules::Pattern {
  GlobProgram program;
  bool exclusion = false;  ///< began with '!'
  bool literal = false;    ///< an exclusion without wildcards once a trailing "/**" and "/*" are gone
  std::string prefix;      ///< of a literal exclusion: what is left, with a '/' behind it
};

IgnoreRules::IgnoreRules() = default;
IgnoreRules::~IgnoreRules() = default;
IgnoreRules::IgnoreRules(IgnoreRules&&) noexcept = default;
IgnoreRules& IgnoreRules::operator=(IgnoreRules&&) noexcept = default;

namespace {

/// Go's bufio.Scanner gives up on a line that does not fit its buffer.
constexpr std::size_t kLongestLine = 65535;

Error pattern_refused(std::string_view file, std::size_t line, std::string_view pattern, std::string_view why) {
  return make_error(ErrorCode::kConfig,
                    fmt::format("{}:{}: pattern '{}' is refused: {}", file, line, text::printable(pattern), why),
                    fmt::format("correct or remove line {} of {}", line, file));
}

/// ignorefile.ReadAll for one line: nullopt for blanks and comments.
std::optional<std::string> read_line(std::string_view line) {
  if (line.starts_with('#')) return std::nullopt;
  line = trim_space(line);
  if (line.empty()) return std::nullopt;
  const bool exclusion = line[0] == '!';
  if (exclusion) line = trim_space(line.substr(1));
  std::string pattern;
  if (!line.empty()) {
    pattern = clean_path(line);
    if (pattern.size() > 1 && pattern[0] == '/') pattern.erase(0, 1);
  }
  return exclusion ? "!" + pattern : pattern;
}

/// fsutil's patternWithoutTrailingGlob.
std::string_view without_trailing_glob(std::string_view pattern) {
  if (pattern.ends_with("/**")) pattern.remove_suffix(3);
  if (pattern.ends_with("/*")) pattern.remove_suffix(2);
  return pattern;
}

}  // namespace

Result<IgnoreRules> IgnoreRules::parse(std::string_view text, std::string_view file_name) {
  IgnoreRules rules;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.size() > kLongestLine) {
      return pattern_refused(file_name, number, fmt::format("{}…", line.substr(0, 40)),
                             "the line is longer than 64 KiB");
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto read = read_line(line);
    if (!read) continue;

    // From here on patternmatcher.New, which cleans a second time (so "!../../x" becomes "x"). The patterns have
    // travelled as JSON by then.
    const std::string valid = to_valid_utf8(*read);
    const std::string_view trimmed = trim_space(valid);
    if (trimmed.empty()) continue;
    std::string pattern = clean_path(trimmed);
    const bool exclusion = pattern[0] == '!';
    if (exclusion) pattern.erase(0, 1);
    if (pattern.empty()) return pattern_refused(file_name, number, line, "'!' needs a pattern behind it");
    if (!valid_glob(pattern))
      return pattern_refused(file_name, number, line, "brackets or backslashes are out of place");
    std::string why;
    auto program = GlobProgram::compile(pattern, why);
    if (!program) return pattern_refused(file_name, number, line, why);
    const std::string_view stem = without_trailing_glob(pattern);
    const bool literal = stem.find_first_of("*[]?^\\") == std::string_view::npos;
    rules.has_exclusions_ = rules.has_exclusions_ || exclusion;
    rules.patterns_.push_back({std::move(*program), exclusion, literal, fmt::format("{}/", stem)});
  }
  return rules;
}

/// PatternMatcher.MatchesUsingParentResults, step by step: which patterns are tried at all depends on the verdict so
/// far, and that decides what a directory's state says of its children.
bool IgnoreRules::ignored(std::string_view path, const ParentState& parent, ParentState* state) const {
  if (state != nullptr) state->assign(patterns_.size(), false);
  bool matched = false;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    bool match = !parent.empty() && parent[i];
    if (!match) {
      if (pattern.exclusion != matched) continue;
      match = pattern.program.matches(path);
      if (!match && parent.empty()) {
        for (std::size_t slash = path.find('/'); !match && slash != std::string_view::npos;
             slash = path.find('/', slash + 1)) {
          match = pattern.program.matches(path.substr(0, slash));
        }
      }
    }
    if (!match) continue;
    if (state != nullptr) (*state)[i] = true;
    matched = !pattern.exclusion;
  }
  return matched;
}

bool IgnoreRules::may_prune(std::string_view directory) const {
  return !has_wild_exclusions() && !is_asked_for(directory);
}

bool IgnoreRules::has_wild_exclusions() const {
  return has_exclusions_ &&
         std::ranges::any_of(patterns_, [](const Pattern& pattern) { return pattern.exclusion && !pattern.literal; });
}

bool IgnoreRules::is_asked_for(std::string_view directory) const {
  if (!has_exclusions_ || has_wild_exclusions()) return false;
  return std::ranges::any_of(patterns_, [&](const Pattern& pattern) {
    return pattern.exclusion && pattern.prefix.size() > directory.size() && pattern.prefix.starts_with(directory) &&
           pattern.prefix[directory.size()] == '/';
  });
}

bool IgnoreRules::empty() const { return patterns_.empty(); }

}  // namespace otto::context

// `.dockerignore` exactly as Docker reads it (moby/patternmatcher and docker/cli's ignorefile reader).
//
// Pure: text in, decisions out; knows no files. The context walk asks ignored() for each entry and may_prune() before
// it skips a directory. Immutable after parse(), so any number of threads may ask.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::context {

class IgnoreRules {
 public:
  /// No rules: everything is sent.
  IgnoreRules();
  ~IgnoreRules();
  IgnoreRules(IgnoreRules&&) noexcept;
  IgnoreRules& operator=(IgnoreRules&&) noexcept;

  /// Reads the text of an ignore file: comments, byte-order mark, blanks, `!`, `**`, classes, escapes, leading and
  /// trailing slashes, `./`, `..`. kConfig "FILE:LINE: …" for a pattern Docker refuses.
  static Result<IgnoreRules> parse(std::string_view text, std::string_view file_name);

  /// What the rules said about a directory, needed to judge what lies in it (a parent's match counts for its children).
  using ParentState = std::vector<bool>;

  /// Is `path` (relative, '/'-separated) left out? `parent` is the state of its directory (empty at the root); `state`
  /// receives the state for its own children where it is a directory.
  [[nodiscard]] bool ignored(std::string_view path, const ParentState& parent, ParentState* state = nullptr) const;
  /// For an ignored directory: may no rule bring back anything below it? Docker's own walk decides alike.
  [[nodiscard]] bool may_prune(std::string_view directory) const;
  /// For an ignored directory: does a rule name something below it, and none with wildcards could mean anything? Then
  /// Docker's walk fails where it may not read the directory, which it passes by otherwise.
  [[nodiscard]] bool is_asked_for(std::string_view directory) const;
  [[nodiscard]] bool empty() const;

 private:
  struct Pattern;
  [[nodiscard]] bool has_wild_exclusions() const;
  std::vector<Pattern> patterns_;
  bool has_exclusions_ = false;
};

}  // namespace otto::context

// Reads the Go regular expressions that Docker makes of ignore patterns into a GlobProgram's steps.
//
// The grammar is Go's (package regexp/syntax with the flags of regexp.Compile) without what cannot appear: user groups
// and flags, '+' and '.', which Docker escapes. Unicode property classes (\p{…}) are refused by name: they would need
// Unicode's tables, and no ignore file has been seen to use them. Used once a pattern.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/context/glob_program.h"

namespace otto::context {

class RegexpReader {
 public:
  /// Borrows `program` until read() is done.
  RegexpReader(std::string source, GlobProgram& program)
      : source_(std::move(source)), rest_(source_), program_(program) {}
  RegexpReader(const RegexpReader&) = delete;
  RegexpReader& operator=(const RegexpReader&) = delete;

  /// False, with `why` set: Go's compiler refuses the source.
  bool read(std::string& why);

 private:
  using Op = GlobProgram::Op;
  using Times = GlobProgram::Times;
  bool read_step();
  bool read_repetition();
  std::optional<int> read_count(std::string_view& in) const;
  bool read_escape_step();
  bool read_class();
  bool read_class_item(GlobProgram::RuneClass& set);
  std::optional<bool> read_named_class(GlobProgram::RuneClass& set);
  std::optional<char32_t> read_class_rune();
  std::optional<char32_t> read_escape();
  std::optional<char32_t> read_octal(char32_t first);
  std::optional<char32_t> read_hex();
  void read_quoted();
  void find_tail();

  [[nodiscard]] bool more() const { return !rest_.empty(); }
  char32_t take();
  bool take_if(std::string_view text);
  bool fail(std::string why);
  void emit(Op op, char32_t rune = 0, Times times = Times::kOnce);
  GlobProgram::Sequence& sequence() { return program_.alternatives_.back(); }
  void emit_class(GlobProgram::RuneClass set);

  std::string source_;
  std::string_view rest_;
  GlobProgram& program_;
  bool repeated_ = false;  ///< the last thing read was a repetition; one more behind it is an error
  bool stacked_ = false;   ///< the thing before the one being read was a repetition
  std::string why_;
};

}  // namespace otto::context

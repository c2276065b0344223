// How a script gets to a remote sh, whatever the login shell is, and where its output begins.
//
// The usual command line is constant and means the same in sh, bash, zsh, csh and fish (one single-quoted word without
// backslashes, '!' or newlines). The script travels as the first line of standard input, escaped so that it has no
// newline of its own: the line's end cannot be forged, nothing shows in the process list, and `read` takes not one byte
// more. The script then prints a random mark on both outputs, so that whatever rc files print before it can be dropped.
// Pure functions; the doubles of the tests decode with the same code.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otto::transport {

/// The command line that starts every script.
std::string_view bootstrap_line();

/// A command line that carries its script: it begins without the round trip that sshd's window for input takes. Only
/// for scripts that the process list may show. Means the same in every login shell, as the above.
std::string script_line(std::string_view text);

/// The first line of standard input, newline included. `text` has no NUL.
std::string encode_script(std::string_view text);
/// Back again; nullopt: not such a line.
std::optional<std::string> decode_script(std::string_view line);

/// The line that sets "$@".
std::string set_arguments(const std::vector<std::string>& args);

/// `text` with its arguments set, wrapped so that `mark` is printed on both outputs first.
std::string assemble_script(std::string_view text, const std::vector<std::string>& args, std::string_view mark);

/// 32 hex digits nobody can guess.
std::string random_token();

/// Keeps what comes before the line `mark` apart; until it has come, everything is kept back.
class MarkFilter {
 public:
  explicit MarkFilter(std::string mark) : mark_(std::move(mark)) {}
  /// What may be passed on of what has come.
  std::string feed(std::string bytes);
  [[nodiscard]] bool found() const { return found_; }
  /// Everything held back, where the mark never came.
  [[nodiscard]] std::string held() const { return found_ ? std::string() : held_; }
  /// What came before the mark: the noise of rc files.
  [[nodiscard]] std::string noise() const { return found_ ? held_ : std::string(); }

 private:
  std::string mark_;
  std::string held_;
  bool found_ = false;
};

}  // namespace otto::transport

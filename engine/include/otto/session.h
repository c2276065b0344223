// A conversation with a program on a host: send() types, expect() waits for what is shown.
//
// Comes from Host::open_session; each session is a terminal of its own, so several may be open beside each other and
// beside run(). Borrows the Host's Workspace. One thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto {

struct SessionOptions {
  /// A command for the remote POSIX sh; empty: the user's own shell (in a container bash or sh).
  std::string program = {};
  std::string term = "dumb";
  unsigned columns = 200, rows = 50;
  bool echo = true;  ///< what is sent is shown again, as on any terminal; programs that edit lines show it anyway
  std::chrono::milliseconds timeout{30'000};  ///< of an expect() that names none
  std::stop_token stop = {};
};

/// What an expect() or expect_any() has found.
struct Expected {
  std::size_t pattern = 0;          ///< which of the patterns
  std::string before;               ///< what was shown before it, since the last match
  std::string text;                 ///< what matched
  std::vector<std::string> groups;  ///< its parenthesised parts; empty where one took no part
};

class Session {
 public:
  /// Hangs up; in a container what runs is ended too.
  virtual ~Session() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;

  /// Types the text as it is: "\r" is Enter, "\x03" Ctrl-C. Never waits. kRemoteFailed where the host takes no more.
  virtual Result<void> send(std::string_view text) = 0;
  /// Waits until one of the patterns (POSIX extended regular expressions; '.' matches line ends too, which are "\r\n")
  /// is shown, and takes everything up to its end. Where several match, the first that begins counts. Zero: the
  /// session's timeout. kTimedOut, which leaves what was shown for the next expect(); kRemoteFailed where the program
  /// ends first; kUsage for a bad pattern; kConnectionLost, kInterrupted.
  virtual Result<Expected> expect_any(const std::vector<std::string>& patterns,
                                      std::chrono::milliseconds timeout = {}) = 0;
  Result<Expected> expect(const std::string& pattern, std::chrono::milliseconds timeout = {}) {
    return expect_any({pattern}, timeout);
  }
  /// Waits for the program's end: its exit code, or 128 + signal. Errors as expect().
  virtual Result<int> exit_code() = 0;
  virtual void resize(unsigned columns, unsigned rows) = 0;
};

}  // namespace otto

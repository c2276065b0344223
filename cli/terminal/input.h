// otto's standard input, handed to a remote command piece by piece.
//
// next() blocks until there is something, the input ends, or the command is stopped; it is called on one thread. Owns a
// wake-up descriptor, borrows descriptor 0.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace otto::cli {

class StandardInput {
 public:
  explicit StandardInput(std::stop_token stop);
  ~StandardInput();
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

  /// "" at the end, on a read error, or when stopped.
  std::string next();
  /// Makes next() return "" from now on. From any thread.
  void end();

 private:
  int wake_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace otto::cli

// A terminal's settings, changed while the object lives and restored on every way out.
//
// restore_now() is for leaving at once, from a signal handler. One object at a time in a process.
#pragma once

namespace otto::cli {

class ChangedTerminal {
 public:
  enum class To {
    kSilent,  ///< what is typed is not shown
    kRaw,     ///< every key goes to whoever reads, every byte written to the screen
  };
  ChangedTerminal(int fd, To to);
  /// What was typed and not read is dropped.
  ~ChangedTerminal();
  ChangedTerminal(const ChangedTerminal&) = delete;
  ChangedTerminal& operator=(const ChangedTerminal&) = delete;

  /// False: it is no terminal, and nothing was changed.
  [[nodiscard]] bool ok() const { return ok_; }
  /// Safe in a signal handler.
  static void restore_now();

 private:
  bool ok_ = false;
};

}  // namespace otto::cli

// The dialogue from a telnet server's first word to a shell of ours: what to type next, judged from what is shown.
//
// Prompts are judged only when the server has fallen silent, at the end of the last line, so "Last login: …" and motds
// do not look like one. A shell's prompt is not recognised but tried: a line is typed whose echo cannot be taken for
// its output, again after a while (log-in flushes what was typed too early), until that output comes. Pure.
#pragma once

#include <string>
#include <string_view>

namespace otto::transport {

enum class LoginStep {
  kWait,
  kTypeUser,
  kTypePassword,
  kTypeProbe,
  kReady,    ///< the probe has answered: a shell of ours listens
  kRefused,  ///< the user or the password; see said()
};

class LoginDialogue {
 public:
  /// `answer`: what the probe prints.
  explicit LoginDialogue(std::string answer) : answer_(std::move(answer)) {}

  /// Takes what the server has shown: kReady or kWait.
  LoginStep heard(std::string_view bytes);
  /// Nothing has come for a moment.
  LoginStep silent();
  /// The server's last words, printable.
  [[nodiscard]] std::string said() const;
  /// It has asked for a user or a password.
  [[nodiscard]] bool asked() const { return user_typed_ || password_typed_; }

 private:
  LoginStep type(bool& flag, LoginStep step);

  std::string answer_;
  std::string shown_;       // since the last step
  std::string last_words_;  // the last lines shown, whatever was typed
  bool user_typed_ = false, password_typed_ = false;
  int silences_ = 0;  // since the last step
  int probes_ = 0;
};

}  // namespace otto::transport

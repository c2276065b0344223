// What otto is talking to: which streams are terminals, how wide, which colours and symbols, and asking for secrets.
//
// Decided once at the start from the options, the environment and the streams (resolve_terminal, pure), so verbs and
// renderers never look. What is changed of a terminal (changed_terminal.h) is restored on every way out, also by
// restore_terminal_now() when otto must go at once.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "cli/command_line/options.h"
#include "cli/render/progress_model.h"
#include "cli/render/style.h"

namespace otto::cli {

/// What can be seen from outside of the process.
struct Surroundings {
  std::function<const char*(const char*)> getenv;
  bool stdin_is_terminal = false, stdout_is_terminal = false, stderr_is_terminal = false;
};
Surroundings real_surroundings();

struct Terminal {
  Style out;  ///< of standard output
  Style err;  ///< of standard error
  ProgressMode progress = ProgressMode::kPlain;
  bool stdin_is_terminal = false;
};
/// --color, NO_COLOR (set and not empty), CLICOLOR_FORCE, CLICOLOR=0, TERM=dumb; UTF-8 by LC_ALL, LC_CTYPE, LANG.
Terminal resolve_terminal(const GlobalOptions& options, const Surroundings& surroundings);

/// Of standard error's terminal, or of another descriptor's; 80 x 24 where it does not say.
FrameSize screen_size();
FrameSize screen_size_of(int fd);

/// Asks on /dev/tty without echo. nullopt: no terminal, end of input, or `stop`.
std::optional<std::string> ask_secret(const std::string& prompt, const std::stop_token& stop);

/// Shows the cursor and restores the terminal's settings, where otto changed them. Safe in a signal handler.
void restore_terminal_now();

}  // namespace otto::cli

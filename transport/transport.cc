// ExitStatus as shells report it.
//
// The one place that knows signal numbers by name; RFC 4254 (6.10) names signals without SIG.
// Values only.
#include "transport/transport.h"

#include <csignal>
#include <utility>

namespace otto::transport {

int signal_number(std::string_view name) {
  static constexpr std::pair<std::string_view, int> kSignals[] = {
      {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},     {"TRAP", SIGTRAP},
      {"ABRT", SIGABRT}, {"BUS", SIGBUS},   {"FPE", SIGFPE},   {"KILL", SIGKILL},   {"USR1", SIGUSR1},
      {"SEGV", SIGSEGV}, {"USR2", SIGUSR2}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},   {"TERM", SIGTERM},
      {"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},
      {"TTOU", SIGTTOU}, {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"WINCH", SIGWINCH}, {"SYS", SIGSYS}};
  for (const auto& [known, number] : kSignals) {
    if (known == name) return number;
  }
  return 0;
}

std::string signal_name(int number) {
  for (const char* name : {"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
                           "PIPE", "ALRM", "TERM", "XCPU", "XFSZ", "SYS"}) {
    if (signal_number(name) == number) return name;
  }
  return "SIG" + std::to_string(number);
}

int ExitStatus::shell_code() const {
  if (signal.empty()) return code;
  const int number = signal_number(signal);
  return number != 0 ? 128 + number : 255;
}

}  // namespace otto::transport

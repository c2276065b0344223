#include "transport/telnet/telnet_script.h"

#include <fmt/format.h>

#include "graph/base/text.h"
#include "transport/bootstrap.h"
#include "transport/telnet/scripts.h"

namespace otto::transport {
namespace {

/// It begins with a line end: servers may leave bytes of an option or a timing mark among the input (busybox does under
/// load), and the shell takes only lines that begin with the token.
std::string as_line(std::string_view token, std::string_view script) {
  return "\n" + std::string(token) + encode_script(script);
}

}  // namespace

std::string telnet_probe(std::string_view token) {
  return fmt::format(
      "exec sh -c 'stty raw -echo; printf \"%s%s;\" otto- {0}; while IFS= read -r s; do case $s in {0}*) "
      "eval \"$(printf %b \"${{s#{0}}}\")\";; esac; done' otto\r",
      token);
}

std::string telnet_probe_answer(std::string_view token) { return fmt::format("otto-{};", token); }

std::string telnet_prelude(std::string_view token) { return as_line(token, kPreludeScript); }

std::string telnet_command(std::string_view token, std::string_view line) {
  return as_line(token, "otto_run " + text::shell_quote(line));
}

std::string telnet_pty_command(std::string_view token, std::string_view line, const PtyRequest& pty) {
  return as_line(token, fmt::format("otto_run_pty {} {} {} {} {} '{}' {}", text::shell_quote(line),
                                    text::shell_quote(pty.term), pty.rows, pty.columns, telnet_pty_end(token),
                                    telnet_pty_begin(token), pty.raw ? "raw" : "sane"));
}

std::string telnet_pty_begin(std::string_view token) { return fmt::format("otto-begin-{};", token); }

std::string telnet_pty_end(std::string_view token) { return fmt::format("otto-end-{}-", token); }

}  // namespace otto::transport

// What otto types at a telnet host, and the frames that come back: one terminal made into three streams and a status.
//
// 1. The probe, typed at whatever shell greets: makes the terminal raw, answers, and then takes lines that begin with
//    the session's token. It reads alike in every login shell (one quoted word without backslashes, '!' or newlines).
// 2. The prelude, one such line: functions. It says "r" or "n WHAT" (a missing tool).
// 3. A command, one such line. Then standard input goes up as lines of base64, "." for its end, and frames come down,
// one
//    a line: "o…" and "e…" output in base64, "O" and "E" its end, "x…" the exit status. Lines are written by one write
//    each, so that both outputs may write at once. When all have come the session takes the next command.
// Seven-bit throughout, whatever the terminal or the server does to bytes. POSIX sh, and base64 from coreutils,
// busybox or openssl. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "transport/transport.h"

namespace otto::transport {

std::string telnet_probe(std::string_view token);
/// What the probe prints.
std::string telnet_probe_answer(std::string_view token);
std::string telnet_prelude(std::string_view token);
std::string telnet_command(std::string_view token, std::string_view line);
/// A command (empty: the user's shell) on the terminal itself: telnet_pty_begin() when the terminal is set up, so that
/// what is typed reaches the command as from a terminal; the output; telnet_pty_end(), the exit status and ";".
std::string telnet_pty_command(std::string_view token, std::string_view line, const PtyRequest& pty);
std::string telnet_pty_begin(std::string_view token);
std::string telnet_pty_end(std::string_view token);

/// Input bytes a line up: small enough for any shell's `read`, large enough to be worth a process.
inline constexpr std::size_t kTelnetInputBytes = 24'000;

}  // namespace otto::transport

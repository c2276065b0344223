// otto's own terminal joined to a remote one: keys go there, output comes here, the window's size follows.
//
// Raw while it lasts, so that Ctrl-C and all other keys are the remote side's; Ctrl-] alone is ours and leaves. Reads
// descriptor 0 on a thread of its own; one at a time in a process.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include "graph/base/result.h"
#include "otto/terminal.h"

namespace otto::cli {

inline constexpr char kLeaveKey = '\x1d';  // Ctrl-]

/// Until the remote program ends (its exit code) or the user leaves (nullopt). kConnectionLost, kInterrupted; kIo where
/// standard input is no terminal. The terminal is restored before it returns.
Result<std::optional<int>> join_terminal(RemoteTerminal& remote, const std::function<void(std::string_view)>& show,
                                         const std::stop_token& stop);

}  // namespace otto::cli

// The exit codes scripts rely on: the one place where they are decided.
//
// 0 done, 1 failed, 2 usage or configuration, 3 host not reached, 4 partly done, 130 interrupted; `otto host` returns
// the remote command's own code, 255 where the connection was lost under it. Pure.
#pragma once

#include <cstddef>
#include <span>

#include "graph/base/result.h"

namespace otto::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitUnreached = 3;
inline constexpr int kExitPartly = 4;
inline constexpr int kExitInterrupted = 130;
inline constexpr int kExitConnectionLost = 255;

/// Of an error that stopped the command.
int exit_code(ErrorCode code);

/// Of an error that came after a remote command was asked for.
int exit_code_of_remote_command(ErrorCode code);

/// Of a command that did several things: partly done needs at least one success; else the failures decide where they
/// agree.
int exit_code_of_parts(std::size_t successes, std::span<const ErrorCode> failures);

}  // namespace otto::cli

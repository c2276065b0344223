#include "cli/command_line/exit_code.h"

#include <algorithm>

namespace otto::cli {

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
    case ErrorCode::kConfig:
    case ErrorCode::kUnknownName: return kExitUsage;
    case ErrorCode::kUnreachable:
    case ErrorCode::kAuthFailed:
    case ErrorCode::kHostKey:
    case ErrorCode::kTimedOut: return kExitUnreached;
    case ErrorCode::kConnectionLost:
    case ErrorCode::kRemoteFailed:
    case ErrorCode::kDockerMissing:
    case ErrorCode::kDockerDenied:
    case ErrorCode::kBuildFailed:
    case ErrorCode::kComposeFailed:
    case ErrorCode::kNotRunning:
    case ErrorCode::kInputsChanged:
    case ErrorCode::kIo:
    case ErrorCode::kDatabase:
    case ErrorCode::kUnsupported: return kExitFailed;
    case ErrorCode::kInterrupted: return kExitInterrupted;
  }
  panic("unknown error code", __FILE__, __LINE__);
}

int exit_code_of_remote_command(ErrorCode code) {
  return code == ErrorCode::kConnectionLost ? kExitConnectionLost : exit_code(code);
}

int exit_code_of_parts(std::size_t successes, std::span<const ErrorCode> failures) {
  if (failures.empty()) return kExitDone;
  if (std::ranges::find(failures, ErrorCode::kInterrupted) != failures.end()) return kExitInterrupted;
  if (successes > 0) return kExitPartly;
  const int first = exit_code(failures.front());
  const bool agree = std::ranges::all_of(failures, [&](ErrorCode code) { return exit_code(code) == first; });
  return agree ? first : kExitFailed;
}

}  // namespace otto::cli

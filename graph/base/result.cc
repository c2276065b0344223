#include "graph/base/result.h"

namespace otto {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kConfig: return "config";
    case ErrorCode::kUnknownName: return "unknown_name";
    case ErrorCode::kUnreachable: return "unreachable";
    case ErrorCode::kAuthFailed: return "auth_failed";
    case ErrorCode::kHostKey: return "host_key";
    case ErrorCode::kTimedOut: return "timed_out";
    case ErrorCode::kConnectionLost: return "connection_lost";
    case ErrorCode::kRemoteFailed: return "remote_failed";
    case ErrorCode::kDockerMissing: return "docker_missing";
    case ErrorCode::kDockerDenied: return "docker_denied";
    case ErrorCode::kBuildFailed: return "build_failed";
    case ErrorCode::kComposeFailed: return "compose_failed";
    case ErrorCode::kNotRunning: return "not_running";
    case ErrorCode::kInputsChanged: return "inputs_changed";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kDatabase: return "database";
    case ErrorCode::kUnsupported: return "unsupported";
    case ErrorCode::kInterrupted: return "interrupted";
  }
  panic("unknown error code", __FILE__, __LINE__);
}

}  // namespace otto

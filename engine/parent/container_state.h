// A container of a compose project as its parent shows it. Evidence only: what is to become of it is decided elsewhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otto::parent {

/// What a container does, in Docker's words (State.Status).
enum class ContainerStatus {
  kUnknown,     ///< a word that this otto does not know
  kCreated,     ///< never started
  kRunning,     ///< its process runs
  kPaused,      ///< its process is frozen
  kRestarting,  ///< between two attempts of its restart policy
  kRemoving,    ///< being deleted
  kExited,      ///< its process has ended
  kDead,        ///< its deletion failed; Docker cannot start it again
};
ContainerStatus parse_status(std::string_view word);
std::string_view status_name(ContainerStatus status);

/// What its health check says.
enum class Health {
  kNone,       ///< it has no health check
  kStarting,   ///< not healthy yet
  kHealthy,    ///< its last check passed
  kUnhealthy,  ///< its last checks failed
};
Health parse_health(std::string_view word);

/// A container of the stack as the parent's probe reports it.
struct ContainerState {
  std::string service;
  unsigned number = 1;  ///< com.docker.compose.container-number
  std::string id;
  std::string image_id;        ///< "sha256:…"
  std::string image;           ///< the reference it was created from
  std::string service_digest;  ///< hex, from kServiceDigestLabel; empty: not started by otto
  ContainerStatus status = ContainerStatus::kUnknown;
  int exit_code = 0;
  std::string name = {};  ///< as the engine has it now
  Health health = Health::kNone;
  unsigned restarts = 0;  ///< by its restart policy; known of containers that began to run within the last ten seconds
  std::string account = {};  ///< on the parent, that made it, from kAccountLabel; empty: an otto that did not say
  bool doomed = false;       ///< a command that was cut off had begun to replace it: it may have been told to stop
  bool operator==(const ContainerState&) const = default;
};

/// Up for Docker, but does nothing at the moment: paused, or between two attempts of its restart policy. Compose has
/// nothing for either, so both are left alone and told.
inline bool is_idle(const ContainerState& container) {
  return container.status == ContainerStatus::kPaused || container.status == ContainerStatus::kRestarting;
}

/// "0123456789ab_otto-veggies-me-api-1", cut at the first underscore.
struct TemporaryName {
  std::string_view original_id;  ///< the first 12 digits of it
  std::string_view plain_name;
};
std::optional<TemporaryName> temporary_name(std::string_view name);
/// The same as a pattern of sh's `case`.
std::string temporary_name_pattern();

}  // namespace otto::parent

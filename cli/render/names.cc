#include "cli/render/names.h"

#include <set>

#include "graph/base/result.h"

namespace otto::cli {

std::string_view host_kind_name(HostKind kind) {
  switch (kind) {
    case HostKind::kUnix: return "unix";
    case HostKind::kLocal: return "local";
    case HostKind::kContainer: return "container";
  }
  panic("unknown host kind", __FILE__, __LINE__);
}

std::string_view host_state_name(HostState state) {
  switch (state) {
    case HostState::kRunning: return "running";
    case HostState::kExited: return "exited";
    case HostState::kDeclared: return "declared";
    case HostState::kUnknown: return "unknown";
  }
  panic("unknown host state", __FILE__, __LINE__);
}

std::string_view entry_type_name(graph::EntryType type) {
  switch (type) {
    case graph::EntryType::kFile: return "file";
    case graph::EntryType::kDirectory: return "dir";
    case graph::EntryType::kSymlink: return "symlink";
    case graph::EntryType::kFifo: return "fifo";
  }
  panic("unknown entry type", __FILE__, __LINE__);
}

std::string_view recorded_status(const docker::RecordedBuild& build) {
  return docker::status_name(was_built(build) ? docker::ImageStatus::kBuilt : docker::ImageStatus::kCached);
}

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::kConnecting: return "connecting";
    case Phase::kScanning: return "scanning";
    case Phase::kChecking: return "checking";
    case Phase::kWaiting: return "waiting";
    case Phase::kUploading: return "uploading";
    case Phase::kDownloading: return "downloading";
    case Phase::kBuilding: return "building";
    case Phase::kStarting: return "starting";
    case Phase::kStopping: return "stopping";
  }
  panic("unknown phase", __FILE__, __LINE__);
}

std::string_view event_kind_name(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kPhase: return "phase";
    case Event::Kind::kOutput: return "output";
    case Event::Kind::kDone: return "done";
    case Event::Kind::kFailed: return "failed";
    case Event::Kind::kNotice: return "notice";
    case Event::Kind::kWarning: return "warning";
    case Event::Kind::kTally: return "tally";
  }
  panic("unknown event kind", __FILE__, __LINE__);
}

std::vector<std::string> labs_of(std::span<const HostListing> hosts) {
  std::set<std::string> names;
  for (const HostListing& host : hosts) {
    if (!host.lab.empty()) names.insert(host.lab);
  }
  return {names.begin(), names.end()};
}

}  // namespace otto::cli

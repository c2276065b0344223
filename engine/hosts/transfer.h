// put and get: files and trees to and from a host, through its shell, or by the container's engine where it has none.
//
// One stream in one exec channel each way; no copy anywhere but at the destination, where it becomes visible by rename
// only. See transfer_script.h for the remote halves, tree_packer.h and tree_unpacker.h for the local ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/hosts/host_access.h"
#include "otto/host.h"

namespace otto::hosts {

/// As Host::put.
Result<TransferReport> put(HostAccess& access, const std::vector<std::string>& sources, std::string_view dest,
                           const TransferOptions& options);
/// As Host::get.
Result<TransferReport> get(HostAccess& access, const std::vector<std::string>& sources, std::string_view dest,
                           const TransferOptions& options);

/// The same for a container without a shell. Written in place by the engine: only here, a cut put may leave a part.
Result<TransferReport> put_by_engine(HostAccess& access, const std::vector<std::string>& sources,
                                     const std::string& dest, const TransferOptions& options);

}  // namespace otto::hosts

// A real parent: each question and each act of the seam (parent/parent.h) is the script of the room that knows it.
#pragma once

#include <memory>
#include <stop_token>

#include "engine/config/hosts.h"
#include "engine/parent/parent.h"
#include "engine/workspace/opened.h"
#include "graph/base/result.h"

namespace otto::facade {

/// Over the workspace's connection to the host, which is made now if need be. Errors as transport::connect.
Result<std::unique_ptr<parent::Parent>> reach_remote_parent(workspace::Opened& workspace, const config::HostEntry& host,
                                                            const parent::ParentSettings& settings,
                                                            const std::stop_token& stop);

}  // namespace otto::facade

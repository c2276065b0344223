// What a parent remembers of an image's last build, so that reasons survive a lost database.
//
// A record is the fingerprint of the inputs and the Dockerfile's text (which is no secret: build args are no part of
// it), written by the build itself once the tag stands; the files are named by the manifest of the context's stage, as
// long as that still holds what was built. Never part of a verdict.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/parent/building.h"
#include "engine/parent/facts.h"
#include "graph/base/result.h"
#include "graph/reasons.h"
#include "transport/remote.h"

namespace otto::images {

using parent::RecordQuery;

/// The name of an image's record on every parent: a file name.
std::string record_name(std::string_view project, std::string_view image);

/// A shell fragment that keeps `fingerprint` and the Dockerfile's text (up to 64 KB) as the record; failure to do so is
/// no failure of the build.
std::string keep_record_script(const parent::ParentFacts& facts, std::string_view name,
                               const graph::Fingerprint& fingerprint, std::string_view dockerfile);

/// The records that are there and can be read, by name. kConnectionLost, kInterrupted.
Result<std::map<std::string, graph::BuiltFrom>> read_records(transport::Remote& remote,
                                                             const parent::ParentFacts& facts,
                                                             const std::vector<RecordQuery>& queries,
                                                             std::stop_token stop);

}  // namespace otto::images

// A diagnosis as people read it: the steps of the configuration and of each host, each failure with its mend.
//
//   pepper_seed
//     ✓ log-in    leek_gate: as 'otto' by key '~/.ssh/id_ed25519'
//     ✗ connect   'pepper_seed' (10.0.0.7:22): connection refused
//                 mend: check that sshd runs
//     - log-in    not looked at
//
// Remote text is made printable here. Pure functions.
#pragma once

#include <string>

#include "cli/render/style.h"
#include "otto/doctor.h"

namespace otto::cli {

/// Steps skipped are told by one line; with -v each by its own. Ends in a line that sums up.
std::string render_diagnosis(const Diagnosis& diagnosis, const Style& style);

}  // namespace otto::cli

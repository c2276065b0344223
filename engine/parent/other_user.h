// Ending what runs as another user: docker reached by sudo is root's, and may not be signalled by the one who logs in.
//
// Not even sudo itself takes that user's signals (kill(2): EPERM). But the kernel hangs up everything that has lost its
// terminal, whoever it belongs to. So such a command gets a terminal of its own from script(1), which is the user's and
// dies with the job; its input and outputs stay the job's own. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otto::parent {

/// Whether the command changes the user: sudo or doas.
bool changes_user(const std::vector<std::string>& command);

/// The sh function otto_hangable: runs "$@" so that it is hung up when the caller's process group is told to end. As it
/// is where the host has no script(1), or the command line is too long for one word.
std::string_view hangable_function();

}  // namespace otto::parent

// The whole of otto but main(): from argv and the process's streams to an exit code.
//
// Parses, sets the terminal, the signals and the progress up, runs the verb, renders what it returns, and sees to it
// that output which could not be written is an error. Owns everything for the length of one command.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal/terminal.h"
#include "cli/verbs/invocation.h"

namespace otto::cli {

/// `words`: argv without the program's name. Takes over signals for as long as it runs.
int run_app(const std::vector<std::string>& words, const Surroundings& surroundings, const Streams& streams);

/// run_app() on the process's own streams: 1, and a message, where standard output could not be written.
int run_process(int argc, const char* const* argv);

}  // namespace otto::cli

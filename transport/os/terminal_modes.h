// A terminal's settings as a peer takes them: the encoded modes of RFC 4254, section 8.
//
// What OpenSSH sends, so that erase, interrupt and their like are the same keys there as here. Pure functions over
// termios; the descriptor is the caller's.
#pragma once

#include <string>
#include <string_view>

#include "transport/transport.h"

struct termios;  // termios.h, whose macros belong into no header

namespace otto::transport {

std::string encode_modes(const termios& settings);
/// Sets what `modes` names and leaves the rest. Unknown modes are passed by, as the RFC wants.
void apply_modes(std::string_view modes, termios& settings);

/// What is asked of the host: the request's modes, or those of a raw terminal.
std::string requested_modes(const PtyRequest& request);

}  // namespace otto::transport

// The styles that the rendering tests print in.
#pragma once

#include "cli/render/style.h"

namespace otto::cli {

inline constexpr Style kTerminal{true, true, true, 0};
inline constexpr Style kPipe{false, true, false, 0};

}  // namespace otto::cli

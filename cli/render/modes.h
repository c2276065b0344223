// How results and progress can be shown, as the command line names it. Values only.
#pragma once

namespace otto::cli {

enum class Format { kText, kJson, kDot };
enum class ProgressMode { kAuto, kTty, kPlain, kJson, kQuiet };
enum class ColorMode { kAuto, kAlways, kNever };

}  // namespace otto::cli

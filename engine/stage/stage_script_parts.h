// The pieces of the exchange's script, in the order in which they are put together (stage_script.cc).
//
// Each defines functions or runs, and may use what those before it have defined: `fail CODE WORDS`, `unwritable`, the
// variables dir, tree, base, work, kind, condition. Internal to the stage. Must not know how scripts travel.
#pragma once

#include <string_view>

namespace otto::stage {

extern const std::string_view kStageCommon;   ///< listings and stamps; of the guard too
extern const std::string_view kStageOpen;     ///< the lock, what there is, leftovers
extern const std::string_view kStageReport;   ///< the state and its sections
extern const std::string_view kStageReuse;    ///< links, copies, recipes
extern const std::string_view kStageInPlace;  ///< what is looked at before a mounted tree is touched, and its change
extern const std::string_view kStageApply;    ///< the order, and what is done for it

}  // namespace otto::stage

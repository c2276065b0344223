// The end of a verb whose reports are one for each parent: failures are told, and one exit code comes of them all.
#pragma once

#include <vector>

#include "cli/render/errors.h"
#include "cli/verbs/invocation.h"
#include "cli/verbs/outcome.h"

namespace otto::cli {

/// `Report`: has an optional `error`, of the parent as a whole.
template <typename Report>
int conclude(Invocation& invocation, const std::vector<Report>& reports) {
  Outcome outcome;
  for (const Report& report : reports) {
    if (report.error) {
      invocation.complain(render_error(*report.error, invocation.terminal().err));
      outcome.add_failure(report.error->code);
    } else {
      outcome.add_success();
    }
  }
  return outcome.exit_code();
}

}  // namespace otto::cli

#include "cli/verbs/outcome.h"

#include "cli/command_line/exit_code.h"

namespace otto::cli {

using docker::ImageResult;
using docker::ImageStatus;

void Outcome::add(const docker::BuildReport& report) {
  bool failed = false;
  const auto fail = [&](ErrorCode code) {
    failed = true;
    add_failure(code);
  };
  if (report.error) fail(report.error->code);
  for (const ImageResult& image : report.images) {
    const bool bad = image.status == ImageStatus::kFailed || image.status == ImageStatus::kSkipped;
    if (bad) fail(image.error ? image.error->code : ErrorCode::kBuildFailed);
    if (image.status == ImageStatus::kBuilt) add_success();
  }
  if (!failed) add_success();
}

void Outcome::add_failure(ErrorCode code) { failures_.push_back(code); }

int Outcome::exit_code() const { return exit_code_of_parts(successes_, failures_); }

}  // namespace otto::cli

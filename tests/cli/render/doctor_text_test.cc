#include "cli/render/doctor_text.h"

#include <gtest/gtest.h>

#include "cli/render/json.h"
#include "tests/cli/golden.h"
#include "tests/cli/samples.h"
#include "tests/cli/styles.h"

namespace otto::cli {
namespace {

constexpr Style kVerboseAscii{false, false, false, 1};

TEST(DoctorText, FailuresWithTheirMend) {
  expect_golden("doctor_pipe.txt", render_diagnosis(samples::diagnosis(), kPipe));
  expect_golden("doctor_terminal.txt", render_diagnosis(samples::diagnosis(), kTerminal));
}

TEST(DoctorText, VerboselyEachSkippedStepHasItsLine) {
  expect_golden("doctor_verbose.txt", render_diagnosis(samples::diagnosis(), kVerboseAscii));
}

TEST(DoctorText, NothingWrong) {
  const Diagnosis diagnosis{{{"settings", "", CheckStatus::kOk, "veggies", "", std::nullopt}}, {}};
  EXPECT_EQ(render_diagnosis(diagnosis, kPipe), "configuration\n  ✓ settings   veggies\neverything works\n");
}

TEST(DoctorJson, Document) { expect_golden("doctor.json", json::doctor(samples::diagnosis())); }

}  // namespace
}  // namespace otto::cli

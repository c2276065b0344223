#include "engine/images/build.h"

#include <sstream>

#include "graph/base/text.h"
#include "tests/engine/parent/fake_docker.h"

namespace otto::images {
namespace {

TEST(BuildProgressTest, StepsAreThoseOfTheDockerfile) {
  EXPECT_EQ(step_of("#7 [build 2/4] RUN make"), "[build 2/4] RUN make");
  EXPECT_EQ(step_of("#7 [2/3] COPY . /"), "[2/3] COPY . /");
  EXPECT_EQ(step_of("Step 2/3 : COPY . /"), "Step 2/3 : COPY . /");
  EXPECT_EQ(step_of("#1 [internal] load build definition"), "");
  EXPECT_EQ(step_of("#7 DONE 0.3s"), "");
  EXPECT_EQ(step_of("plain text"), "");
  EXPECT_EQ(step_of("#7"), "");
  EXPECT_EQ(step_of(""), "");
}

TEST(BuildProgressTest, TheFailureIsTheReportAtTheEnd) {
  const std::vector<std::string> progress = {"#5 [2/2] RUN false",
                                             "#5 0.1 output",
                                             "#5 ERROR: exit code: 1",
                                             "------",
                                             " > [2/2] RUN false:",
                                             "0.1 output",
                                             "------",
                                             "Dockerfile:2",
                                             ">>> RUN false",
                                             "ERROR: failed to solve: exit code: 1"};
  EXPECT_EQ(failure_of(progress),
            " > [2/2] RUN false:\n0.1 output\nDockerfile:2\n>>> RUN false\nERROR: failed to solve: exit code: 1");
  EXPECT_EQ(failure_of({"#1 x", "ERROR: no builder"}), "ERROR: no builder");
  EXPECT_EQ(failure_of({"one", "two"}), "one\ntwo");
  EXPECT_EQ(failure_of({}), "");
}

TEST(BuildProgressTest, FetchedBaseImagesAreNamedWithTheirDigests) {
  using Base = std::pair<std::string, std::string>;
  EXPECT_EQ(fetched_base_of("#4 FROM 127.0.0.1:5000/base:1@sha256:ab"), (Base{"127.0.0.1:5000/base:1", "sha256:ab"}));
  EXPECT_EQ(fetched_base_of("#4 [1/3] FROM docker.io/library/debian:12@sha256:ab"),
            (Base{"docker.io/library/debian:12", "sha256:ab"}));
  EXPECT_EQ(fetched_base_of("#4 [1/2] FROM docker.io/otto-lab/base:1"), Base());
  EXPECT_EQ(fetched_base_of("#4 resolve docker.io/library/debian:12@sha256:ab 0.0s done"), Base());
  EXPECT_EQ(fetched_base_of("#7 0.1 echo FROM x@sha256:ab and more"), Base());
}

/// A stage as stage.h leaves it is needed by the guard; these tests stop before it or replace it.
TEST(BuildTest, WithoutBuildxWhatNeedsItIsRefused) {
  parent::FakeDocker docker("exit 0\n");
  docker.facts.has_buildx = false;
  BuildRequest request;
  request.stage_key = "k";
  request.dockerfile = "FROM x\nRUN --mount=type=cache,target=/c true\n";
  const auto built = build_image(docker.remote, docker.settings, docker.facts, request);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.error().code, ErrorCode::kUnsupported);
}

TEST(BuildTest, AStageThatIsNotThereIsStale) {
  parent::FakeDocker docker("exit 0\n");
  BuildRequest request;
  request.name = "api";
  request.stage_key = "absent";
  request.stage_stamp = "0123";
  request.dockerfile = "FROM scratch\n";
  const auto built = build_image(docker.remote, docker.settings, docker.facts, request);
  ASSERT_TRUE(built.ok()) << built.error().message;
  EXPECT_TRUE(built->stage_stale);
}

}  // namespace
}  // namespace otto::images

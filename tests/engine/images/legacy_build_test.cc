#include "engine/images/legacy_build.h"

#include <gtest/gtest.h>

namespace otto::images {
namespace {

BuildRequest request(std::string dockerfile, std::string target = {}) {
  BuildRequest request;
  request.dockerfile = std::move(dockerfile);
  request.dockerfile_name = "api.Dockerfile";
  request.target = std::move(target);
  request.build_args = {{"BASE", "p-base"}};
  request.pins = {{"p-base", "p-base:0123"}, {"p-base:latest", "p-base:0123"}};
  return request;
}

std::string rewritten(const BuildRequest& request) {
  const auto text = legacy_dockerfile(request);
  return text.ok() ? *text : "error: " + text.error().message;
}

TEST(LegacyDockerfileTest, EveryReferenceToTheReposImagesIsPinnedAndNothingElseChanges) {
  EXPECT_EQ(rewritten(request("# p-base\nARG BASE=x\nFROM ${BASE} AS one\nRUN echo p-base\n"
                              "FROM  \\\n  p-base:latest\nCOPY --from=p-base /a /b\nCOPY --from=one /a /c\n"
                              "FROM debian:12\nCOPY --from=1 /c /d\n")),
            "# p-base\nARG BASE=x\nFROM p-base:0123 AS one\nRUN echo p-base\n"
            "FROM  \\\n  p-base:0123\nCOPY --from=p-base:0123 /a /b\nCOPY --from=one /a /c\n"
            "FROM debian:12\nCOPY --from=1 /c /d\n");
}

TEST(LegacyDockerfileTest, StagesThatTheTargetDoesNotNeedAreEmptied) {
  EXPECT_EQ(
      rewritten(request("FROM p-base AS one\nFROM --platform=$BUILDPLATFORM p-base AS two\nRUN --mount=type=cache \\\n"
                        "  # note\n  true\nRUN <<EOF\nfalse\nEOF\nFROM one AS three\nRUN x",
                        "three")),
      "FROM p-base:0123 AS one\nFROM scratch AS two\n\n\nFROM one AS three\nRUN x");
  EXPECT_EQ(rewritten(request("FROM one AS a\nRUN x\nFROM two AS b", "a")), "FROM one AS a\nRUN x\nFROM scratch AS b");
}

TEST(LegacyDockerfileTest, WhatNeedsBuildKitIsNamedWithItsLine) {
  struct Case {
    const char* line;
    const char* feature;
  };
  for (const Case& test :
       {Case{"RUN --mount=type=cache,target=/c x", "'run --mount'"}, Case{"RUN --network=none x", "'run --network'"},
        Case{"COPY --chown=1 --link a b", "'copy --link'"}, Case{"ADD --checksum=sha256:0 a b", "'add --checksum'"},
        Case{"COPY <<EOF /x\ny\nEOF", "a here-document"}, Case{"ARG TARGETARCH", "the build arg TARGETARCH"},
        Case{"ARG TARGETOS=linux", "the build arg TARGETOS"},
        Case{"FROM --platform=${BUILDPLATFORM} x", "the build arg BUILDPLATFORM"}}) {
    const auto text = legacy_dockerfile(request(std::string("FROM x\n") + test.line + "\n"));
    ASSERT_FALSE(text.ok()) << test.line;
    EXPECT_EQ(text.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(text.error().message.find(std::string("api.Dockerfile:2: ") + test.feature), std::string::npos)
        << text.error().message;
    EXPECT_NE(text.error().hint.find("docker-buildx"), std::string::npos);
  }
  EXPECT_FALSE(legacy_dockerfile(request("# syntax = example/frontend:1\nFROM x\n")).ok());
}

TEST(LegacyDockerfileTest, WhatOnlyLooksLikeBuildKitIsTaken) {
  for (const char* text :
       {"# syntax=docker/dockerfile:1\nFROM x\n", "FROM x\nRUN cat --mount <<<x\n", "FROM x\nRUN y --link\n",
        "FROM x\nCOPY --chown=1:1 a b\n", "FROM --platform=linux/amd64 x\n", "FROM x\nARG TARGETARCHES\n"}) {
    EXPECT_EQ(rewritten(request(text)), text);
  }
  BuildRequest given = request("FROM x\nARG TARGETARCH\n");
  given.build_args["TARGETARCH"] = "arm64";
  EXPECT_EQ(rewritten(given), given.dockerfile);
}

}  // namespace
}  // namespace otto::images

// What Dockerfiles refer to, table by table: FROM and its args, --from, stages and targets, parsing, references.
#include "engine/images/dockerfile.h"
#include "engine/workspace/names.h"

#include <gtest/gtest.h>

namespace otto::images {
namespace {

using Args = std::map<std::string, std::string>;

std::string kind_name(ReferenceKind kind) {
  return kind == ReferenceKind::kFrom ? "from" : kind == ReferenceKind::kCopyFrom ? "copy" : "mount";
}

/// "from:a@1 copy:b@3", or "error: …".
std::string references(std::string_view text, const Args& args = {}, std::optional<std::string> target = {}) {
  auto parsed = parse_dockerfile(text, "Dockerfile", args, target);
  if (!parsed) return "error: " + parsed.error().message;
  std::string all;
  for (const ImageReference& reference : parsed->references) {
    if (!all.empty()) all += ' ';
    all += kind_name(reference.kind) + ":" + reference.name + "@" + std::to_string(reference.line);
  }
  return all;
}

TEST(Dockerfile, StagesThatTriggersAskForAreNeeded) {
  const std::string text = "FROM tools AS Builder\nFROM other AS unused\nFROM base\n";
  const auto without = parse_dockerfile(text, "Dockerfile", {});
  EXPECT_EQ(without->needed, (std::vector<bool>{false, false, true}));
  const auto with = parse_dockerfile(text, "Dockerfile", {}, std::nullopt, {"builder", "nobody"});
  EXPECT_EQ(with->needed, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(with->references.size(), 2U);
}

TEST(Dockerfile, FromTakesImagesAndDropsScratch) {
  EXPECT_EQ(references("FROM debian:12\n"), "from:debian:12@1");
  EXPECT_EQ(references("from debian:12"), "from:debian:12@1");
  EXPECT_EQ(references("\xEF\xBB\xBF"
                       "FROM debian:12\r\nRUN x\r\n"),
            "from:debian:12@1");
  EXPECT_EQ(references("FROM scratch\nCOPY . /\n"), "");
  EXPECT_EQ(references("FROM --platform=$BUILDPLATFORM debian AS build\n"), "from:debian@1");
  EXPECT_EQ(references("FROM \"debian:12\"\n"), "from:debian:12@1");
  EXPECT_EQ(references("FROM a@sha256:00\n"), "from:a@sha256:00@1");
}

TEST(Dockerfile, ArgsBeforeFromExpand) {
  EXPECT_EQ(references("ARG BASE=veggies-base\nFROM $BASE\n"), "from:veggies-base@2");
  EXPECT_EQ(references("ARG BASE=veggies-base\nFROM ${BASE}:1\n", {{"BASE", "other"}}), "from:other:1@2");
  EXPECT_EQ(references("ARG N=base\nARG BASE=veggies-${N}\nFROM $BASE\n"), "from:veggies-base@3");
  EXPECT_EQ(references("ARG A=x B=\"y z\" C='w'\nFROM $A-$C\n"), "from:x-w@2");
  EXPECT_EQ(references("FROM ${BASE:-veggies-base}\n"), "from:veggies-base@1");
  EXPECT_EQ(references("ARG B\nFROM a${B:+-b}\n", {{"B", "1"}}), "from:a-b@2");
  EXPECT_EQ(references("ARG B\nFROM a${B:+-b}\n"), "from:a@2");
  EXPECT_EQ(references("ARG V=1.2.3\nFROM a:${V%.*}-${V##*.}-${V#1.}-${V%%.*}\n"), "from:a:1.2-3-2.3-1@2");
  EXPECT_EQ(references("ARG V=a-b-c\nFROM x:${V/-/.}y${V//-/.}\n"), "from:x:a.b-cya.b.c@2");
  EXPECT_EQ(references("ARG E=\nFROM a${E-x}${E:-y}${U-z}\n"), "from:ayz@2");
  EXPECT_EQ(references("ARG A='$B'\nFROM a\\$b\n"), "from:a$b@2");
}

TEST(Dockerfile, BuildArgsThatNoArgDeclaresDoNotReachFrom) {
  EXPECT_EQ(references("FROM ${BASE:-a}\n", {{"BASE", "b"}}), "from:a@1");
  EXPECT_EQ(references("FROM x\nARG BASE=b\nFROM ${BASE:-a}\n"), "from:a@3");
}

TEST(Dockerfile, PlatformArgsStayInNamesUnlessGiven) {
  EXPECT_EQ(references("FROM base-${TARGETARCH}\n"), "from:base-${TARGETARCH}@1");
  EXPECT_EQ(references("FROM base-$TARGETARCH\n", {{"TARGETARCH", "arm64"}}), "from:base-arm64@1");
  EXPECT_EQ(references("ARG B=b-$TARGETOS\nFROM x AS a\nFROM y AS c\nFROM $B AS d\n", {}, "d"),
            "from:x@2 from:y@3 from:b-${TARGETOS}@4")
      << "any stage may be meant";
}

TEST(Dockerfile, EmptyFromNamesTheArgInItsHint) {
  auto parsed = parse_dockerfile("ARG BASE\nFROM ${BASE}\n", "api.Dockerfile", {});
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::kConfig);
  EXPECT_EQ(parsed.error().message, "api.Dockerfile:2: FROM is empty after expanding '${BASE}'");
  EXPECT_EQ(parsed.error().hint, "give 'BASE' a value in build_args, or a default with ARG BASE=… before FROM");
}

TEST(Dockerfile, StagesAreNotExternal) {
  EXPECT_EQ(references("FROM a AS Build\nFROM build\nCOPY --from=BUILD /x /\nCOPY --from=0 /y /\n"), "from:a@1");
  EXPECT_EQ(references("FROM alpine AS alpine\nFROM alpine\n"), "from:alpine@1");
  EXPECT_EQ(references("FROM late\nFROM a AS late\n", {}, "0"), "from:late@1") << "FROM sees earlier stages only";
  EXPECT_EQ(references("FROM a\nCOPY --from=late / /\nFROM b AS late\n", {}, "0"), "from:a@1 from:b@3");
  EXPECT_EQ(references("FROM a\nCOPY --from=0x / /\n"), "from:a@1 copy:0x@2");
  const auto parsed = parse_dockerfile("FROM a AS One\nFROM b\nFROM One AS three", "Dockerfile", {});
  EXPECT_EQ(parsed->stages, (std::vector<std::string>{"one", "", "three"}));
}

TEST(Dockerfile, CopyAndMountsNameImages) {
  EXPECT_EQ(references("FROM a\nCOPY --chown=1:1 --from=veggies-tools:latest --link /x /\n"),
            "from:a@1 copy:veggies-tools:latest@2");
  EXPECT_EQ(references("FROM a\nCOPY --from=\"veggies-tools\" /x /\n"), "from:a@1 copy:veggies-tools@2");
  EXPECT_EQ(references("FROM a\nCOPY --from=scratch /x /\n"), "from:a@1");
  EXPECT_EQ(
      references("FROM a\nRUN --mount=type=bind,from=veggies-tools,target=/t --mount=type=cache,target=/c make\n"),
      "from:a@1 mount:veggies-tools@2");
  EXPECT_EQ(references("FROM a\nRUN --network=none --mount=\"type=bind,from=b\" x\n"), "from:a@1 mount:b@2");
  EXPECT_EQ(references("FROM a AS s\nFROM b\nRUN --mount=from=s,target=/t --mount=from=0,target=/u x\n"),
            "from:a@1 from:b@2");
  EXPECT_EQ(references("FROM a\nADD --from=b /x /\nRUN echo --mount=type=bind,from=c\nRUN --mount=type=tmpfs x\n"),
            "from:a@1");
  EXPECT_EQ(references("FROM a\nONBUILD COPY --from=b / /\n"), "from:a@1 copy:b@2")
      << "whatever is built from this needs it, and is stale where it is another";
  EXPECT_EQ(references("FROM a\nONBUILD COPY --from=1 / /\nONBUILD COPY --from=$X / /\n"),
            "from:a@1 copy:1@2 copy:$X@3")
      << "stages of whatever is built from this";
  EXPECT_EQ(references("FROM a AS s\nONBUILD RUN --mount=from=b,target=/b x\nFROM s\n"), "from:a@1 mount:b@2");
  EXPECT_EQ(references("FROM a AS s\nFROM b\nONBUILD COPY --from=s / /\nONBUILD USER x\n"), "from:a@1 from:b@2");
  EXPECT_EQ(references("FROM a\nCOPY --from=$X / /\n"), "error: Dockerfile:2: 'from=$X': from expands no variables");
  EXPECT_EQ(references("FROM a\nCOPY --from=3 / /\n"),
            "error: Dockerfile:2: from=3: the file has 1 stages, numbered from 0");
}

TEST(Dockerfile, ContinuationsCommentsAndDirectives) {
  EXPECT_EQ(references("FROM \\\n  debian:12 \\\n# a comment inside\n\n  AS build\nFROM build\n"), "from:debian:12@1");
  EXPECT_EQ(references("FROM a\nRUN x \\\\\nCOPY --from=b / /\n"), "from:a@1 copy:b@3")
      << "an escaped escape ends a line";
  EXPECT_EQ(references("FROM a\nRUN x \\  \n  FROM b\n"), "from:a@1") << "blanks after the continuation do not matter";
  EXPECT_EQ(
      references(
          "# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN x `\nFROM b\nCOPY c:\\ d\\\nCOPY --from=e / /\n"),
      "from:a@3 copy:e@7");
  EXPECT_EQ(references("# a comment ends the directives\n# escape=`\nFROM a\nRUN x \\\nFROM b\n"), "from:a@3");
  EXPECT_EQ(references("# escape=\nFROM a\nRUN x \\\nFROM b\n"), "from:a@2") << "without a value it is a comment";
  EXPECT_EQ(references("#escape=x\nFROM a\n"), "error: Dockerfile:1: invalid escape character 'x'");
  EXPECT_EQ(references("  # indented comment\n\n  FROM a\n\tCOPY --from=b x y\n"), "from:a@3 copy:b@4");
  EXPECT_EQ(references("FR\\\nOM deb\\\nian\n"), "from:debian@1");
}

TEST(Dockerfile, HeredocsAreNotInstructions) {
  EXPECT_EQ(references("FROM a\nRUN <<EOF\nFROM b\nEOF\nCOPY --from=c / /\n"), "from:a@1 copy:c@5");
  EXPECT_EQ(references("FROM a\nRUN <<-\"END\" sh\nFROM b\n\t\tEND\nCOPY --from=c / /\n"), "from:a@1 copy:c@5");
  EXPECT_EQ(references("FROM a\nCOPY <<one <<two /x/\nFROM b\none\nFROM c\ntwo\nFROM d\n"), "from:d@7");
  EXPECT_EQ(references("FROM a\nRUN x 3<<'E O'\nFROM b\nE O\n"), "from:a@1");
  EXPECT_EQ(references("FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\n"), "from:a@1");
  EXPECT_EQ(references("FROM a\nENV X=<<EOF\nFROM b\n"), "from:b@3") << "only RUN, COPY and ADD take them";
  EXPECT_EQ(references("FROM a\nRUN echo $((1<<2)) \"<<EOF\" << x\nFROM b\n"), "from:b@3");
  EXPECT_EQ(references("FROM a\nRUN <<EOF\nx\n"), "error: Dockerfile:2: the heredoc 'EOF' is not closed");
  EXPECT_EQ(references("FROM a\nRUN <<EOF \\\n && x\nFROM b\nEOF\nFROM c\n"), "from:c@6");
}

TEST(Dockerfile, TargetLimitsToTheStagesItNeeds) {
  constexpr std::string_view kFile =
      "FROM base AS build\nRUN --mount=type=bind,from=gen,target=/g x\nFROM lint AS check\nFROM tools AS gen\n"
      "FROM scratch AS prod\nCOPY --from=build / /\nFROM prod AS debug\nCOPY --from=gdb / /\n";
  EXPECT_EQ(references(kFile), "from:base@1 from:tools@4 copy:gdb@8") << "the last stage is the target";
  EXPECT_EQ(references(kFile, {}, "prod"), "from:base@1 from:tools@4");
  EXPECT_EQ(references(kFile, {}, "PROD"), "from:base@1 from:tools@4");
  EXPECT_EQ(references(kFile, {}, "3"), "from:base@1 from:tools@4");
  EXPECT_EQ(references(kFile, {}, "check"), "from:lint@3");
  EXPECT_EQ(references(kFile, {}, ""), references(kFile));
  EXPECT_EQ(references("FROM a AS one\nFROM b AS two\nFROM two AS three\n", {}, "three"), "from:b@2");
  EXPECT_EQ(references(kFile, {}, "5"), "error: Dockerfile: no stage '5'");
}

TEST(Dockerfile, UnknownTargetHasItsNearMiss) {
  auto parsed = parse_dockerfile("FROM a AS build\nFROM b AS prod\n", "docker/api.Dockerfile", {}, "prdo");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::kConfig);
  EXPECT_EQ(parsed.error().message, "docker/api.Dockerfile: no stage 'prdo' … did you mean 'prod'?");
  EXPECT_EQ(parsed.error().hint, "its stages are build, prod");
}

TEST(Dockerfile, WhatDockerRefusesIsRefused) {
  EXPECT_EQ(references(""), "error: Dockerfile:1: no FROM: the file builds nothing");
  EXPECT_EQ(references("ARG A=1\n"), "error: Dockerfile:1: no FROM: the file builds nothing");
  EXPECT_EQ(references("# escape=`"), "error: Dockerfile:1: no FROM: the file builds nothing");
  EXPECT_EQ(references("RUN x\nFROM a\n"), "error: Dockerfile:1: 'RUN' stands before the first FROM");
  EXPECT_EQ(references("FROM a b\n"), "error: Dockerfile:1: FROM takes one image, or an image AS a name");
  EXPECT_EQ(references("FROM\n"), "error: Dockerfile:1: FROM takes one image, or an image AS a name");
  EXPECT_EQ(references("FROM ${A\n"), "error: Dockerfile:1: '${A' is no valid substitution");
  EXPECT_EQ(references("FROM ${A:-x\n"), "error: Dockerfile:1: '${A:-x' lacks a closing brace");
  EXPECT_EQ(references("FROM ${A!x}\n"), "error: Dockerfile:1: unsupported modifier in '${A!x}'");
  EXPECT_EQ(references("ARG A\nFROM \"${A:?say which}\"\n"),
            "error: Dockerfile:2: build arg 'A' is required: say which")
      << "quotes are needed around blanks";
}

TEST(Dockerfile, PlacesLetReferencesBeReplaced) {
  const std::string text =
      "ARG B=veggies-base\nFROM --platform=x ${B} \\\n  AS one\nFROM x\nCOPY \\\n --from=veggies-tools a b\n"
      "RUN --mount=type=bind,from=veggies-gen,target=/x y\nCOPY --from=one c d\n";
  const auto parsed = parse_dockerfile(text, "Dockerfile", {});
  ASSERT_TRUE(parsed.ok());
  std::string pinned = text;
  for (auto reference = parsed->references.rbegin(); reference != parsed->references.rend(); ++reference) {
    pinned.replace(reference->begin, reference->end - reference->begin, "<" + reference->name + ">");
  }
  EXPECT_EQ(pinned,
            "ARG B=veggies-base\nFROM --platform=x <veggies-base> \\\n  AS one\nFROM <x>\nCOPY \\\n"
            " --from=<veggies-tools> a b\nRUN --mount=type=bind,from=<veggies-gen>,target=/x y\nCOPY --from=one c d\n");
}

TEST(Reference, IsNormalisedAsDockerDoes) {
  struct Case {
    std::string_view text, repository, tag, digest;
  };
  for (const Case& c : {Case{"debian", "debian", "", ""},
                        {"debian:12", "debian", "12", ""},
                        {"docker.io/library/debian:12", "debian", "12", ""},
                        {"index.docker.io/library/debian", "debian", "", ""},
                        {"library/debian", "debian", "", ""},
                        {"docker.io/team/app:1", "team/app", "1", ""},
                        {"library/team/app", "library/team/app", "", ""},
                        {"registry.example:5000/team/app", "registry.example:5000/team/app", "", ""},
                        {"registry.example:5000/library/app:2", "registry.example:5000/library/app", "2", ""},
                        {"localhost/app:1", "localhost/app", "1", ""},
                        {"localhost:5000/app", "localhost:5000/app", "", ""},
                        {"host:5000", "host", "5000", ""},
                        {"a:1@sha256:00ff", "a", "1", "sha256:00ff"},
                        {"docker.io/library/a@sha256:00", "a", "", "sha256:00"},
                        {"", "", "", ""}}) {
    const workspace::ParsedReference parsed = workspace::parse_reference(c.text);
    EXPECT_EQ(parsed.repository, c.repository) << c.text;
    EXPECT_EQ(parsed.tag, c.tag) << c.text;
    EXPECT_EQ(parsed.digest, c.digest) << c.text;
  }
}

}  // namespace
}  // namespace otto::images

#include "engine/images/image_plan.h"

#include <gtest/gtest.h>

namespace otto::images {
namespace {

using graph::ReasonKind;

/// An image "api" with one file, whose content is `file`, and one build arg, whose value is `arg`.
struct PlannedImage {
  explicit PlannedImage(const std::string& file, const std::string& arg = "1") {
    settings.name = "api";
    settings.build_args["VERSION"] = arg;
    graph::ContextEntry entry;
    entry.path = "src/main.c";
    entry.mode = 0644;
    entry.size = file.size();
    entry.digest = graph::sha256(file);
    context.name = ".";
    context.scan.manifest.entries.push_back(entry);
    context.hash = context.scan.manifest.hash();
    image.settings = &settings;
    image.context = &context;
    graph::FingerprintBuilder builder;
    builder.add(graph::ComponentKind::kDockerfile, "Dockerfile", "FROM x\n");
    builder.add_digest(graph::ComponentKind::kContext, ".", context.hash);
    builder.add(graph::ComponentKind::kBuildArg, "VERSION", arg);
    image.fingerprint = std::move(builder).finish();
    image.hash = image.fingerprint.hash.tag();
    image.tag = "p-api:" + image.hash;
  }
  PlannedImage(const PlannedImage&) = delete;
  PlannedImage& operator=(const PlannedImage&) = delete;

  [[nodiscard]] LastBuild as_last_build() const { return {image.hash, {image.fingerprint, context.scan.manifest}}; }

  config::ImageSettings settings;
  Context context;
  ImageInputs image;
};

std::vector<ReasonKind> kinds(const ImageVerdict& verdict) {
  std::vector<ReasonKind> kinds;
  for (const graph::Reason& reason : verdict.reasons) kinds.push_back(reason.kind);
  return kinds;
}

TEST(ImagePlanTest, PresentIsFreshWhateverIsRemembered) {
  const PlannedImage now("a"), before("b");
  ImageEvidence evidence;
  evidence.present = true;
  evidence.here = before.as_last_build();
  const ImageVerdict verdict = judge_image(now.image, evidence);
  EXPECT_FALSE(verdict.stale);
  EXPECT_TRUE(verdict.reasons.empty());
  EXPECT_EQ(verdict.checked,
            (std::vector<std::string>{"Dockerfile", "1 file", "1 build arg", "its presence on the parent"}));
}

TEST(ImagePlanTest, NothingKnownIsNeverBuilt) {
  const PlannedImage now("a");
  const ImageVerdict verdict = judge_image(now.image, {});
  EXPECT_TRUE(verdict.stale);
  EXPECT_EQ(kinds(verdict), std::vector{ReasonKind::kNeverBuilt});
}

TEST(ImagePlanTest, KnownElsewhereSaysWhere) {
  const PlannedImage now("a");
  ImageEvidence evidence;
  evidence.elsewhere = "carrot_seed";
  const ImageVerdict verdict = judge_image(now.image, evidence);
  ASSERT_EQ(kinds(verdict), std::vector{ReasonKind::kNeverBuilt});
  EXPECT_EQ(verdict.reasons[0].detail, "so far only on carrot_seed");
}

TEST(ImagePlanTest, AnEditNamesTheFile) {
  const PlannedImage now("a"), before("b");
  ImageEvidence evidence;
  evidence.here = before.as_last_build();
  const ImageVerdict verdict = judge_image(now.image, evidence);
  ASSERT_EQ(kinds(verdict), std::vector{ReasonKind::kFileChanged});
  EXPECT_EQ(verdict.reasons[0].subject, "src/main.c");
}

TEST(ImagePlanTest, TheSameHashGoneIsMissingOnParent) {
  const PlannedImage now("a");
  ImageEvidence evidence;
  evidence.here = now.as_last_build();
  evidence.built_here_before = true;
  EXPECT_EQ(kinds(judge_image(now.image, evidence)), std::vector{ReasonKind::kMissingOnParent});
}

TEST(ImagePlanTest, AnEditBackToAPrunedTagSaysBoth) {
  const PlannedImage now("a"), before("b");
  ImageEvidence evidence;
  evidence.here = before.as_last_build();
  evidence.built_here_before = true;
  EXPECT_EQ(kinds(judge_image(now.image, evidence)),
            (std::vector{ReasonKind::kFileChanged, ReasonKind::kMissingOnParent}));
}

TEST(ImagePlanTest, ForcedIsAReasonOfItsOwn) {
  const PlannedImage now("a");
  ImageEvidence evidence;
  evidence.present = true;
  evidence.forced = true;
  evidence.here = now.as_last_build();
  EXPECT_EQ(kinds(judge_image(now.image, evidence)), std::vector{ReasonKind::kForced});
}

TEST(ImagePlanTest, ABuildArgIsNamedNeverShown) {
  const PlannedImage now("a", "secret-new"), before("a", "secret-old");
  ImageEvidence evidence;
  evidence.here = before.as_last_build();
  const ImageVerdict verdict = judge_image(now.image, evidence);
  ASSERT_EQ(kinds(verdict), std::vector{ReasonKind::kBuildArgChanged});
  EXPECT_EQ(verdict.reasons[0].subject, "VERSION");
  EXPECT_EQ(verdict.reasons[0].detail.find("secret"), std::string::npos);
}

/// The fingerprint of `sample` as it was recorded with its base image.
graph::Fingerprint built_upon(const PlannedImage& sample, const std::string& base, const graph::Digest& digest) {
  graph::Fingerprint fingerprint = sample.image.fingerprint;
  fingerprint.components.push_back({graph::ComponentKind::kBase, base, digest, false});
  return fingerprint;
}

TEST(ImagePlanTest, AMovedBaseIsAReasonOnlyWithPull) {
  PlannedImage now("a");
  now.image.loose_bases = {"debian:12"};
  const graph::Digest first = graph::sha256("1"), second = graph::sha256("2");
  ImageEvidence evidence;
  evidence.present = true;
  evidence.here = now.as_last_build();
  evidence.present_from = built_upon(now, "debian:12", first);
  evidence.bases["debian:12"] = {second};
  const ImageVerdict without = judge_image(now.image, evidence);
  EXPECT_FALSE(without.stale);
  EXPECT_NE(without.checked.back().find("debian:12 (moved, hash 6b86b273ff34… → d4735e3a265e…;"), std::string::npos)
      << without.checked.back();
  evidence.pull = true;
  const ImageVerdict with = judge_image(now.image, evidence);
  EXPECT_TRUE(with.stale);
  EXPECT_EQ(
      with.reasons,
      (std::vector<graph::Reason>{{ReasonKind::kBaseChanged, "debian:12", "hash 6b86b273ff34… → d4735e3a265e…"}}));
}

TEST(ImagePlanTest, ABaseIsKnownByItsIdAndByItsRegistrysDigests) {
  PlannedImage now("a");
  now.image.loose_bases = {"debian:12"};
  const graph::Digest id = graph::sha256("id"), digest = graph::sha256("digest");
  ImageEvidence evidence;
  evidence.present = true;
  evidence.pull = true;
  evidence.present_from = built_upon(now, "debian:12", digest);
  evidence.bases["debian:12"] = {id, digest};
  EXPECT_FALSE(judge_image(now.image, evidence).stale);
  evidence.bases["debian:12"] = {id};
  EXPECT_EQ(kinds(judge_image(now.image, evidence)), std::vector{ReasonKind::kBaseChanged});
  evidence.present_from.reset();
  const ImageVerdict unknown = judge_image(now.image, evidence);
  ASSERT_EQ(kinds(unknown), std::vector{ReasonKind::kBaseChanged});
  EXPECT_NE(unknown.reasons[0].detail.find("not remembered"), std::string::npos);
}

TEST(ImagePlanTest, AStaleVerdictNeverLacksReasons) {
  const PlannedImage now("a"), before("b");
  for (const bool present : {false, true}) {
    for (const bool forced : {false, true}) {
      for (const bool known : {false, true}) {
        for (const bool before_here : {false, true}) {
          ImageEvidence evidence;
          evidence.present = present;
          evidence.forced = forced;
          evidence.built_here_before = before_here;
          if (known) evidence.here = (before_here ? now : before).as_last_build();
          const ImageVerdict verdict = judge_image(now.image, evidence);
          EXPECT_EQ(verdict.stale, forced || !present);
          EXPECT_EQ(verdict.reasons.empty(), !verdict.stale);
        }
      }
    }
  }
}

}  // namespace
}  // namespace otto::images

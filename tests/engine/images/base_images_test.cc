#include "engine/images/base_images.h"

#include <gtest/gtest.h>

namespace otto::images {
namespace {

using Names = std::vector<std::string>;

/// "base" upon debian:12 and a pinned image; "api" upon "base" and tools:1.
struct Sample {
  Sample(bool track_base, bool track_api) {
    base.name = "base";
    base.track_base = track_base;
    api.name = "api";
    api.track_base = track_api;
    inputs.images.resize(2);
    fill(inputs.images[0], base, {"debian:12", "pinned@sha256:12"});
    fill(inputs.images[1], api, {"tools:1"});
    inputs.images[1].upstreams = {{"base", {"p-base"}}};
  }
  static void fill(ImageInputs& image, const config::ImageSettings& settings, Names external) {
    image.settings = &settings;
    image.external = std::move(external);
    image.repository = "p-" + settings.name;
    image.parts.add(graph::ComponentKind::kDockerfile, "Dockerfile", "FROM …");
  }
  Names hashes(const BaseIds& ids) {
    settle_bases(inputs, ids);
    return {inputs.images[0].hash, inputs.images[1].hash};
  }

  config::ImageSettings base, api;
  RepoInputs inputs;
};

const graph::Digest kOne = graph::sha256("1"), kTwo = graph::sha256("2"), kTools = graph::sha256("tools");

TEST(BaseImages, UntrackedOnesExplainAndDoNotCount) {
  Sample sample(false, false);
  const Names before = sample.hashes({});
  EXPECT_EQ(before[0].size(), 40U);
  EXPECT_EQ(sample.hashes({{"debian:12", kOne}, {"tools:1", kTools}}), before);
  EXPECT_EQ(sample.inputs.images[0].loose_bases, Names{"debian:12"});
  EXPECT_EQ(sample.inputs.images[1].loose_bases, (Names{"debian:12", "tools:1"}));  // what it is built from joins
  EXPECT_EQ(loose_bases_of(sample.inputs.images[1].fingerprint),
            (std::map<std::string, std::string>{{"debian:12", "sha256:" + kOne.hex()},
                                                {"tools:1", "sha256:" + kTools.hex()}}));
}

TEST(BaseImages, ATrackedOneCountsInItsImageAndInAllThatIsBuiltFromThat) {
  Sample sample(true, false);
  EXPECT_EQ(sample.hashes({}), (Names{"", ""}));
  EXPECT_EQ(sample.inputs.images[1].unknown_bases, Names{"debian:12"});
  EXPECT_EQ(sample.inputs.images[1].tag, "");
  const Names one = sample.hashes({{"debian:12", kOne}});
  const Names two = sample.hashes({{"debian:12", kTwo}});
  EXPECT_TRUE(sample.inputs.images[1].unknown_bases.empty());
  EXPECT_NE(one[0], two[0]);
  EXPECT_NE(one[1], two[1]);
  EXPECT_EQ(sample.hashes({{"debian:12", kOne}, {"tools:1", kTools}}), one);
  EXPECT_EQ(sample.inputs.images[1].tag, "p-api:" + one[1]);
  EXPECT_EQ(sample.inputs.images[0].loose_bases, Names{});
  EXPECT_EQ(sample.inputs.images[1].loose_bases, Names{"tools:1"});
}

TEST(BaseImages, WhatTheEngineFetchedItselfIsRemembered) {
  Sample sample(false, false);
  sample.hashes({{"tools:1", kTools}});
  const ImageInputs& api = sample.inputs.images[1];
  graph::Fingerprint fingerprint = api.fingerprint;
  add_fetched_bases(fingerprint, api,
                    {{"docker.io/library/debian:12", "sha256:" + kOne.hex()},
                     {"docker.io/library/tools:1", "sha256:" + kTwo.hex()},
                     {"docker.io/library/other:1", "sha256:" + kTwo.hex()}});
  EXPECT_EQ(loose_bases_of(fingerprint), (std::map<std::string, std::string>{{"debian:12", "sha256:" + kOne.hex()},
                                                                             {"tools:1", "sha256:" + kTools.hex()}}));
  EXPECT_EQ(fingerprint.hash, api.fingerprint.hash);
  EXPECT_EQ(loose_bases_of(with_loose_bases(api.fingerprint, &fingerprint)), loose_bases_of(fingerprint));
  EXPECT_TRUE(loose_bases_of(with_loose_bases(api.fingerprint, nullptr)).empty());
}

TEST(BaseImages, WhatNeverMovesIsNotAskedFor) {
  for (const char* movable : {"debian", "debian:12", "127.0.0.1:5000/team/base:1"}) EXPECT_TRUE(is_movable(movable));
  for (const char* fixed : {"debian@sha256:12", "base-${TARGETARCH}", "a b", "", "-x", "a[b"}) {
    EXPECT_FALSE(is_movable(fixed)) << fixed;
  }
}

}  // namespace
}  // namespace otto::images

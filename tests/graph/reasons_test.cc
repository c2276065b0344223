#include "graph/reasons.h"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>

namespace otto::graph {

// NOLINTNEXTLINE(readability-identifier-naming): the name GoogleTest looks for
void PrintTo(const Reason& reason, std::ostream* out) {
  *out << reason_name(reason.kind) << " '" << reason.subject << "' (" << reason.detail << ")";
}

namespace {

using Reasons = std::vector<Reason>;

ContextEntry context_file(std::string path, std::string_view content, std::uint16_t mode = 0644) {
  ContextEntry entry;
  entry.path = std::move(path);
  entry.mode = mode;
  entry.size = content.size();
  entry.digest = sha256(content);
  return entry;
}

/// An image's inputs, to be changed one at a time.
struct Inputs {
  std::string dockerfile_path = "docker/api.Dockerfile";
  std::string dockerfile = "FROM base";
  LargeVector<ContextEntry> files = {context_file("a", "1"), context_file("b", "2")};
  std::string ignore = "*.o";
  std::vector<std::pair<std::string, std::string>> args = {{"VERSION", "1"}};
  std::string target, platform;
  std::string target_subject;  // an older otto's
  std::vector<std::pair<std::string, Digest>> upstreams = {{"base", sha256("base 1")}};
  std::vector<std::pair<std::string, Digest>> bases;
  bool remembered = true;

  [[nodiscard]] BuiltFrom built() const {
    ContextManifest manifest{files};
    FingerprintBuilder builder;
    builder.add(ComponentKind::kDockerfile, dockerfile_path, dockerfile);
    builder.add_digest(ComponentKind::kContext, "docker", manifest.hash());
    if (!ignore.empty()) builder.explain_only(ComponentKind::kIgnore, "docker/.dockerignore", sha256(ignore));
    for (const auto& [name, value] : args) builder.add(ComponentKind::kBuildArg, name, value);
    if (!target.empty()) builder.add(ComponentKind::kTarget, target_subject.empty() ? target : target_subject, target);
    if (!platform.empty()) builder.add(ComponentKind::kPlatform, platform, platform);
    for (const auto& [name, hash] : upstreams) builder.add_digest(ComponentKind::kUpstream, name, hash);
    for (const auto& [name, hash] : bases) builder.add_digest(ComponentKind::kBase, name, hash);
    return {std::move(builder).finish(), remembered ? std::optional(manifest) : std::nullopt};
  }
};

Reasons explain(const std::function<void(Inputs&)>& edit, const Inputs& before = {}) {
  Inputs now = before;
  edit(now);
  return explain_change(before.built(), now.built());
}

TEST(Reasons, NamesGoBothWays) {
  for (int i = 0; i <= static_cast<int>(ReasonKind::kForced); ++i) {
    const auto kind = static_cast<ReasonKind>(i);
    EXPECT_EQ(reason_from_name(reason_name(kind)), kind);
  }
  EXPECT_EQ(reason_name(ReasonKind::kMissingOnParent), "missing-on-parent");
  EXPECT_EQ(reason_name(ReasonKind::kBuildArgChanged), "build-arg-changed");
  EXPECT_EQ(reason_from_name("Forced"), std::nullopt);
  EXPECT_EQ(reason_from_name(""), std::nullopt);
}

TEST(Reasons, EqualInputsHaveNone) {
  EXPECT_EQ(explain([](Inputs&) {}), Reasons{});
}

TEST(Reasons, WhatIsNoInputIsNoReason) {
  EXPECT_EQ(explain([](Inputs& now) { now.dockerfile_path = "moved/Dockerfile"; }), Reasons{});
  EXPECT_EQ(explain([](Inputs& now) { now.ignore = "*.tmp"; }), Reasons{});
  const Reasons target = explain([](Inputs& now) {
    now.dockerfile_path = "moved/Dockerfile";
    now.target = "prod";
  });
  EXPECT_EQ(target, (Reasons{{ReasonKind::kTargetChanged, "target", "added: prod"}}));
}

TEST(Reasons, DockerfileTargetPlatform) {
  EXPECT_EQ(explain([](Inputs& now) { now.dockerfile += "\n"; }),
            (Reasons{{ReasonKind::kDockerfileChanged, "docker/api.Dockerfile", "changed"}}));
  Inputs before;
  before.target = "dev";
  before.platform = "linux/amd64";
  EXPECT_EQ(explain([](Inputs& now) { now.target = "prod"; }, before),
            (Reasons{{ReasonKind::kTargetChanged, "target", "dev → prod"}}));
  Inputs older = before;
  older.target_subject = "target";
  EXPECT_EQ(explain(
                [](Inputs& now) {
                  now.target = "prod";
                  now.target_subject.clear();
                },
                older),
            (Reasons{{ReasonKind::kTargetChanged, "target", "changed"}}))
      << "an older otto did not keep it";
  EXPECT_EQ(explain([](Inputs& now) { now.platform.clear(); }, before),
            (Reasons{{ReasonKind::kPlatformChanged, "platform", "removed: linux/amd64"}}));
}

TEST(Reasons, BuildArgsByNameNeverByValue) {
  Inputs before;
  before.args = {{"GONE", "s3cret"}, {"KEPT", "1"}, {"OTHER", "s3cret"}};
  const Reasons reasons = explain(
      [](Inputs& now) {
        now.args = {{"KEPT", "1"}, {"NEW", "x"}, {"OTHER", "s3cret2"}};
      },
      before);
  EXPECT_EQ(reasons, (Reasons{{ReasonKind::kBuildArgChanged, "GONE", "removed"},
                              {ReasonKind::kBuildArgChanged, "NEW", "added"},
                              {ReasonKind::kBuildArgChanged, "OTHER", "changed"}}));
}

TEST(Reasons, UpstreamAndBaseByHash) {
  const Reasons reasons = explain([](Inputs& now) {
    now.upstreams = {{"base", sha256("base 2")}, {"tools", sha256("tools 1")}};
    now.bases = {{"debian:12", sha256("debian")}};
  });
  const std::string detail =
      "hash " + sha256("base 1").hex().substr(0, 12) + "… → " + sha256("base 2").hex().substr(0, 12) + "…";
  EXPECT_EQ(reasons, (Reasons{{ReasonKind::kUpstreamChanged, "base", detail},
                              {ReasonKind::kUpstreamChanged, "tools", "added"},
                              {ReasonKind::kBaseChanged, "debian:12", "added"}}));
}

TEST(Reasons, FilesOneByOne) {
  Inputs before;
  before.files = {context_file("changed", "1"), context_file("chmod", "1"), context_file("gone", "1"),
                  context_file("same", "1")};
  const Reasons reasons = explain(
      [](Inputs& now) {
        now.files = {context_file("changed", "2"), context_file("chmod", "1", 0755), context_file("new", "1"),
                     context_file("same", "1")};
        now.dockerfile = "FROM other";
      },
      before);
  EXPECT_EQ(reasons, (Reasons{{ReasonKind::kDockerfileChanged, "docker/api.Dockerfile", "changed"},
                              {ReasonKind::kFileAdded, "new", ""},
                              {ReasonKind::kFileRemoved, "gone", ""},
                              {ReasonKind::kFileChanged, "changed", ""},
                              {ReasonKind::kModeChanged, "chmod", "0644 → 0755"}}));
}

TEST(Reasons, IgnoreRulesOnlyWhereEntriesCameOrWent) {
  const Reasons came = explain([](Inputs& now) {
    now.ignore = "*.tmp";
    now.files.push_back(context_file("c.o", "3"));
  });
  EXPECT_EQ(came, (Reasons{{ReasonKind::kFileAdded, "c.o", ""},
                           {ReasonKind::kIgnoreChanged, "docker/.dockerignore", "changed"}}));
  const Reasons edited = explain([](Inputs& now) {
    now.ignore = "*.tmp";
    now.files[0] = context_file("a", "other");
  });
  EXPECT_EQ(edited, (Reasons{{ReasonKind::kFileChanged, "a", ""}}));
  const Reasons dropped = explain([](Inputs& now) {
    now.ignore.clear();
    now.files.push_back(context_file("c.o", "3"));
  });
  EXPECT_EQ(dropped[1], (Reason{ReasonKind::kIgnoreChanged, "docker/.dockerignore", "removed"}));
}

TEST(Reasons, WithoutTheOldFilesTheContextStands) {
  Inputs before;
  before.remembered = false;
  const Reasons reasons = explain(
      [](Inputs& now) {
        now.remembered = true;
        now.files.pop_back();
      },
      before);
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].kind, ReasonKind::kFileChanged);
  EXPECT_EQ(reasons[0].subject, "docker");
  EXPECT_NE(reasons[0].detail.find("not known"), std::string::npos);
}

TEST(Reasons, ADockerfileNamesItsLinesWhereBothTextsAreThere) {
  Inputs inputs;
  BuiltFrom before = inputs.built();
  inputs.dockerfile = "FROM other";
  BuiltFrom now = inputs.built();
  EXPECT_EQ(explain_change(before, now)[0].detail, "changed");
  now.dockerfile = inputs.dockerfile;
  EXPECT_EQ(explain_change(before, now)[0].detail, "changed");
  before.dockerfile = "FROM base";
  EXPECT_EQ(explain_change(before, now)[0].detail, "- 1: FROM base\n+ 1: FROM other");
  before.dockerfile = "FROM other\n";
  EXPECT_EQ(explain_change(before, now)[0].detail, "changed") << "no line differs";
}

TEST(Reasons, NeverEmptyWhereHashesDiffer) {
  const BuiltFrom before = Inputs().built();
  BuiltFrom now = before;
  now.fingerprint.hash = sha256("counted by another version's rules");
  const Reasons counted = explain_change(before, now);
  ASSERT_EQ(counted.size(), 1u);
  EXPECT_EQ(counted[0].kind, ReasonKind::kNeverBuilt);

  Inputs other;
  other.files.pop_back();
  BuiltFrom mismatched = other.built();
  mismatched.context = before.context;
  const Reasons unexplained = explain_change(before, mismatched);
  ASSERT_EQ(unexplained.size(), 1u);
  EXPECT_EQ(unexplained[0].kind, ReasonKind::kFileChanged);
  EXPECT_EQ(unexplained[0].subject, "docker");
}

TEST(Reasons, UncountedBasesAreNoReason) {
  FingerprintBuilder before, now;
  before.add(ComponentKind::kDockerfile, "Dockerfile", "1");
  before.explain_only(ComponentKind::kBase, "debian:12", sha256("old"));
  now.add(ComponentKind::kDockerfile, "Dockerfile", "2");
  now.explain_only(ComponentKind::kBase, "debian:12", sha256("new"));
  EXPECT_EQ(explain_change({std::move(before).finish(), {}}, {std::move(now).finish(), {}}),
            (Reasons{{ReasonKind::kDockerfileChanged, "Dockerfile", "changed"}}));
}

TEST(Reasons, EveryFileIsListed) {
  Inputs before;
  before.files.clear();
  const Reasons reasons = explain(
      [](Inputs& now) {
        for (int i = 0; i < 2000; ++i) now.files.push_back(context_file("f" + std::to_string(10000 + i), "x"));
      },
      before);
  ASSERT_EQ(reasons.size(), 2000u);
  EXPECT_EQ(reasons[1999].subject, "f11999");
}

}  // namespace
}  // namespace otto::graph

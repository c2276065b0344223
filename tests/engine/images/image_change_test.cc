#include "engine/images/image_change.h"

#include <gtest/gtest.h>

#include <map>

namespace otto::images {
namespace {

using graph::Reason;
using graph::ReasonKind;
using Builds = std::map<std::string, std::vector<Reason>>;

std::string change(const std::string& image, const Builds& builds) {
  const auto reasons_of = [&](const std::string& name) -> Result<std::vector<Reason>> {
    const auto known = builds.find(name);
    return known == builds.end() ? std::vector<Reason>() : known->second;
  };
  return image_change(image, reasons_of).value();
}

TEST(ImageChange, NamesTheFile) {
  EXPECT_EQ(change("api", {{"api", {{ReasonKind::kFileChanged, "app.py", ""}}}}), "api: file-changed app.py");
  EXPECT_EQ(change("api", {{"api", {{ReasonKind::kForced, "", "--rebuild"}, {ReasonKind::kFileAdded, "x", ""}}}}),
            "api: forced, and 1 more");
}

TEST(ImageChange, FollowsTheImagesThatItIsBuiltFrom) {
  const Builds builds = {{"api", {{ReasonKind::kUpstreamChanged, "mid", ""}}},
                         {"mid", {{ReasonKind::kFileAdded, "y", ""}, {ReasonKind::kUpstreamChanged, "base", ""}}},
                         {"base", {{ReasonKind::kDockerfileChanged, "base.Dockerfile", ""}}}};
  EXPECT_EQ(change("api", builds), "base → mid → api: dockerfile-changed base.Dockerfile");
}

TEST(ImageChange, SaysNothingItDoesNotKnow) {
  EXPECT_EQ(change("api", {}), "");
  EXPECT_EQ(change("api", {{"api", {{ReasonKind::kUpstreamChanged, "base", ""}}}}), "base → api");
  EXPECT_EQ(change("api", {{"api", {{ReasonKind::kUpstreamChanged, "api", ""}}}}), "api: upstream-changed api")
      << "a record that leads in a circle ends";
}

}  // namespace
}  // namespace otto::images

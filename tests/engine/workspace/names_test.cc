#include <gtest/gtest.h>

#include <cstdlib>

#include "otto/names.h"

namespace otto::docker {
namespace {

TEST(NamingTest, TagsCarryTheRegistryOnlyWhereItIsNotTheDefault) {
  EXPECT_EQ(image_full_tag("docker.io", "Repo1", "api", "abc"), "repo1-api:abc");
  EXPECT_EQ(image_full_tag("", "repo1", "api", "abc"), "repo1-api:abc");
  EXPECT_EQ(image_full_tag("registry.lab:5000", "repo1", "api", "abc"), "registry.lab:5000/repo1-api:abc");
  EXPECT_EQ(image_latest_tag("registry.lab:5000/", "repo1", "api"), "registry.lab:5000/repo1-api:latest");
}

TEST(NamingTest, ComposeProjectHasOnlyWhatComposeAllows) {
  EXPECT_EQ(get_user_compose_project("Repo.One", "Jane Doe"), "otto-repo-one-jane-doe");
  setenv("OTTO_COMPOSE_SUFFIX", "CI_7", 1);
  EXPECT_EQ(get_user_compose_project("repo1"), "otto-repo1-ci_7");
  unsetenv("OTTO_COMPOSE_SUFFIX");
  EXPECT_TRUE(get_user_compose_project("repo1").starts_with("otto-repo1-"));
  EXPECT_GT(get_user_compose_project("repo1").size(), std::string("otto-repo1-").size());
}

}  // namespace
}  // namespace otto::docker

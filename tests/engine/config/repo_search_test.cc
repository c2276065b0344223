// find_repos: options before environment before the upward search, and what each refuses.
#include <gmock/gmock.h>

#include "engine/config/settings.h"
#include "tests/engine/config/config_fixture.h"

namespace otto::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class RepoSearchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    repo_.write("a/.otto/settings.toml", "name = 'a'\n");
    repo_.write("b/.otto/settings.toml", "name = 'b'\n");
    fs::create_directories(repo_.path("a/deep/er"));
    fs::create_directories(repo_.path("none/.otto"));
    search_.cwd = repo_.path("a/deep/er");
  }
  std::vector<fs::path> found() {
    const auto repos = find_repos(search_);
    EXPECT_TRUE(repos) << repos.error().message;
    return repos ? *repos : std::vector<fs::path>();
  }
  std::string failure() {
    const auto repos = find_repos(search_);
    return repos ? "accepted" : shown(repo_, repos.error());
  }

  TempRepo repo_;
  RepoSearch search_;
};

TEST_F(RepoSearchTest, SearchesUpward) {
  EXPECT_THAT(found(), ElementsAre(repo_.path("a")));
  search_.cwd = repo_.path("a/");
  EXPECT_THAT(found(), ElementsAre(repo_.path("a")));
  search_.cwd = repo_.path("a/.otto");
  EXPECT_THAT(found(), ElementsAre(repo_.path("a")));
}

TEST_F(RepoSearchTest, TakesTheNearestRepo) {
  repo_.write("a/deep/.otto/settings.toml", "name = 'inner'\n");
  EXPECT_THAT(found(), ElementsAre(repo_.path("a/deep")));
}

TEST_F(RepoSearchTest, EndsAtTheRoot) {
  search_.cwd = repo_.path("none");
  if (!fs::exists("/.otto/settings.toml") && !fs::exists(fs::temp_directory_path() / ".otto/settings.toml")) {
    EXPECT_THAT(found(), IsEmpty());
  }
  search_.cwd = "/";
  EXPECT_EQ(found().size(), fs::exists("/.otto/settings.toml") ? 1u : 0u);
}

TEST_F(RepoSearchTest, LeavesASymlinkByTheNameItWasEnteredWith) {
  fs::create_directories(repo_.path("outside/real"));
  fs::create_directory_symlink(repo_.path("outside/real"), repo_.path("a/link"));
  search_.cwd = repo_.path("a/link");
  EXPECT_THAT(found(), ElementsAre(repo_.path("a")));
}

TEST_F(RepoSearchTest, FollowsSymlinkedSettingsButNotDanglingOnes) {
  fs::create_directories(repo_.path("a/deep/.otto"));
  fs::create_symlink(repo_.path("b/.otto/settings.toml"), repo_.path("a/deep/.otto/settings.toml"));
  EXPECT_THAT(found(), ElementsAre(repo_.path("a/deep")));
  fs::remove(repo_.path("b/.otto/settings.toml"));
  EXPECT_THAT(found(), ElementsAre(repo_.path("a")));
}

TEST_F(RepoSearchTest, EnvironmentBeforeTheSearch) {
  search_.sut_dirs = "../../../b," + repo_.path("a").string() + ":";
  EXPECT_THAT(found(), ElementsAre(repo_.path("b"), repo_.path("a")));
  search_.sut_dirs = " :,: ";
  EXPECT_THAT(found(), ElementsAre(repo_.path("a")));
}

TEST_F(RepoSearchTest, OptionsBeforeTheEnvironment) {
  search_.sut_dirs = repo_.path("none").string();
  search_.repo_dirs = {"../..", repo_.path("b")};
  EXPECT_THAT(found(), ElementsAre(repo_.path("a"), repo_.path("b")));
}

TEST_F(RepoSearchTest, CountsARepoOnceUnderAllItsNames) {
  fs::create_directory_symlink(repo_.path("a"), repo_.path("alias"));
  search_.repo_dirs = {repo_.path("a"), repo_.path("alias"), repo_.path("a/./deep/..")};
  EXPECT_THAT(found(), ElementsAre(repo_.path("a")));
}

TEST_F(RepoSearchTest, RefusesNamedDirectoriesWithoutSettings) {
  search_.sut_dirs = repo_.path("none").string();
  EXPECT_EQ(failure(),
            "OTTO_SUT_DIRS: $ROOT/none holds no .otto/settings.toml\n"
            "hint: name a repo's root, the directory that holds .otto/settings.toml\n");
  search_.repo_dirs = {repo_.path("nowhere")};
  EXPECT_EQ(failure(),
            "--repo-dir: $ROOT/nowhere is no directory\nhint: name the directory that holds .otto/settings.toml\n");
  search_.repo_dirs = {repo_.path("a/.otto")};
  EXPECT_EQ(failure(), "--repo-dir: $ROOT/a/.otto holds no .otto/settings.toml\nhint: name the repo's root, $ROOT/a\n");
}

}  // namespace
}  // namespace otto::config

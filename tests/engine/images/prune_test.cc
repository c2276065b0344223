// What a survey makes of answers that a real engine gives only in passing; pruning itself is tested on real ones.
#include "engine/images/prune.h"

#include "tests/engine/parent/fake_docker.h"

namespace otto::images {
namespace {

constexpr const char* kListsTwo = "case \"$1 $2\" in\n'ps -aq') echo one; echo two ;;\n'container inspect') ";

Result<parent::PruneSurvey> survey(parent::FakeDocker& docker) {
  return survey_parent({docker.remote, docker.settings, docker.facts, {}}, {"veggies", {}, {}});
}

TEST(PruneSurveyTest, AContainerThatHasGoneMeanwhileUsesNothing) {
  parent::FakeDocker docker(
      kListsTwo + std::string("printf 'container\\tsha256:1\\tapi:1\\t/two\\n'\n"
                              "echo 'Error response from daemon: No such container: one' >&2; exit 1 ;;\nesac\n"));
  const auto found = survey(docker);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->users, (std::map<std::string, std::string>{{"sha256:1", "two"}, {"api:1", "two"}}));
}

TEST(PruneSurveyTest, AnyOtherFailureIsOne) {
  for (const std::string failure : {"echo 'Error response from daemon: No such container: one' >&2; echo 'Cannot "
                                    "connect to the Docker daemon' >&2; exit 1",
                                    "echo 'Error response from daemon: out of memory' >&2; exit 1", "exit 1"}) {
    parent::FakeDocker docker(kListsTwo + failure + " ;;\nesac\n");
    EXPECT_FALSE(survey(docker).ok()) << failure;
  }
  parent::FakeDocker docker("exit 1\n");
  EXPECT_FALSE(survey(docker).ok()) << "the list";
}

TEST(PruneSurveyTest, NoContainersUseNothing) {
  parent::FakeDocker docker("exit 0\n");
  const auto found = survey(docker);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_TRUE(found->users.empty());
}

}  // namespace
}  // namespace otto::images

#include "graph/base/account.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

namespace otto {
namespace {

TEST(Account, IsThatOfTheSystem) {
  const passwd* known = ::getpwuid(::getuid());
  if (known == nullptr) {
    EXPECT_FALSE(account().name.empty());
    EXPECT_EQ(account().word, std::to_string(::getuid()));
    return;
  }
  EXPECT_EQ(account().name, known->pw_name);
  EXPECT_EQ(account().home, known->pw_dir);
  EXPECT_EQ(account().word, known->pw_name);
}

TEST(Account, TildeIsItsHome) {
  EXPECT_EQ(expand_home("~"), home_directory());
  EXPECT_EQ(expand_home("~/x"), home_directory() + "/x");
  EXPECT_EQ(expand_home("~x/y"), "~x/y");
  EXPECT_EQ(expand_home("/~/x"), "/~/x");
}

}  // namespace
}  // namespace otto

// Labs over several repos: who chooses, what is found, and what is refused.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/config/hosts.h"
#include "tests/engine/config/config_fixture.h"

namespace otto::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

std::vector<std::string> ids(const std::vector<HostEntry>& hosts) {
  std::vector<std::string> ids;
  for (const HostEntry& host : hosts) ids.push_back(host.id);
  return ids;
}

class LabTest : public ::testing::Test {
 protected:
  void SetUp() override {
    add_repo("one", R"([{"ne": "pepper", "board": "seed", "ip": "h1", "labs": ["veggies"], "hop": "jump"},
 {"ne": "jump", "ip": "h2"},
 {"ne": "carrot", "ip": "h3", "labs": ["veggies", "roots"]}])");
    add_repo("two", R"([{"ne": "apple", "ip": "h4", "labs": ["fruits"]}])");
  }
  Settings& add_repo(const std::string& name, std::string_view hosts) {
    repo_.write(name + "/lab/hosts.json", hosts);
    repo_.write(name + "/.otto/settings.toml", "name = '" + name + "'\nlabs = ['lab']\n");
    auto settings = load_settings(repo_.path(name));
    OTTO_CHECK(settings.ok());
    return repos_.emplace_back(std::move(*settings));
  }
  Result<Lab> load() { return load_lab(repos_, choice_, warnings_); }
  std::string failure() {
    const Result<Lab> lab = load();
    return lab ? "accepted" : std::string(error_code_name(lab.error().code)) + "\n" + shown(repo_, lab.error());
  }

  TempRepo repo_;
  std::vector<Settings> repos_;
  LabChoice choice_;
  std::vector<std::string> warnings_;
};

TEST_F(LabTest, OptionBeforeEnvironmentBeforeDefault) {
  repos_[0].default_lab = "roots";
  EXPECT_THAT(load()->names, ElementsAre("roots"));
  choice_.environment = "fruits";
  EXPECT_THAT(load()->names, ElementsAre("fruits"));
  choice_.option = {"veggies"};
  EXPECT_THAT(load()->names, ElementsAre("veggies"));
}

TEST_F(LabTest, EmptyChoicesDoNotCount) {
  repos_[0].default_lab = "roots";
  choice_.environment = "";
  choice_.option = {" ", ","};
  EXPECT_THAT(load()->names, ElementsAre("roots"));
}

TEST_F(LabTest, MergesTheReposAndKeepsTheOthers) {
  choice_.option = {"fruits,veggies", "fruits"};
  const Result<Lab> lab = load();
  ASSERT_TRUE(lab) << lab.error().message;
  EXPECT_THAT(lab->names, ElementsAre("fruits", "veggies"));
  EXPECT_THAT(ids(lab->hosts), ElementsAre("apple", "carrot", "pepper_seed"));
  EXPECT_THAT(ids(lab->others), ElementsAre("jump"));
}

TEST_F(LabTest, DefaultsOfSeveralReposAddUp) {
  repos_[0].default_lab = "roots";
  repos_[1].default_lab = "fruits";
  EXPECT_THAT(ids(load()->hosts), ElementsAre("apple", "carrot"));
}

TEST_F(LabTest, TheOnlyLabNeedsNoChoice) {
  repos_.erase(repos_.begin());
  EXPECT_THAT(load()->names, ElementsAre("fruits"));
}

TEST_F(LabTest, NoLabAtAllIsThisMachine) {
  repos_.clear();
  const Result<Lab> lab = load();
  ASSERT_TRUE(lab) << lab.error().message;
  EXPECT_THAT(lab->names, IsEmpty());
  ASSERT_THAT(ids(lab->hosts), ElementsAre("local"));
  EXPECT_EQ(lab->hosts[0].term, transport::Protocol::kLocal);
  EXPECT_TRUE(lab->hosts[0].docker_capable);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(LabTest, HostsInNoLabAreWarnedOf) {
  repos_.clear();
  add_repo("three", R"([{"ne": "lonely", "ip": "h"}])");
  const Result<Lab> lab = load();
  ASSERT_TRUE(lab) << lab.error().message;
  EXPECT_THAT(ids(lab->hosts), ElementsAre("local"));
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(repo_.portable(warnings_[0]),
            "no host of $ROOT/three/lab/hosts.json is in a lab; only 'local' can be used (add \"labs\" to the hosts)");
  EXPECT_THAT(lab->get("lonely").error().message, HasSubstr("host 'lonely' is in no lab"));
}

TEST_F(LabTest, SeveralLabsWantAChoice) {
  EXPECT_EQ(failure(),
            "config\nno lab is chosen among fruits, roots, veggies\n"
            "hint: choose with --lab fruits, OTTO_LAB or default_lab in .otto/settings.toml\n");
}

TEST_F(LabTest, UnknownLabsAreNamedWithWhoAskedForThem) {
  choice_.option = {"vegies"};
  EXPECT_EQ(failure(),
            "unknown_name\n--lab: unknown lab 'vegies' … did you mean 'veggies'?\n"
            "hint: the labs are: fruits, roots, veggies\n");
  choice_ = {{}, "nuts"};
  EXPECT_EQ(failure(), "unknown_name\nOTTO_LAB: unknown lab 'nuts'\nhint: the labs are: fruits, roots, veggies\n");
  repo_.write("two/.otto/settings.toml", "name = 'two'\nlabs = ['lab']\ndefault_lab = 'fruit'\n");
  repos_[1] = *load_settings(repo_.path("two"));
  choice_ = {};
  EXPECT_EQ(failure(),
            "unknown_name\n$ROOT/two/.otto/settings.toml:3:15: unknown lab 'fruit' … did you mean 'fruits'?\n"
            "hint: the labs are: fruits, roots, veggies\n");
  repos_.clear();
  choice_ = {{"nuts"}, {}};
  EXPECT_THAT(failure(), HasSubstr("no repo names a lab: add labs = "));
}

TEST_F(LabTest, DuplicateIdsNameBothPlaces) {
  add_repo("three", "[\n {\"ne\": \"Apple\", \"ip\": \"h\"}]");
  EXPECT_EQ(failure(),
            "config\n$ROOT/three/lab/hosts.json:2:2: host 'apple' is declared twice, first at "
            "$ROOT/two/lab/hosts.json:1:2\n"
            "hint: ids are ne_board_neId_slot; give one of them another slot, or remove it\n");
}

TEST_F(LabTest, ADirectoryThatSeveralReposNameIsReadOnce) {
  fs::create_directory_symlink(repo_.path("two/lab"), repo_.path("shared"));
  repos_[0].labs = {repo_.path("shared"), repo_.path("two/lab")};
  EXPECT_THAT(ids(load()->hosts), ElementsAre("apple"));
}

TEST_F(LabTest, WrongHostsAreReportedWhicheverLabIsChosen) {
  add_repo("three", R"([{"ne": "x", "ip": "h", "labs": ["odd"], "hop": "jumb"}])");
  choice_.option = {"fruits"};
  EXPECT_EQ(failure(),
            "config\n$ROOT/three/lab/hosts.json:1:49: 'hop' of host 'x' names 'jumb', which no hosts.json declares … "
            "did you mean 'jump'?\nhint: hops are host ids: ne_board_neId_slot in lower case\n");
}

TEST_F(LabTest, HopCyclesAreNamedByPath) {
  add_repo("three", R"([{"ne": "in", "ip": "h", "hop": "a"}, {"ne": "a", "ip": "h", "hop": "b"},
 {"ne": "b", "ip": "h", "hop": "c"}, {"ne": "c", "ip": "h", "hop": "a"}])");
  choice_.option = {"fruits"};
  EXPECT_EQ(failure(),
            "config\n$ROOT/three/lab/hosts.json:1:69: the hops lead round: a → b → c → a\n"
            "hint: remove the \"hop\" of the host that is reached directly\n");
  repo_.write("three/lab/hosts.json", R"([{"ne": "me", "ip": "h", "hop": "me"}])");
  EXPECT_THAT(failure(), HasSubstr("the hops lead round: me → me"));
}

TEST_F(LabTest, OnlySshHostsAreHops) {
  add_repo("three", R"([{"ne": "t", "ip": "h", "term": "telnet"}, {"ne": "x", "ip": "h", "hop": "t"}])");
  choice_.option = {"fruits"};
  EXPECT_THAT(failure(), HasSubstr("'hop' of host 'x' names 't', which is not reached by ssh"));
}

TEST_F(LabTest, FindsHostsInAnyCase) {
  choice_.option = {"veggies"};
  const Result<Lab> lab = load();
  ASSERT_TRUE(lab) << lab.error().message;
  EXPECT_EQ(lab->find("Pepper_Seed"), &lab->hosts[1]);
  EXPECT_EQ(lab->find("jump"), nullptr);
  EXPECT_EQ((*lab->get("carrot"))->id, "carrot");
}

TEST_F(LabTest, UnknownHosts) {
  choice_.option = {"veggies"};
  const Result<Lab> lab = load();
  ASSERT_TRUE(lab) << lab.error().message;
  EXPECT_EQ(lab->get("peper_seed").error().code, ErrorCode::kUnknownName);
  EXPECT_EQ(shown(repo_, lab->get("peper_seed").error()),
            "unknown host 'peper_seed' … did you mean 'pepper_seed'?\nhint: the hosts are: carrot, pepper_seed\n");
  EXPECT_EQ(shown(repo_, lab->get("apple").error()),
            "host 'apple' is not in lab veggies, but in fruits\nhint: choose its lab: --lab fruits\n");
}

TEST_F(LabTest, ListsLabs) {
  EXPECT_THAT(*list_labs(repos_), ElementsAre("fruits", "roots", "veggies"));
  EXPECT_THAT(*list_labs({}), IsEmpty());
}

TEST_F(LabTest, AThousandHostsInOneChain) {
  std::string json = R"([{"ne": "h0", "ip": "h", "labs": ["many"]})";
  for (int i = 1; i < 1000; ++i) {
    json += fmt::format(R"(,{{"ne": "h{}", "ip": "h", "hop": "h{}", "labs": ["many"]}})", i, i - 1);
  }
  add_repo("three", json + "]");
  choice_.option = {"many"};
  const Result<Lab> lab = load();
  ASSERT_TRUE(lab) << lab.error().message;
  EXPECT_EQ(lab->hosts.size(), 1000u);
  const auto route = route_to(*lab, **lab->get("h999"), {});
  ASSERT_TRUE(route) << route.error().message;
  EXPECT_EQ(route->via.size(), 999u);
  EXPECT_EQ(route->via.front().id, "h0");
}

}  // namespace
}  // namespace otto::config

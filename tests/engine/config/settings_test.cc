// settings.toml: examples of whole files, every key, and the exact words of every refusal.
#include "engine/config/settings.h"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/engine/config/config_fixture.h"

namespace otto::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;
namespace fs = std::filesystem;

constexpr std::string_view kSeedExample = R"(name = "repo1"

[docker]
registry_url = "docker.io"   # optional; default. Non-default registries
                              # get prefixed onto image tags.

[[docker.images]]
name = "api"                              # short logical name
dockerfile = "${sutDir}/docker/api.Dockerfile"
context = "${sutDir}/docker"

[[docker.images]]
name = "db"
dockerfile = "${sutDir}/docker/db.Dockerfile"
context = "${sutDir}/docker"
build_args = { VERSION = "1.2.3" }       # optional; influences hash
target = "prod"                          # optional multi-stage target

[[docker.composes]]
path = "${sutDir}/docker/compose.yml"
default_host = "pepper_seed"             # lab host id; CLI --on overrides
services = ["api", "db"]                 # used for tab-completion only
)";

class SettingsTest : public ::testing::Test {
 protected:
  void SetUp() override { repo_.write_example_files(); }

  Result<Settings> load(std::string_view toml) {
    repo_.settings(toml);
    return load_settings(repo_.root());
  }
  std::string failure(std::string_view toml) {
    const Result<Settings> settings = load(toml);
    return settings ? "accepted" : shown(repo_, settings.error());
  }

  TempRepo repo_;
};

TEST_F(SettingsTest, ReadsTheSeedsExample) {
  const Result<Settings> settings = load(kSeedExample);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->name, "repo1");
  EXPECT_EQ(settings->root, repo_.root());
  EXPECT_EQ(settings->registry_url, "docker.io");
  EXPECT_THAT(settings->docker_command, ElementsAre("docker"));
  ASSERT_EQ(settings->images.size(), 2u);
  const ImageSettings& api = settings->images[0];
  EXPECT_EQ(api.name, "api");
  EXPECT_EQ(api.dockerfile, repo_.path("docker/api.Dockerfile"));
  EXPECT_EQ(api.context, repo_.path("docker"));
  EXPECT_THAT(api.build_args, IsEmpty());
  EXPECT_EQ(api.target, std::nullopt);
  EXPECT_EQ(api.where.line, 7u);
  const ImageSettings& db = settings->images[1];
  EXPECT_THAT(db.build_args, ElementsAre(Pair("VERSION", "1.2.3")));
  EXPECT_EQ(db.target, "prod");
  ASSERT_EQ(settings->composes.size(), 1u);
  EXPECT_EQ(settings->composes[0].path, repo_.path("docker/compose.yml"));
  EXPECT_EQ(settings->composes[0].default_host, "pepper_seed");
  EXPECT_THAT(settings->composes[0].services, ElementsAre("api", "db"));
}

TEST_F(SettingsTest, ReadsEveryOtherKey) {
  const ScopedVariable home("HOME", "/home/me");
  const Result<Settings> settings = load(R"(
name = "Repo1"
version = "1.0"
labs = ["lab"]
libs = ["${sutDir}/lib/"]
init = ["instructions"]
default_lab = "veggies"
[host_defaults.ssh_options]
port = 2222
identity_files = ["~/.ssh/lab", "keys/lab"]
known_hosts = "/etc/lab_hosts"
host_key_policy = "strict"
connect_timeout = 2.5
keepalive_interval = 0
use_ssh_config = false
[docker]
registry_url = "registry.example:5000/team/"
command = ["sudo", "-n", "docker"]
[[docker.images]]
name = "api"
dockerfile = "docker/api.Dockerfile"
context = "./docker/"
platform = "linux/arm64"
)");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->name, "repo1");
  EXPECT_EQ(settings->title, "Repo1");
  EXPECT_EQ(settings->version, "1.0");
  EXPECT_THAT(settings->labs, ElementsAre(repo_.path("lab")));
  EXPECT_THAT(settings->libs, ElementsAre(repo_.path("lib")));
  EXPECT_THAT(settings->init, ElementsAre("instructions"));
  EXPECT_EQ(settings->default_lab, "veggies");
  EXPECT_EQ(settings->default_lab_where.line, 7u);
  const SshOptions& ssh = settings->host_defaults;
  EXPECT_EQ(ssh.port, 2222);
  EXPECT_THAT(ssh.identity_files.value(), ElementsAre("/home/me/.ssh/lab", repo_.path("keys/lab").string()));
  EXPECT_THAT(ssh.known_hosts.value(), ElementsAre("/etc/lab_hosts"));
  EXPECT_EQ(ssh.host_key_policy, transport::HostKeyPolicy::kStrict);
  EXPECT_EQ(ssh.connect_timeout, std::chrono::milliseconds(2500));
  EXPECT_EQ(ssh.keepalive_interval, std::chrono::milliseconds(0));
  EXPECT_EQ(ssh.use_ssh_config, false);
  EXPECT_EQ(settings->registry_url, "registry.example:5000/team");
  EXPECT_THAT(settings->docker_command, ElementsAre("sudo", "-n", "docker"));
  EXPECT_EQ(settings->images[0].context, repo_.path("docker"));
  EXPECT_EQ(settings->images[0].platform, "linux/arm64");
}

TEST_F(SettingsTest, BuildArgsBecomeStringsAndKeepForeignVariables) {
  const Result<Settings> settings = load(R"(name = "repo1"
[[docker.images]]
name = "api"
dockerfile = "docker/api.Dockerfile"
context = "docker"
[docker.images.build_args]
COUNT = 3
DEBUG = true
EMPTY = ""
HOME_OF = "${sutDir}/x ${HOME} $PATH"
)");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_THAT(settings->images[0].build_args, ElementsAre(Pair("COUNT", "3"), Pair("DEBUG", "true"), Pair("EMPTY", ""),
                                                          Pair("HOME_OF", repo_.root().string() + "/x ${HOME} $PATH")));
}

TEST_F(SettingsTest, TakesByteOrderMarkCrlfAndUnicode) {
  repo_.write("dócker/ünï.Dockerfile", "FROM scratch\n");
  const Result<Settings> settings = load(
      "\xef\xbb\xbfname = 'repo1'\r\nversion = 'жук 🥕'\r\n[[docker.images]]\r\nname = 'api'\r\n"
      "dockerfile = 'dócker/ünï.Dockerfile'\r\ncontext = 'dócker'\r\n");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->version, "жук 🥕");
  EXPECT_EQ(settings->images[0].dockerfile, repo_.path("dócker/ünï.Dockerfile"));
}

TEST_F(SettingsTest, ColumnsCountCharacters) {
  EXPECT_THAT(failure("\xef\xbb\xbfname = 'repo1'\r\ndocker = { 'жук' = 1 }\r\n"),
              StartsWith("$ROOT/.otto/settings.toml:2:12: unknown key 'жук' in [docker]"));
}

TEST_F(SettingsTest, BadInputs) {
  check_golden("settings_errors.txt", 40, [&](const std::string& input) { return failure(input); });
}

TEST_F(SettingsTest, ControlCharactersAreShownEscaped) {
  EXPECT_THAT(failure("name = \"re\\u001b[31mpo\"\n"), HasSubstr("cannot be 're\\x1b[31mpo'"));
  EXPECT_THAT(failure("name = \"repo\\u0000\"\n"), HasSubstr("'name' holds a NUL character"));
}

TEST_F(SettingsTest, OneComposeFileMayServeTwoHosts) {
  const Result<Settings> settings = load(R"(name = "repo1"
[[docker.composes]]
path = "docker/compose.yml"
default_host = "Pepper_Seed"
[[docker.composes]]
path = "docker/compose.yml"
default_host = "carrot_seed"
)");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->composes[0].default_host, "pepper_seed");
}

TEST_F(SettingsTest, MissingUnreadableAndIrregularFiles) {
  const std::string file = repo_.path(".otto/settings.toml").string();
  EXPECT_EQ(load_settings(repo_.root()).error().message, file + ": no such file");
  fs::create_directories(file);
  EXPECT_EQ(load_settings(repo_.root()).error().message, file + ": not a regular file");
}

TEST_F(SettingsTest, HugeFilesAreRefusedAndLargeOnesRead) {
  const fs::path file = repo_.settings("name = 'repo1'\n");
  fs::resize_file(file, (std::uintmax_t{64} << 20) + 1);
  EXPECT_THAT(load_settings(repo_.root()).error().message, HasSubstr("are more than a configuration file holds"));
  std::string large = "name = 'repo1'\ninit = [\n";
  for (int i = 0; i < 20000; ++i) large += "  'instruction_" + std::to_string(i) + "',\n";
  const Result<Settings> settings = load(large + "]\n");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->init.size(), 20000u);
}

TEST_F(SettingsTest, DeepNestingIsRefusedNotFollowed) {
  EXPECT_THAT(failure("name = " + std::string(100000, '[')), StartsWith("$ROOT/.otto/settings.toml:1:"));
  std::string key = "\n[a";
  for (int i = 0; i < 100000; ++i) key += ".a";
  EXPECT_THAT(failure("name = 'repo1'" + key + "]\n"),
              StartsWith("$ROOT/.otto/settings.toml:2:1: a line with more than"));
}

TEST_F(SettingsTest, RootMayBeRelativeOrEndInASlash) {
  repo_.settings(kSeedExample);
  const Result<Settings> settings = load_settings(repo_.root().string() + "/docker/../");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->root, repo_.root());
}

}  // namespace
}  // namespace otto::config

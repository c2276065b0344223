// hosts.json: an example of a whole file, every key, positions, and the exact words of every refusal.
#include "engine/config/hosts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/engine/config/config_fixture.h"

namespace otto::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;
namespace fs = std::filesystem;

class HostsTest : public ::testing::Test {
 protected:
  Result<std::vector<HostEntry>> load(std::string_view json) {
    warnings_.clear();
    return load_hosts(repo_.write("lab/hosts.json", json), warnings_);
  }
  std::string failure(std::string_view json) {
    const auto hosts = load(json);
    return hosts ? "accepted" : shown(repo_, hosts.error());
  }

  TempRepo repo_;
  std::vector<std::string> warnings_;
};

TEST_F(HostsTest, ReadsTheSeedsExample) {
  const auto hosts = load(R"([{ "ne": "pepper", "board": "seed", "ip": "...", "creds": {},
  "docker_capable": true,
  "labs": ["veggies"] }])");
  ASSERT_TRUE(hosts) << hosts.error().message;
  ASSERT_EQ(hosts->size(), 1u);
  const HostEntry& host = hosts->front();
  EXPECT_EQ(host.id, "pepper_seed");
  EXPECT_EQ(host.ip, "...");
  EXPECT_TRUE(host.docker_capable);
  EXPECT_THAT(host.labs, ElementsAre("veggies"));
  EXPECT_EQ(host.term, transport::Protocol::kSsh);
  EXPECT_EQ(host.where.str(), repo_.path("lab/hosts.json").string() + ":1:2");
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(HostsTest, ReadsEveryOtherKey) {
  const ScopedVariable home("HOME", "/home/me");
  const auto hosts = load(R"([{
    "ne": "Pepper", "board": "Seed", "neId": 3, "slot": "B", "ip": "2001:db8::7",
    "creds": {"zoe": "s3cret", "adam": null, "eve": ""}, "user": "adam", "password_env": "LAB_PW",
    "hop": "Jump", "term": "telnet", "transfer": "nc", "docker_command": ["sudo", "docker"], "stage_dir": "/data/otto",
    "telnet_options": {"port": 2323, "connect_timeout": 1.5, "keepalive_interval": 0},
    "ssh_options": {"port": 2222, "identity_files": ["keys/id", "~/.ssh/id"], "known_hosts": ["/etc/kh"],
      "host_key_policy": "off", "connect_timeout": 0.25, "keepalive_interval": 3, "use_ssh_config": false}}])");
  ASSERT_TRUE(hosts) << hosts.error().message;
  const HostEntry& host = hosts->front();
  EXPECT_EQ(host.id, "pepper_seed_3_b");
  EXPECT_EQ(host.ip, "2001:db8::7");
  EXPECT_THAT(host.creds, ElementsAre(Pair("zoe", "s3cret"), Pair("adam", std::nullopt), Pair("eve", std::nullopt)));
  EXPECT_EQ(host.user, "adam");
  EXPECT_EQ(host.password_env, "LAB_PW");
  EXPECT_EQ(host.hop, "jump");
  EXPECT_EQ(host.hop_where.line, 4u);
  EXPECT_EQ(host.term, transport::Protocol::kTelnet);
  EXPECT_EQ(host.transfer, "nc");
  EXPECT_THAT(host.docker_command.value(), ElementsAre("sudo", "docker"));
  EXPECT_EQ(host.stage_dir, "/data/otto");
  EXPECT_FALSE(host.docker_capable);
  EXPECT_EQ(host.telnet_options.port, 2323);
  EXPECT_EQ(host.telnet_options.connect_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(host.telnet_options.keepalive_interval, std::chrono::milliseconds(0));
  EXPECT_EQ(host.ssh_options.port, 2222);
  EXPECT_THAT(host.ssh_options.identity_files.value(),
              ElementsAre(repo_.path("lab/keys/id").string(), "/home/me/.ssh/id"));
  EXPECT_EQ(host.ssh_options.host_key_policy, transport::HostKeyPolicy::kOff);
  EXPECT_EQ(host.ssh_options.connect_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(host.ssh_options.keepalive_interval, std::chrono::seconds(3));
  EXPECT_EQ(host.ssh_options.use_ssh_config, false);
}

TEST_F(HostsTest, NullMeansNotSet) {
  const auto hosts =
      load(R"([{"ne": "a", "board": null, "ip": "h", "hop": null, "creds": null, "ssh_options": null}])");
  ASSERT_TRUE(hosts) << hosts.error().message;
  EXPECT_EQ(hosts->front().id, "a");
  EXPECT_EQ(hosts->front().hop, "");
}

TEST_F(HostsTest, LocalHostsNeedNoAddress) {
  const auto hosts = load(R"([{"ne": "here", "term": "local", "docker_capable": true}])");
  ASSERT_TRUE(hosts) << hosts.error().message;
  EXPECT_EQ(hosts->front().term, transport::Protocol::kLocal);
}

TEST_F(HostsTest, TakesByteOrderMarkCrlfUnicodeAndEscapes) {
  const auto hosts = load(
      "\xef\xbb\xbf[\r\n{\"ne\": \"p\\u0065pper\", \"ip\": \"хост\",\r\n\"creds\": {\"u\": "
      "\"жук🥕\\\"\"}}]\r\n");
  ASSERT_TRUE(hosts) << hosts.error().message;
  EXPECT_EQ(hosts->front().id, "pepper");
  EXPECT_EQ(hosts->front().ip, "хост");
  EXPECT_THAT(hosts->front().creds, ElementsAre(Pair("u", "жук🥕\"")));
  EXPECT_EQ(hosts->front().where.line, 2u);
}

TEST_F(HostsTest, ColumnsCountCharacters) {
  EXPECT_THAT(failure("[{\"ne\": \"a\", \"ip\": \"хост🥕\", \"bord\": 1}]"),
              StartsWith("$ROOT/lab/hosts.json:1:29: unknown key 'bord' of a host … did you mean 'board'?"));
}

TEST_F(HostsTest, BadInputs) {
  check_golden("hosts_errors.txt", 50, [&](const std::string& input) {
    std::string json = input;
    if (json.ends_with('\n')) json.pop_back();
    return failure(json);
  });
}

TEST_F(HostsTest, BytesThatAreNoText) {
  EXPECT_EQ(failure("[\n  {\"ne\": \"жe\xff\"}]"),
            "$ROOT/lab/hosts.json:2:13: invalid JSON: this is not UTF-8\nhint: save the file as UTF-8\n");
  EXPECT_THAT(failure(std::string("[{\"ne\": \"a\0b\"}]", 16)), HasSubstr(":1:9: invalid JSON"));
  EXPECT_THAT(failure("[{\"ne\": \"a\\u0000b\"}]"), HasSubstr("'ne' of a host holds a NUL character"));
  EXPECT_THAT(failure("[{\"ne\": \"\\ud800\"}]"), HasSubstr(":1:9: invalid JSON: this string has a bad escape"));
}

TEST_F(HostsTest, WarnsOfPasswordsThatOthersCanRead) {
  const std::string json = R"([{"ne": "a", "ip": "h", "creds": {"root": "hunter2"}}])";
  const fs::path file = repo_.write("lab/hosts.json", json);
  fs::permissions(file, fs::perms(0640));
  std::vector<std::string> warnings;
  ASSERT_TRUE(load_hosts(file, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(repo_.portable(warnings[0]),
            "$ROOT/lab/hosts.json holds passwords and can be read by others (mode 0640); chmod 600 it, or use keys or "
            "password_env");
  fs::permissions(file, fs::perms(0600));
  warnings.clear();
  ASSERT_TRUE(load_hosts(file, warnings));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(HostsTest, PublicFilesWithoutPasswordsAreFine) {
  const fs::path file = repo_.write("lab/hosts.json", R"([{"ne": "a", "ip": "h", "creds": {"root": ""}}])");
  fs::permissions(file, fs::perms(0644));
  ASSERT_TRUE(load_hosts(file, warnings_));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(HostsTest, NoErrorShowsAPassword) {
  for (const std::string creds :
       {R"({"root": "hunter2"}, "ip": 7)", R"({"root" "hunter2"})", R"({"root": 'hunter2'})", R"({"root": hunter2})",
        R"({"root": "hunter2", "root": "hunter2"})", R"({"root": ["hunter2"]})", R"("hunter2")", R"({"root": "hunter2)",
        R"({"root": "hunter2\n"})", R"({"root": "hun\ter2\x"})", R"({"root": "a" "hunter2"})"}) {
    const std::string text = failure(R"([{"ne": "a", "creds": )" + creds + "}]");
    EXPECT_THAT(text, ::testing::Not(HasSubstr("hunter2"))) << text;
    EXPECT_THAT(text, StartsWith("$ROOT/lab/hosts.json:1:")) << creds;
  }
  EXPECT_THAT(failure(R"([{"ne": "a", "ip": "h", "password_env": "$hunter2!"}])"),
              ::testing::Not(HasSubstr("hunter2")));
}

TEST_F(HostsTest, DeepNestingIsRefusedNotFollowed) {
  EXPECT_THAT(failure(std::string(100000, '[') + std::string(100000, ']')),
              HasSubstr(":1:65: invalid JSON: nested more than 64 deep"));
}

TEST_F(HostsTest, ManyHosts) {
  std::string json = "[";
  for (int i = 0; i < 1000; ++i) {
    json += fmt::format("{}\n{{\"ne\": \"host\", \"slot\": {}, \"ip\": \"192.0.2.{}\", \"labs\": [\"veggies\"]}}",
                        i == 0 ? "" : ",", i, i % 250);
  }
  const auto hosts = load(json + "\n]\n");
  ASSERT_TRUE(hosts) << hosts.error().message;
  ASSERT_EQ(hosts->size(), 1000u);
  EXPECT_EQ(hosts->back().id, "host_999");
  EXPECT_EQ(hosts->back().where.line, 1001u);
}

TEST_F(HostsTest, MissingFile) {
  const auto hosts = load_hosts(repo_.path("none/hosts.json"), warnings_);
  ASSERT_FALSE(hosts);
  EXPECT_EQ(hosts.error().code, ErrorCode::kConfig);
  EXPECT_EQ(repo_.portable(hosts.error().message), "$ROOT/none/hosts.json: no such file");
}

}  // namespace
}  // namespace otto::config

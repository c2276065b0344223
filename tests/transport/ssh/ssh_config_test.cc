// What `ssh -G` prints, and how it is merged under hosts.json; a ProxyJump and a ProxyCommand walked for real.
#include "transport/ssh/ssh_config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "graph/base/account.h"
#include "graph/base/whole_file.h"
#include "tests/support/sshd_fixture.h"
#include "tests/support/temp_tree.h"
#include "tests/transport/exec_helpers.h"
#include "transport/ssh/hop_chain.h"
#include "transport/ssh/ssh_answer.h"

namespace otto::transport {
namespace {

using std::chrono::milliseconds;

Address address_of(std::string host = "leek") {
  Address address;
  address.id = "pepper_seed";
  address.host = std::move(host);
  return address;
}

TEST(SshConfig, ParsesWhatSshPrints) {
  const SshConfig config = parse_ssh_config(
      "user lab\nhostname 10.0.0.7\nport 2222\nidentityfile ~/.ssh/a\nidentityfile ~/.ssh/b\nidentitiesonly yes\n"
      "identityagent SSH_AUTH_SOCK\nproxyjump g@gate:33,h\nhostkeyalias leek.lab\nstricthostkeychecking accept-new\n"
      "userknownhostsfile /a/one \"/b/two words\"\nglobalknownhostsfile /etc/known\nconnecttimeout 7\n"
      "serveraliveinterval 30\nsomethingnew yes\nproxycommand none\n\n");
  EXPECT_EQ(config.user, "lab");
  EXPECT_EQ(config.hostname, "10.0.0.7");
  EXPECT_EQ(config.port, 2222);
  EXPECT_EQ(config.identity_files, (std::vector<std::string>{"~/.ssh/a", "~/.ssh/b"}));
  EXPECT_TRUE(config.identities_only);
  EXPECT_EQ(config.identity_agent, "SSH_AUTH_SOCK");
  EXPECT_EQ(config.proxy_jump, "g@gate:33,h");
  EXPECT_EQ(config.proxy_command, std::nullopt);
  EXPECT_EQ(config.host_key_alias, "leek.lab");
  EXPECT_EQ(config.host_key_policy, HostKeyPolicy::kAcceptNew);
  EXPECT_EQ(config.user_known_hosts, (std::vector<std::string>{"/a/one", "/b/two words"}));
  EXPECT_EQ(config.global_known_hosts, (std::vector<std::string>{"/etc/known"}));
  EXPECT_EQ(config.connect_timeout, milliseconds(7000));
  EXPECT_EQ(config.keepalive_interval, milliseconds(30000));
}

TEST(SshConfig, UsersOfADomainVariablesInPathsAndFilesWithBlanks) {
  otto::testing::TempTree tree;
  tree.write("with blank/known", "");
  ::setenv("OTTO_TEST_KEYS", tree.root().c_str(), 1);
  const auto merged = merge_config(
      address_of(), parse_ssh_config("user CORP\\joe\nidentityfile ${OTTO_TEST_KEYS}/key\nidentityfile ${OTTO_NONE}/k\n"
                                     "userknownhostsfile " +
                                     tree.path("with blank/known").string() + " /other /not yet/there ~/x\n"));
  ::unsetenv("OTTO_TEST_KEYS");
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_EQ(merged->user, "CORP\\joe");
  EXPECT_EQ(merged->identity_files, (std::vector<std::string>{tree.path("key").string(), "${OTTO_NONE}/k"}));
  EXPECT_EQ(std::vector(merged->known_hosts.begin(), merged->known_hosts.begin() + 3),
            (std::vector<std::string>{tree.path("with blank/known").string(), "/other", "/not yet/there"}));
  for (const char* user : {"-oX", "a`id`", "a;b", "joe\\"}) {
    EXPECT_FALSE(merge_config(address_of(), parse_ssh_config(std::string("user ") + user + "\n")).ok()) << user;
  }
}

TEST(SshConfig, WhatItDoesNotSayIsUnset) {
  const SshConfig config =
      parse_ssh_config("connecttimeout none\nserveraliveinterval 0\nstricthostkeychecking ask\nidentityfile none\n");
  EXPECT_EQ(config.connect_timeout, std::nullopt);
  EXPECT_EQ(config.keepalive_interval, std::nullopt);
  EXPECT_EQ(config.host_key_policy, std::nullopt);
  EXPECT_TRUE(config.identity_files.empty());
  for (const auto& [word, policy] :
       {std::pair{"true", HostKeyPolicy::kStrict}, std::pair{"yes", HostKeyPolicy::kStrict},
        std::pair{"false", HostKeyPolicy::kOff}, std::pair{"no", HostKeyPolicy::kOff}}) {
    EXPECT_EQ(parse_ssh_config(std::string("stricthostkeychecking ") + word + "\n").host_key_policy, policy) << word;
  }
}

TEST(SshConfig, WhatChangesSafetyOrReachabilityCounts) {
  const auto merged =
      merge_config(address_of(),
                   parse_ssh_config("revokedhostkeys ~/.ssh/revoked-%h\npubkeyauthentication no\nbindaddress 10.0.0.9\n"
                                    "addressfamily inet6\nidentityfile ~/.ssh/a\nhostname leek.lab\n"));
  ASSERT_TRUE(merged.ok());
  ASSERT_TRUE(merged->revoked_host_keys);
  EXPECT_TRUE(merged->revoked_host_keys->ends_with("/.ssh/revoked-leek.lab")) << *merged->revoked_host_keys;
  EXPECT_TRUE(merged->identity_files.empty());
  EXPECT_EQ(merged->agent_socket, std::nullopt);
  EXPECT_EQ(merged->local_end.address, "10.0.0.9");
  EXPECT_EQ(merged->local_end.family, AddressFamily::kIpv6);
  const auto plain = merge_config(
      address_of(),
      parse_ssh_config("revokedhostkeys none\npubkeyauthentication true\nbindaddress none\naddressfamily any\n"));
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->revoked_host_keys, std::nullopt);
  EXPECT_EQ(plain->local_end.address, std::nullopt);
  EXPECT_EQ(plain->local_end.family, AddressFamily::kAny);
  Address named = address_of();
  named.identity_files = {"/k"};
  EXPECT_EQ(merge_config(named, parse_ssh_config("pubkeyauthentication no\n"))->identity_files, named.identity_files);
}

TEST(SshConfig, HostsJsonWinsKeyByKey) {
  const SshConfig config = parse_ssh_config(
      "user lab\nhostname 10.0.0.7\nport 2222\nidentityfile ~/.ssh/a\nstricthostkeychecking yes\nconnecttimeout 7\n"
      "userknownhostsfile /a/one\n");
  auto merged = merge_config(address_of(), config);
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(merged->host, "10.0.0.7");
  EXPECT_EQ(merged->port, 2222);
  EXPECT_EQ(merged->user, "lab");
  EXPECT_EQ(merged->identity_files, (std::vector<std::string>{home_directory() + "/.ssh/a"}));
  EXPECT_FALSE(merged->identities_named);
  EXPECT_EQ(merged->host_key_policy, HostKeyPolicy::kStrict);
  EXPECT_EQ(merged->connect_timeout, milliseconds(7000));
  EXPECT_EQ(merged->keepalive_interval, milliseconds(15000));
  EXPECT_EQ(merged->known_hosts, (std::vector<std::string>{"/a/one"}));
  EXPECT_EQ(merged->key_name, "[10.0.0.7]:2222");
  EXPECT_EQ(merged->describe(), "'pepper_seed' (10.0.0.7:2222)");

  Address address = address_of();
  address.port = 22;
  address.user = "me";
  address.identity_files = {"/k"};
  address.host_key_policy = HostKeyPolicy::kOff;
  address.connect_timeout = milliseconds(5);
  address.keepalive_interval = milliseconds(0);
  address.known_hosts = {"/known"};
  merged = merge_config(address, config);
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(merged->port, 22);
  EXPECT_EQ(merged->user, "me");
  EXPECT_EQ(merged->identity_files, (std::vector<std::string>{"/k"}));
  EXPECT_TRUE(merged->identities_named);
  EXPECT_EQ(merged->host_key_policy, HostKeyPolicy::kOff);
  EXPECT_EQ(merged->connect_timeout, milliseconds(5));
  EXPECT_EQ(merged->keepalive_interval, milliseconds(0));
  EXPECT_EQ(merged->known_hosts, (std::vector<std::string>{"/known"}));
  EXPECT_EQ(merged->key_name, "10.0.0.7");
}

TEST(SshConfig, DefaultsWithoutSsh) {
  const auto merged = merge_config(address_of("LEEK.lab"), default_ssh_config("LEEK.lab", "/home/me"));
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ(merged->port, 22);
  EXPECT_EQ(merged->host_key_policy, HostKeyPolicy::kAcceptNew);
  EXPECT_EQ(merged->connect_timeout, milliseconds(10000));
  EXPECT_EQ(merged->identity_files.front(), home_directory() + "/.ssh/id_rsa");
  EXPECT_EQ(merged->known_hosts.front(), "/home/me/.ssh/known_hosts");
  EXPECT_EQ(merged->key_name, "leek.lab");
}

TEST(SshConfig, AliasesAgentsAndTokens) {
  ::setenv("SSH_AUTH_SOCK", "/run/standard", 1);
  ::setenv("MY_AGENT", "/run/mine", 1);
  const auto merged = [](const std::string& text) {
    const SshConfig config = parse_ssh_config("hostname 10.0.0.7\nuser lab\nport 2222\n" + text);
    auto result = merge_config(address_of(), config);
    EXPECT_TRUE(result.ok());
    return std::move(result).value();
  };
  EXPECT_EQ(merged("hostkeyalias leek.lab\n").key_name, "leek.lab");
  EXPECT_EQ(merged("").agent_socket, "/run/standard");
  EXPECT_EQ(merged("identityagent SSH_AUTH_SOCK\n").agent_socket, "/run/standard");
  EXPECT_EQ(merged("identityagent none\n").agent_socket, std::nullopt);
  EXPECT_EQ(merged("identityagent $MY_AGENT\n").agent_socket, "/run/mine");
  EXPECT_EQ(merged("identityagent ${MY_AGENT}\n").agent_socket, "/run/mine");
  EXPECT_EQ(merged("identityagent /run/%r-%h\n").agent_socket, "/run/lab-10.0.0.7");
  char name[256] = {};
  ASSERT_EQ(::gethostname(name, sizeof name - 1), 0);
  const std::string host = name;
  EXPECT_EQ(merged("identityfile /k_%l_%L\n").identity_files.front(),
            "/k_" + host + "_" + host.substr(0, host.find('.')));
  EXPECT_EQ(merged("identityfile %d/k_%n_%p_%%\n").identity_files.front(), home_directory() + "/k_leek_2222_%");
  EXPECT_EQ(merged("proxycommand nc -X %h %p\n").proxy_command, "nc -X 10.0.0.7 2222");
  ::unsetenv("SSH_AUTH_SOCK");
  ::unsetenv("MY_AGENT");
}

TEST(SshConfig, AProxyThatCannotBeUsedIsRefused) {
  const SshConfig config = parse_ssh_config("hostname x\nproxycommand helper\nproxyusefdpass yes\n");
  const auto merged = merge_config(address_of(), config);
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().code, ErrorCode::kConfig);
  EXPECT_NE(merged.error().message.find("ProxyUseFdpass"), std::string::npos);
}

TEST(SshConfig, OddNamesFromTheConfigurationAreRefused) {
  for (const char* text : {"hostname -x\n", "hostname a;b\n", "user -x\nhostname a\n"}) {
    const SshConfig config = parse_ssh_config(text);
    EXPECT_FALSE(merge_config(address_of(), config).ok()) << text;
  }
}

TEST(ProxyJump, Spellings) {
  const auto jumps = parse_proxy_jump("gate, me@[2001:db8::1]:33,ssh://you@c:44,2001:db8::2", address_of());
  ASSERT_TRUE(jumps.ok());
  ASSERT_EQ(jumps->size(), 4U);
  EXPECT_EQ((*jumps)[0].host, "gate");
  EXPECT_EQ((*jumps)[0].user, std::nullopt);
  EXPECT_EQ((*jumps)[0].port, std::nullopt);
  EXPECT_EQ((*jumps)[1].id, "me@[2001:db8::1]:33");
  EXPECT_EQ((*jumps)[1].host, "2001:db8::1");
  EXPECT_EQ((*jumps)[1].user, "me");
  EXPECT_EQ((*jumps)[1].port, 33);
  EXPECT_EQ((*jumps)[2].host, "c");
  EXPECT_EQ((*jumps)[2].port, 44);
  EXPECT_EQ((*jumps)[3].host, "2001:db8::2");
  for (const char* bad : {"a,,b", "a:0", "a:x", "me@"}) EXPECT_FALSE(parse_proxy_jump(bad, address_of()).ok()) << bad;
}

/// A program called ssh, first in PATH, that answers -G from a file per host.
class FakeSsh : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::getenv("PATH");
    tree_.write("ssh",
                "#!/bin/sh\nfor last; do :; done\necho \"$*\" >>" + tree_.path("asked").string() + "\ncat " +
                    tree_.root().string() + "/config.$last\n",
                0755);
    ::setenv("PATH", (tree_.root().string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }
  static std::string config_of(const testing::SshdFixture& sshd) {
    const Address address = sshd.address();
    return "hostname 127.0.0.1\nport " + std::to_string(sshd.port()) + "\nuser " + *address.user + "\nidentityfile " +
           address.identity_files.front() + "\nuserknownhostsfile " + address.known_hosts.front() + "\n";
  }

  std::string path_;
  testing::TempTree tree_;
};

TEST_F(FakeSsh, IsAskedWithWhatHostsJsonSays) {
  tree_.write("config.leek", "hostname 10.0.0.7\nport 22\nuser lab\n");
  Address address = address_of();
  address.port = 2200;
  address.user = "me";
  const auto resolved = resolve_host(address, nullptr, {});
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(resolved->host, "10.0.0.7");
  EXPECT_EQ(*read_small_file(tree_.path("asked")), "-G -p 2200 -l me -- leek\n");
  address.use_ssh_config = false;
  ASSERT_TRUE(resolve_host(address, nullptr, {}).ok());
  EXPECT_EQ(*read_small_file(tree_.path("asked")), "-G -p 2200 -l me -- leek\n");
}

TEST_F(FakeSsh, ItsComplaintIsPassedOn) {
  tree_.write("ssh", "#!/bin/sh\necho 'line 3: Bad configuration option: foo' >&2\nexit 255\n", 0755);
  const auto resolved = resolve_host(address_of(), nullptr, {});
  ASSERT_FALSE(resolved.ok());
  EXPECT_EQ(resolved.error().code, ErrorCode::kConfig);
  EXPECT_NE(resolved.error().message.find("line 3: Bad configuration option: foo"), std::string::npos);
}

TEST_F(FakeSsh, AJumpBecomesAHopAndMayHaveItsOwn) {
  testing::SshdFixture gate;
  testing::SshdFixture middle;
  testing::SshdFixture target;
  tree_.write("config.leek", config_of(target) + "proxyjump middle\n");
  tree_.write("config.middle", config_of(middle) + "proxyjump gate\n");
  tree_.write("config.gate", config_of(gate));
  const auto route = resolve_route(Route{{}, address_of()}, nullptr, {});
  ASSERT_TRUE(route.ok());
  EXPECT_EQ(route->size(), 3U);
  const auto transport = testing::connect_or_fail(Route{{}, address_of()});
  ASSERT_NE(transport, nullptr);
  EXPECT_EQ(run_line(*transport, "echo $HOME").out, target.home().string() + "\n");

  Address named = gate.address("leek_gate");  // the route's own hops replace those of ~/.ssh/config
  const auto replaced = resolve_route(Route{{named}, address_of()}, nullptr, {});
  ASSERT_TRUE(replaced.ok());
  EXPECT_EQ(replaced->size(), 2U);
}

TEST_F(FakeSsh, PortsOfOneMachineAreHopsOfTheirOwn) {
  tree_.write("config.leek", "hostname 10.0.0.1\nproxyjump u@gw:1,u@gw:2\n");
  tree_.write("config.gw", "hostname gw\n");
  const auto route = resolve_route(Route{{}, address_of()}, nullptr, {});
  ASSERT_TRUE(route.ok()) << route.error().message;
  ASSERT_EQ(route->size(), 3U);
  EXPECT_EQ((*route)[0].port, 1);
  EXPECT_EQ((*route)[1].port, 2);
  tree_.write("config.leek", "hostname 10.0.0.1\nproxyjump u@gw:1,v@gw:1,u@gw:1\n");
  EXPECT_FALSE(resolve_route(Route{{}, address_of()}, nullptr, {}).ok());
}

TEST_F(FakeSsh, JumpsInACircleAreRefused) {
  tree_.write("config.leek", "hostname 10.0.0.1\nproxyjump gate\n");
  tree_.write("config.gate", "hostname 10.0.0.2\nproxyjump leek\n");
  const auto route = resolve_route(Route{{}, address_of()}, nullptr, {});
  ASSERT_FALSE(route.ok());
  EXPECT_EQ(route.error().code, ErrorCode::kConfig);
}

TEST_F(FakeSsh, AProxyCommandIsRun) {
  testing::SshdFixture gate;
  testing::SshdFixture target;
  const Address through = gate.address();
  tree_.write("config.leek", config_of(target) + "proxycommand /usr/bin/ssh -F none -i " +
                                 through.identity_files.front() +
                                 " -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p " +
                                 std::to_string(gate.port()) + " -W %h:%p 127.0.0.1\n");
  const auto transport = testing::connect_or_fail(Route{{}, address_of()});
  ASSERT_NE(transport, nullptr);
  EXPECT_EQ(run_line(*transport, "echo $HOME").out, target.home().string() + "\n");
  EXPECT_NE(gate.log().find("Accepted publickey"), std::string::npos);
}

TEST_F(FakeSsh, AProxyCommandThatFailsIsNoConnection) {
  tree_.write("config.leek", "hostname 10.0.0.1\nproxycommand false\n");
  const auto transport = connect(Route{{}, address_of()}, {});
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().code, ErrorCode::kUnreachable);
}

}  // namespace
}  // namespace otto::transport

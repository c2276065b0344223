// What is taken for silent, held against what the real ssh makes of the same files.
#include "transport/ssh/ssh_config_files.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "graph/base/account.h"
#include "tests/support/temp_tree.h"
#include "transport/os/subprocess.h"
#include "transport/ssh/ssh_config.h"

namespace otto::transport {
namespace {

class SshConfigFilesTest : public ::testing::Test {
 protected:
  SshConfigFilesTest() {
    write_system("# the distribution's\nInclude " + tree_.path("ssh_config.d").string() +
                 "/*.conf\n\nHost *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n");
  }

  void write_user(std::string_view text, mode_t mode = 0600) { tree_.write(".ssh/config", text, mode); }
  void write_system(std::string_view text) { tree_.write("ssh_config", text); }
  SshConfigReading read(std::string_view host = "leek.lab") { return read_ssh_config_files(files_, host); }
  bool is_silent(std::string_view host = "leek.lab") { return read(host).from == SshAnswerFrom::kDefaults; }

  /// What the real ssh answers with the user's file alone.
  SshConfig asked(const std::string& host) const {
    const auto output = run_and_collect({"/usr/bin/ssh", "-F", files_.user, "-G", "--", host},
                                        Clock::now() + std::chrono::seconds(30), {});
    EXPECT_TRUE(output.ok() && output->wait_status == 0) << (output.ok() ? output->err : output.error().message);
    return output.ok() ? parse_ssh_config(output->out) : SshConfig{};
  }

  testing::TempTree tree_;
  SshConfigFiles files_{"/usr/bin/ssh", tree_.root().string(), tree_.path(".ssh/config"), tree_.path("ssh_config")};
};

void expect_same(const SshConfig& defaults, SshConfig answered) {
  std::erase_if(answered.identity_files, [](const std::string& file) {
    return file == "~/.ssh/id_xmss" || file == "~/.ssh/id_dsa";  // not in every version; of no use to otto
  });
  Address address;
  address.id = address.host = defaults.hostname;
  const auto ours = merge_config(address, defaults);
  const auto theirs = merge_config(address, answered);
  ASSERT_TRUE(ours.ok() && theirs.ok());
  EXPECT_EQ(ours->describe(), theirs->describe());
  EXPECT_EQ(ours->user, theirs->user);
  EXPECT_EQ(ours->identity_files, theirs->identity_files);
  EXPECT_EQ(ours->identities_only, theirs->identities_only);
  EXPECT_EQ(ours->agent_socket, theirs->agent_socket);
  EXPECT_EQ(ours->key_name, theirs->key_name);
  EXPECT_EQ(ours->known_hosts, theirs->known_hosts);
  EXPECT_EQ(ours->host_key_policy, theirs->host_key_policy);
  EXPECT_EQ(ours->connect_timeout, theirs->connect_timeout);
  EXPECT_EQ(ours->keepalive_interval, theirs->keepalive_interval);
  EXPECT_TRUE(theirs->proxy_jumps.empty());
  EXPECT_EQ(theirs->proxy_command, std::nullopt);
}

TEST_F(SshConfigFilesTest, WhereTheyAreSilentSshAnswersItsDefaults) {
  tree_.write("more/a.conf", "Compression yes\nHost other\n  User nobody\n");
  for (const std::string& text : {
           std::string("# nothing\n\n   \n"),
           std::string("Host *\n  ForwardAgent no\n\tServerAliveCountMax 4\r\n"),
           std::string("Host other\n  User me\n  ProxyJump gate\nHost 10.* b?d\n  IdentityFile ~/k\n"),
           std::string("HOST=other\nPort = 2222\nhost *.lan\nIdentitiesOnly yes"),
           "Host *\nInclude " + tree_.path("more").string() + "/*.conf\nInclude " + tree_.path("none").string() +
               "/*\n",
       }) {
    write_user(text);
    for (const std::string host : {"leek.lab", "192.0.2.7", "Leek", "2001:db8::1", "a_b-c"}) {
      EXPECT_TRUE(is_silent(host)) << host << ":\n" << text;
      expect_same(default_ssh_config(host, account().home), asked(host));
    }
  }
}

TEST_F(SshConfigFilesTest, WhatCouldCountIsNoDefault) {
  EXPECT_TRUE(is_silent()) << "without a file of the user's";
  tree_.write(".ssh/lab.conf", "User lab\n");
  tree_.write(".ssh/other.conf", "Host leek.lab\nPort 2222\n");
  for (const std::string text : {
           "User me\n",
           "Host *\nStrictHostKeyChecking no\n",
           "Host other LEEK.*\n  HostName 10.0.0.7\n",
           "Host other\nHost leek.lab\nPort=22\n",
           "Host * !leek.lab\nUser me\n",
           "Host !leek.lab\nUser me\n",
           "Host [l]eek\nUser me\n",
           "Match all\nForwardAgent no\n",
           "match !host other originalhost leek.lab,x user me localuser you\nUser me\n",
           "Include lab.conf\n",
           "Include other.conf\n",
           "Host *\n  Include ~/.ssh/*.conf\n",
           "Host other\nIdentityAgent $HOME/agent\nHost *\nUser me\n",
       }) {
    write_user(text);
    EXPECT_EQ(read().from, SshAnswerFrom::kFiles) << text;
  }
  write_user("Host other\nInclude lab.conf\n");
  EXPECT_TRUE(is_silent()) << "an Include of another host";
}

TEST_F(SshConfigFilesTest, WhatMayBeAnotherAnswerEachTimeIsAsked) {
  for (const std::string text : {
           "Host \"leek.lab\"\nUser me\n",
           "Host\n",
           "Match exec false\n",
           "Match host leek.lab exec \"true\"\n",
           "Match canonical\n",
           "Match final all\n",
           "Match localnetwork 10.0.0.0/8\n",
           "Match tagged x\n",
           "Match host\n",
           "Match host=leek.lab\n",
           "Match\n",
           "CanonicalizeHostname yes\n",
           "NoSuchKey yes\n",
           "Host other\nNoSuchKey yes\n",
           "IdentityAgent $AGENT\n",
           "Host *\nUserKnownHostsFile ${HOME}/known\n",
           "Include ~root/x\n",
           "Include ${HOME}/x\n",
           "Include \"x\"\n",
           "Include config\n",
       }) {
    write_user(text);
    EXPECT_EQ(read().from, SshAnswerFrom::kMore) << text;
  }
  write_user("User me\n");
  for (const char* host : {"", "me@leek", "ssh://leek:22", "leek%h"}) {
    EXPECT_EQ(read(host).from, SshAnswerFrom::kMore) << host;
  }
}

TEST_F(SshConfigFilesTest, WhatIsReadIsAllThatTheAnswerFollowsFrom) {
  tree_.write(".ssh/lab.conf", "User lab\n");
  write_user("Host *\nInclude *.conf\n");
  const std::string before = read().content;
  EXPECT_EQ(read().content, before);
  const auto changes = [&](const char* what) {
    const std::string now = read().content;
    EXPECT_NE(now, before) << what;
    return now;
  };
  tree_.write(".ssh/lab.conf", "User lib\n");
  changes("an included file's content");
  tree_.write(".ssh/lab.conf", "User lab\n");
  EXPECT_EQ(read().content, before);
  tree_.write(".ssh/more.conf", "");
  changes("one file more");
  tree_.remove(".ssh/more.conf");
  write_system("Host *\nUser you\n");
  changes("the system's");
  // Where one file ends and the next begins.
  write_system("");
  tree_.write(".ssh/lab.conf", "User lab\nPort 1\n");
  tree_.write(".ssh/more.conf", "Port 2\n");
  const std::string one = read().content;
  tree_.write(".ssh/lab.conf", "User lab\n");
  tree_.write(".ssh/more.conf", "Port 1\nPort 2\n");
  EXPECT_NE(read().content, one);
}

TEST_F(SshConfigFilesTest, TheSystemsCountToo) {
  tree_.write("ssh_config.d/50-site.conf", "Host *.lab\n  ProxyJump gate\n");
  EXPECT_FALSE(is_silent("leek.lab"));
  EXPECT_TRUE(is_silent("leek.lan"));
  write_system("Include ssh_config.d/*.conf\n");
  EXPECT_FALSE(is_silent("leek.lab")) << "relative to the system's folder";
  tree_.remove("ssh_config");
  EXPECT_FALSE(is_silent("leek.lan")) << "where the distribution has them elsewhere";
}

TEST_F(SshConfigFilesTest, AFileThatSshCouldRefuseIsAsked) {
  write_user("Host *\n", 0620);
  EXPECT_FALSE(is_silent());
  tree_.chmod(".ssh/config", 0600);
  EXPECT_TRUE(is_silent());
  tree_.remove(".ssh/config");
  tree_.make_directory(".ssh/config");
  EXPECT_FALSE(is_silent());
}

TEST_F(SshConfigFilesTest, OnlyTheDistributionsSshIsKnown) {
  const std::string path = ::getenv("PATH");
  tree_.write("bin/ssh", "#!/bin/sh\n", 0755);
  ::setenv("PATH", (tree_.path("bin").string() + ":" + path).c_str(), 1);
  EXPECT_FALSE(find_ssh_config_files().has_value());
  ::setenv("PATH", "/usr/bin", 1);
  const auto files = find_ssh_config_files();
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(files->user, account().home + "/.ssh/config");
  EXPECT_EQ(files->system, "/etc/ssh/ssh_config");
}

}  // namespace
}  // namespace otto::transport

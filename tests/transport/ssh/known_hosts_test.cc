// known_hosts lines, without a host.
#include "transport/ssh/known_hosts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_tree.h"

namespace otto::transport {
namespace {

constexpr std::string_view kEd = "AAAAC3NzaC1lZDI1NTE5AAAAIEdHkQhJ0uJ8Yp3lCNkSP1Kp8mQ3e5Yw1YQeZ0mZ8sXn";
constexpr std::string_view kOther = "AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBJ0uJ8Yp3lCNkSP1Kp8mQ3e5Yw1YQeZ0mZ8sXn";
constexpr std::string_view kRsa = "AAAAB3NzaC1yc2EAAAADAQABAAABgQDx";

std::string ed(std::string_view names, std::string_view key = kEd) {
  return std::string(names) + " ssh-ed25519 " + std::string(key) + " comment\n";
}

class KnownHostsFile : public ::testing::Test {
 protected:
  KeyCheck check(const std::string& content, const std::string& name, std::string_view key = kEd) {
    tree_.write("known_hosts", content);
    return KnownHosts::read({file(), "/nowhere"}, name).check("ssh-ed25519", key);
  }
  [[nodiscard]] std::string file() const { return tree_.path("known_hosts").string(); }
  testing::TempTree tree_;
};

TEST_F(KnownHostsFile, PlainNames) {
  EXPECT_EQ(check(ed("leek"), "leek").verdict, KeyVerdict::kMatch);
  EXPECT_EQ(check(ed("Leek,10.0.0.1"), "leek").verdict, KeyVerdict::kMatch);
  EXPECT_EQ(check(ed("leek"), "leek2").verdict, KeyVerdict::kUnknown);
  EXPECT_EQ(check("", "leek").verdict, KeyVerdict::kUnknown);
}

TEST_F(KnownHostsFile, TellsTheLineThatContradicts) {
  const KeyCheck found = check("# comment\n\nbroken line\n" + ed("leek", kOther), "leek");
  EXPECT_EQ(found.verdict, KeyVerdict::kChanged);
  EXPECT_EQ(found.file, file());
  EXPECT_EQ(found.line, 4);
}

TEST_F(KnownHostsFile, OneOfSeveralKeysIsEnough) {
  EXPECT_EQ(check(ed("leek", kOther) + ed("leek"), "leek").verdict, KeyVerdict::kMatch);
}

TEST_F(KnownHostsFile, PatternsAndTheirExceptions) {
  EXPECT_EQ(check(ed("*.lab,!bad.lab"), "leek.lab").verdict, KeyVerdict::kMatch);
  EXPECT_EQ(check(ed("*.lab,!bad.lab"), "bad.lab").verdict, KeyVerdict::kUnknown);
  EXPECT_EQ(check(ed("l??k"), "leek").verdict, KeyVerdict::kMatch);
  EXPECT_EQ(check(ed("l??k"), "lek").verdict, KeyVerdict::kUnknown);
}

TEST_F(KnownHostsFile, PortsAreNamesOfTheirOwn) {
  EXPECT_EQ(check(ed("[leek]:2222"), "[leek]:2222").verdict, KeyVerdict::kMatch);
  EXPECT_EQ(check(ed("[leek]:2222"), "leek").verdict, KeyVerdict::kUnknown);
  // The plain host's key serves where nothing is said about the port, but cannot contradict.
  EXPECT_EQ(check(ed("leek"), "[leek]:2222").verdict, KeyVerdict::kMatch);
  EXPECT_EQ(check(ed("leek", kOther), "[leek]:2222").verdict, KeyVerdict::kUnknown);
}

TEST_F(KnownHostsFile, HashedNames) {
  // printf leek | openssl dgst -sha1 -mac HMAC -macopt hexkey:<salt>
  const std::string line = ed("|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|cenyH4mJJK3/Os0vjS3vgK352os=");
  EXPECT_EQ(check(line, "pea").verdict, KeyVerdict::kUnknown);
  EXPECT_EQ(check(line, "leek").verdict, KeyVerdict::kMatch);
}

TEST_F(KnownHostsFile, RevokedAlwaysWins) {
  const KeyCheck found = check(ed("leek") + "@revoked * ssh-ed25519 " + std::string(kEd) + "\n", "leek");
  EXPECT_EQ(found.verdict, KeyVerdict::kRevoked);
  EXPECT_EQ(found.line, 2);
}

TEST_F(KnownHostsFile, AnAuthorityVouchesForNothingHere) {
  EXPECT_EQ(check("@cert-authority " + ed("leek"), "leek").verdict, KeyVerdict::kUnknown);
  EXPECT_EQ(check("@new-marker " + ed("leek"), "leek").verdict, KeyVerdict::kUnknown);
}

TEST_F(KnownHostsFile, AlgorithmsOfWhatIsKnownComeFirst) {
  const auto algorithms = [&](const std::string& content, const std::string& name) {
    tree_.write("known_hosts", content);
    return KnownHosts::read({file()}, name).algorithms();
  };
  const std::string rsa = "leek ssh-rsa " + std::string(kRsa) + "\n";
  EXPECT_TRUE(algorithms(rsa, "leek").starts_with("rsa-sha2-512,rsa-sha2-256,ssh-ed25519"));
  EXPECT_TRUE(algorithms(rsa + ed("leek"), "leek").starts_with("ssh-ed25519,rsa-sha2-512,rsa-sha2-256,ecdsa"));
  EXPECT_TRUE(algorithms("", "leek").starts_with("ssh-ed25519,ecdsa-sha2-nistp256,"));
  EXPECT_EQ(algorithms("", "leek").find("ssh-rsa"), std::string::npos);
  EXPECT_TRUE(algorithms(rsa, "[leek]:2222").starts_with("rsa-sha2-512,rsa-sha2-256,ssh-ed25519"));
}

TEST_F(KnownHostsFile, RecordsBehindALineWithoutAnEnd) {
  const std::string path = tree_.path("made/known_hosts").string();
  ASSERT_TRUE(record_host_key(path, "leek", "ssh-ed25519", kEd).ok());
  struct stat status {};
  ASSERT_EQ(::stat(tree_.path("made").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  tree_.write("known_hosts", "pea ssh-rsa AAAA");
  ASSERT_TRUE(record_host_key(file(), "leek", "ssh-ed25519", kEd).ok());
  EXPECT_EQ(KnownHosts::read({file()}, "leek").check("ssh-ed25519", kEd).line, 2);
}

TEST_F(KnownHostsFile, AListOfRevokedKeysIsHonouredOrNoKeyIsBelieved) {
  const auto refused = [&](const std::string& content) {
    tree_.write("revoked", content);
    HostKeyQuestion question;
    question.who = "'leek'";
    question.type = "ssh-ed25519";
    question.key = kEd;
    question.policy = HostKeyPolicy::kOff;
    const auto said = refuse_revoked_key(tree_.path("revoked").string(), question);
    if (said.ok()) return std::string();
    EXPECT_EQ(said.error().code, ErrorCode::kHostKey);
    return said.error().message;
  };
  const std::string key = "ssh-ed25519 " + std::string(kEd);
  EXPECT_EQ(refused(""), "");
  EXPECT_EQ(refused("# " + key + "\nssh-rsa " + std::string(kRsa) + " a comment\n"), "");
  for (const std::string& line :
       {"  " + key + " of leek", "ssh-ed25519\t" + std::string(kEd), "ssh-ed25519   " + std::string(kEd) + "\r"}) {
    EXPECT_NE(refused("# a list\n" + line + "\n").find("is revoked"), std::string::npos) << line;
  }
  for (const std::string& line : {"leek " + key, std::string("ssh-ed25519"), std::string("ssh-ed25519 no-base64!")}) {
    EXPECT_NE(refused(line + "\n").find("no host key is believed"), std::string::npos) << line;
  }
  EXPECT_NE(refused(std::string("SSHKRL\n\0", 8)).find("binary list"), std::string::npos);
  tree_.remove("revoked");
  HostKeyQuestion any;
  const auto unread = refuse_revoked_key(tree_.path("revoked").string(), any);
  ASSERT_FALSE(unread.ok());
  EXPECT_NE(unread.error().message.find("no host key is believed"), std::string::npos);
}

}  // namespace
}  // namespace otto::transport

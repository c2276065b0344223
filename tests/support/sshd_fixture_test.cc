// The sshd of the tests is a real one, and ends with its owner.
#include "tests/support/sshd_fixture.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace otto::testing {
namespace {

TEST(Sshd, ServesOpenssh) {
  SshdFixture sshd;
  EXPECT_EQ(
      run_tool({"ssh", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o",
                "UserKnownHostsFile=" + sshd.known_hosts().string(), "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
                "-i", sshd.folder() / "id_ed25519", "-p", std::to_string(sshd.port()), "127.0.0.1", "echo $HOME"}),
      sshd.home().string() + "\n");
  std::ifstream known(sshd.known_hosts());
  std::string line;
  std::getline(known, line);
  EXPECT_NE(line.find(sshd.host_key()), std::string::npos);
  EXPECT_NE(sshd.log().find("Accepted publickey"), std::string::npos);
}

TEST(Sshd, LeavesNothingBehind) {
  std::filesystem::path folder;
  std::uint16_t port = 0;
  {
    const SshdFixture sshd;
    folder = sshd.folder();
    port = sshd.port();
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  transport::Address address;
  address.id = "gone";
  address.host = "127.0.0.1";
  address.port = port;
  address.use_ssh_config = false;
  const auto transport = transport::connect(transport::Route{{}, address}, {});
  ASSERT_FALSE(transport.ok());
  EXPECT_EQ(transport.error().code, ErrorCode::kUnreachable);
}

}  // namespace
}  // namespace otto::testing

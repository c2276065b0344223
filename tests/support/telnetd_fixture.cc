#include "tests/support/telnetd_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "graph/base/result.h"
#include "tests/support/sshd_fixture.h"
#include "transport/os/tcp.h"

namespace otto::testing {
namespace {

constexpr const char* kLogin = R"sh(#!/bin/sh
here=${0%/*}
printf 'Test system 1.0\n\n'
while :; do
  printf 'carrot login: '
  read -r user || exit 1
  stty -echo
  printf 'Password: '
  read -r password || exit 1
  stty echo
  echo
  [ "$user:$password" = otto:secret ] && break
  echo 'Login incorrect'
done
echo x >> "$here/logins"
printf 'Last login: yesterday\nBe careful, it is only $ a test\n'
cd / && export SHELL=/bin/sh
)sh";

}  // namespace

TelnetdFixture::TelnetdFixture(const std::string& shell) : port_(free_port()) {
  tree_.write("login", kLogin + shell + "\n", 0755);
  const std::string login = tree_.path("login").string();
  const std::string port = std::to_string(port_);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  OTTO_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::execlp("busybox", "busybox", "telnetd", "-F", "-b", "127.0.0.1", "-p", port.c_str(), "-f", "/dev/null", "-l",
             login.c_str(), nullptr);
    ::_exit(127);
  }
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (!transport::connect_tcp("telnetd", "127.0.0.1", port_, std::chrono::milliseconds(500), {}).ok()) {
    OTTO_CHECK(Clock::now() < deadline);
    ::usleep(10'000);
  }
}

TelnetdFixture::~TelnetdFixture() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

transport::Address TelnetdFixture::address() const {
  transport::Address address;
  address.id = "carrot";
  address.protocol = transport::Protocol::kTelnet;
  address.host = "127.0.0.1";
  address.port = port_;
  address.user = "otto";
  address.password = "secret";
  return address;
}

std::size_t TelnetdFixture::logins() const {
  std::ifstream file(tree_.path("logins"));
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

}  // namespace otto::testing

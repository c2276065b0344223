// A real telnetd (busybox) on a free loopback port, with a log-in of our own: user "otto", password "secret", sh.
//
// Tied to the test process like SshdFixture. Knows Address but nothing else of the code under test.
#pragma once

#include <sys/types.h>

#include "tests/support/temp_tree.h"
#include "transport/address.h"

namespace otto::testing {

class TelnetdFixture {
 public:
  /// `shell`: what the log-in ends in, sh.
  explicit TelnetdFixture(const std::string& shell = "exec /bin/sh -i");
  ~TelnetdFixture();
  TelnetdFixture(const TelnetdFixture&) = delete;
  TelnetdFixture& operator=(const TelnetdFixture&) = delete;

  [[nodiscard]] transport::Address address() const;
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return tree_.path(name); }
  /// Sessions that have logged in.
  [[nodiscard]] std::size_t logins() const;

 private:
  TempTree tree_;
  std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace otto::testing

// What a container's script says about how far it came, taken off its output.
#include <gtest/gtest.h>

#include "engine/hosts/container_script.h"

namespace otto::hosts {
namespace {

using transport::Stream;

struct Filtered {
  explicit Filtered(ContainerEntry entry)
      : filter(entry, [this](Stream, std::string_view bytes) { passed += bytes; }, {}) {}
  std::string passed;
  ContainerFilter filter;
};

TEST(ContainerFilter, ATerminalHasOneOutputAndCarriageReturns) {
  Filtered terminal(ContainerEntry::kTerminal);
  for (const char c : std::string_view("otto-container 12ab\notto-shell\r\n/ # ")) {
    terminal.filter.take(Stream::kStderr, {&c, 1});
  }
  EXPECT_TRUE(terminal.filter.begun());
  EXPECT_EQ(terminal.filter.container(), "12ab");
  EXPECT_EQ(terminal.passed, "/ # ");
}

TEST(ContainerFilter, OutputThatComesBeforeTheFirstLineWaitsForIt) {
  Filtered shell(ContainerEntry::kShell);
  shell.filter.take(Stream::kStdout, "early ");
  EXPECT_EQ(shell.passed, "") << "it may be Docker's own words";
  shell.filter.take(Stream::kStderr, "otto-container 12ab\notto-shell\n");
  shell.filter.take(Stream::kStdout, "late");
  EXPECT_EQ(shell.passed, "early late");
}

TEST(ContainerFilter, DockersWordsWhereNoShellBegins) {
  Filtered terminal(ContainerEntry::kTerminal);
  terminal.filter.take(Stream::kStderr, "otto-container 12ab\nexec failed: no such file\r\n");
  EXPECT_FALSE(terminal.filter.begun());
  EXPECT_EQ(terminal.filter.words(), "exec failed: no such file\r\n");
  EXPECT_EQ(terminal.passed, "");
  Filtered shell(ContainerEntry::kShell);
  shell.filter.take(Stream::kStderr, "otto-container 12ab\n");
  shell.filter.take(Stream::kStdout, "OCI runtime exec failed\n");
  EXPECT_EQ(shell.filter.words(), "OCI runtime exec failed\n") << "Docker says it on standard output";
  EXPECT_EQ(shell.passed, "");
}

}  // namespace
}  // namespace otto::hosts

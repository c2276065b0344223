#include <gtest/gtest.h>

#include "engine/hosts/shell_host.h"
#include "transport/local_transport.h"
#include "transport/remote.h"

namespace otto::hosts {
namespace {

transport::Output run(const std::vector<std::string>& commands) {
  transport::Remote remote(std::make_unique<transport::LocalTransport>("local", "/bin/sh"));
  transport::Script script;
  script.text = "exec /bin/sh -c \"$1\"\n";
  script.args = {sequence_script(commands)};
  auto output = remote.run(script);
  EXPECT_TRUE(output.ok());
  return output.ok() ? *output : transport::Output{};
}

TEST(SequenceTest, StatePersists) {
  const auto output = run({"cd /usr", "X='a  b'", "pwd; echo \"$X\"", "f() { echo \"f $1\"; }", "f 'it'\\''s'"});
  EXPECT_EQ(output.status.code, 0);
  EXPECT_EQ(output.out, "/usr\na  b\nf it's\n");
}

TEST(SequenceTest, StopsAtTheFirstFailureWithItsCode) {
  const auto output = run({"echo one", "(exit 7)", "echo two"});
  EXPECT_EQ(output.status.code, 7);
  EXPECT_EQ(output.out, "one\n");
}

TEST(SequenceTest, ExitEndsTheSequence) {
  const auto output = run({"exit 3", "echo two"});
  EXPECT_EQ(output.status.code, 3);
  EXPECT_EQ(output.out, "");
}

TEST(SequenceTest, ManyLinesAndHereDocuments) {
  EXPECT_EQ(run({"cat <<END\na $((1+1))\nEND", "for i in 1 2\ndo echo $i\ndone"}).out, "a 2\n1\n2\n");
  EXPECT_EQ(run({}).status.code, 0);
}

}  // namespace
}  // namespace otto::hosts

// A flaky connection breaks where its seed says, for everybody, and passes what came before.
#include "tests/support/flaky_transport.h"

#include <gtest/gtest.h>

#include "transport/local/local_transport.h"
#include "transport/remote.h"

namespace otto::testing {
namespace {

using transport::Command;
using transport::LocalTransport;

std::unique_ptr<FlakyTransport> flaky(std::uint64_t seed, std::uint64_t least, std::uint64_t most) {
  return std::make_unique<FlakyTransport>(std::make_unique<LocalTransport>("here", "/bin/sh"), seed, least, most);
}

TEST(Flaky, TheSeedDecides) {
  const auto first = flaky(7, 100, 100000);
  EXPECT_EQ(first->cut_after(), flaky(7, 100, 100000)->cut_after());
  EXPECT_NE(first->cut_after(), flaky(8, 100, 100000)->cut_after());
  EXPECT_EQ(flaky(9, 50, 50)->cut_after(), 50U);
}

TEST(Flaky, PassesWhatComesBeforeTheCut) {
  const auto transport = flaky(1, 10, 10);
  auto process = transport->start(Command{"printf 0123456789abcdef; read line"}, {});
  ASSERT_TRUE(process.ok());
  std::string got;
  for (;;) {
    auto chunk = (*process)->read();
    if (!chunk) {
      EXPECT_EQ(chunk.error().code, ErrorCode::kConnectionLost);
      break;
    }
    got += (*chunk)->bytes;
  }
  EXPECT_EQ(got, "0123456789");
  EXPECT_TRUE(transport->broken());
  EXPECT_EQ((*process)->write("x").error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ((*process)->wait().error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ(transport->start(Command{"true"}, {}).error().code, ErrorCode::kConnectionLost);
}

TEST(Flaky, CutsWritesInTheMiddle) {
  const auto transport = flaky(1, 3, 3);
  auto process = transport->start(Command{"cat"}, {});
  ASSERT_TRUE(process.ok());
  EXPECT_EQ((*process)->write("abcdef").error().code, ErrorCode::kConnectionLost);
}

TEST(Flaky, AboveTheCutNothingIsNoticed) {
  transport::Remote remote(flaky(1, 1 << 20, 1 << 20));
  const auto output = remote.run({.text = "echo fine"});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->out, "fine\n");
  EXPECT_EQ(remote.host_id(), "here");
}

}  // namespace
}  // namespace otto::testing

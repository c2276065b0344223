#include "cli/terminal/input.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

namespace otto::cli {
namespace {

/// Descriptor 0 is a pipe while this lives.
class PipedInput {
 public:
  PipedInput() : saved_(::dup(STDIN_FILENO)) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    writer_ = ends[1];
  }
  ~PipedInput() {
    close_writer();
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }
  PipedInput(const PipedInput&) = delete;
  PipedInput& operator=(const PipedInput&) = delete;
  void write(const std::string& bytes) const {
    EXPECT_EQ(::write(writer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void close_writer() {
    if (writer_ >= 0) ::close(std::exchange(writer_, -1));
  }

 private:
  int saved_, writer_ = -1;
};

TEST(StandardInput, GivesWhatComesThenTheEnd) {
  PipedInput pipe;
  StandardInput input({});
  pipe.write(std::string("a\0b", 3));
  EXPECT_EQ(input.next(), std::string("a\0b", 3));
  pipe.close_writer();
  EXPECT_EQ(input.next(), "");
}

TEST(StandardInput, AWaitingReadEndsWhenTheCommandHas) {
  const PipedInput pipe;  // open and silent, as under many CI runners
  StandardInput input({});
  std::jthread ender([&input] { input.end(); });
  EXPECT_EQ(input.next(), "");
}

TEST(StandardInput, AWaitingReadEndsOnInterrupt) {
  const PipedInput pipe;
  std::stop_source stop;
  StandardInput input(stop.get_token());
  std::jthread stopper([&stop] { stop.request_stop(); });
  EXPECT_EQ(input.next(), "");
}

}  // namespace
}  // namespace otto::cli

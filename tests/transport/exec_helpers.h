// Short ways to run one command in the tests of this layer.
//
// Every function fails the running test instead of returning an error.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "transport/transport.h"

namespace otto::transport {

struct Ran {
  ExitStatus status;
  std::string out;
  std::string err;
};

/// Starts `line`, gives it `input` and collects its outputs.
inline Ran run_line(Transport& transport, const std::string& line, std::string_view input = {}) {
  Ran ran;
  auto process = transport.start(Command{line});
  if (!process) {
    ADD_FAILURE() << process.error().message;
    return ran;
  }
  if (!input.empty()) {
    EXPECT_TRUE((*process)->write(input).ok());
  }
  EXPECT_TRUE((*process)->close_stdin().ok());
  for (;;) {
    auto chunk = (*process)->read();
    if (!chunk) {
      ADD_FAILURE() << chunk.error().message;
      return ran;
    }
    if (!*chunk) break;
    ((*chunk)->stream == Stream::kStdout ? ran.out : ran.err) += (*chunk)->bytes;
  }
  auto status = (*process)->wait();
  if (status) {
    ran.status = *status;
  } else {
    ADD_FAILURE() << status.error().message;
  }
  return ran;
}

/// Bytes of every value, without a period that a lost block could hide in.
inline std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = 88172645463325252ULL;
  for (auto& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state);
  }
  return bytes;
}

}  // namespace otto::transport

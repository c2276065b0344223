// From what became of several images and hosts to one exit code.
//
// What this command achieved counts as a success: an image built or pulled, a parent where nothing failed. An image
// that was up to date beside one that failed is no part done. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "graph/base/result.h"
#include "otto/docker.h"

namespace otto::cli {

class Outcome {
 public:
  void add(const docker::BuildReport& report);
  void add_success() { ++successes_; }
  void add_failure(ErrorCode code);

  [[nodiscard]] int exit_code() const;

 private:
  std::size_t successes_ = 0;
  std::vector<ErrorCode> failures_;
};

}  // namespace otto::cli

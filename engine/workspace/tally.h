// How much of a command's work is done: what it builds and brings up, told as it ends.
#pragma once

#include <cstdint>

#include "otto/reporter.h"

namespace otto::workspace {

/// What becomes known later joins: a stack's services are planned when its images are built. One thread.
class Tally {
 public:
  explicit Tally(Reporter& reporter) : reporter_(&reporter) {}

  /// So many more things are to be done.
  void expect(std::uint64_t things) {
    if (things == 0) return;
    total_ += things;
    tell();
  }
  /// One of them has ended, well or not.
  void done() {
    ++done_;
    tell();
  }

 private:
  void tell() const { reporter_->report(Event::tally(done_, total_)); }

  Reporter* reporter_;
  std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace otto::workspace

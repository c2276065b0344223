// Tells how far a transfer is, ten times a second at most, and counts for the report. Borrows the reporter; one thread.
#pragma once

#include <chrono>
#include <string>

#include "graph/base/clock.h"
#include "otto/host.h"
#include "otto/reporter.h"

namespace otto::hosts {

class TransferMeter {
 public:
  TransferMeter(Reporter& reporter, Phase phase, std::string subject)
      : reporter_(reporter), phase_(phase), subject_(std::move(subject)) {}

  void begin(std::uint64_t total);
  void moved(std::uint64_t bytes);
  void warn(std::string message);
  TransferReport finish(std::uint64_t files, std::uint64_t bytes);

 private:
  void report(std::uint64_t done);

  Reporter& reporter_;
  Phase phase_;
  std::string subject_;
  std::uint64_t done_ = 0, total_ = 0;
  Clock::time_point begun_ = Clock::now(), told_{};
};

}  // namespace otto::hosts

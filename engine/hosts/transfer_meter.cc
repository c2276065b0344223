#include "engine/hosts/transfer_meter.h"

#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::hosts {

void TransferMeter::report(std::uint64_t done) {
  reporter_.report(Event::in_phase(phase_, subject_, "", done, total_));
}

void TransferMeter::begin(std::uint64_t total) {
  total_ = total;
  report(0);
}

void TransferMeter::moved(std::uint64_t bytes) {
  constexpr std::chrono::milliseconds kPause{100};
  done_ += bytes;
  const auto now = Clock::now();
  if (now - told_ < kPause) return;
  told_ = now;
  report(done_);
}

void TransferMeter::warn(std::string message) {
  reporter_.report(Event::warning(phase_, subject_, std::move(message)));
}

TransferReport TransferMeter::finish(std::uint64_t files, std::uint64_t bytes) {
  const std::uint64_t milliseconds = ms_since(begun_);
  reporter_.report(Event::finished(phase_, subject_,
                                   fmt::format("{} {} file{}, {}", phase_ == Phase::kUploading ? "put" : "got", files,
                                               files == 1 ? "" : "s", text::human_size(bytes)),
                                   milliseconds));
  return {files, bytes, milliseconds};
}

}  // namespace otto::hosts

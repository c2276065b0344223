#include "engine/hosts/transfer_meter.h"

#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::hosts {

void TransferMeter::report(std::uint64_t done) {
  reporter_.report({Event::Kind::kPhase, phase_, subject_, "", done, total_, 0});
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
  reporter_.report({Event::Kind::kWarning, phase_, subject_, std::move(message), 0, 0, 0});
}

TransferReport TransferMeter::finish(std::uint64_t files, std::uint64_t bytes) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun_);
  const auto milliseconds = static_cast<std::uint64_t>(elapsed.count());
  reporter_.report({Event::Kind::kDone, phase_, subject_,
                    fmt::format("{} {} file{}, {}", phase_ == Phase::kUploading ? "put" : "got", files,
                                files == 1 ? "" : "s", text::human_size(bytes)),
                    bytes, bytes, milliseconds});
  return {files, bytes, milliseconds};
}

}  // namespace otto::hosts

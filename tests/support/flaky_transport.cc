// Counts bytes and cuts.
//
// See flaky_transport.h.
#include "tests/support/flaky_transport.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace otto::testing {

class FlakyProcess final : public transport::Process {
 public:
  FlakyProcess(FlakyTransport& transport, std::unique_ptr<transport::Process> inner)
      : transport_(transport), inner_(std::move(inner)) {}

  Result<void> write(std::string_view bytes, std::stop_token stop) override {
    if (transport_.broken()) return transport_.lost();
    const auto allowed = static_cast<std::size_t>(transport_.take(bytes.size()));
    OTTO_RETURN_IF_ERROR(inner_->write(bytes.substr(0, allowed), stop));
    if (allowed < bytes.size()) return transport_.lost();
    return {};
  }
  Result<void> close_stdin() override {
    if (transport_.broken()) return transport_.lost();
    return inner_->close_stdin();
  }
  Result<std::optional<transport::Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override {
    if (transport_.broken()) return transport_.lost();
    OTTO_TRY(auto chunk, inner_->read(timeout, stop));
    if (!chunk) return chunk;
    const auto allowed = static_cast<std::size_t>(transport_.take(chunk->bytes.size()));
    if (allowed == 0 && !chunk->bytes.empty()) return transport_.lost();
    chunk->bytes.resize(allowed);
    return chunk;
  }
  Result<transport::ExitStatus> wait(std::stop_token stop) override {
    for (;;) {
      OTTO_TRY(const auto chunk, read({}, stop));
      if (!chunk) break;
    }
    return inner_->wait(stop);
  }
  Result<void> signal(std::string_view name) override { return inner_->signal(name); }
  Result<void> resize(unsigned columns, unsigned rows) override { return inner_->resize(columns, rows); }

 private:
  FlakyTransport& transport_;
  std::unique_ptr<transport::Process> inner_;
};

FlakyTransport::FlakyTransport(std::unique_ptr<transport::Transport> inner, std::uint64_t seed, std::uint64_t least,
                               std::uint64_t most)
    : inner_(std::move(inner)) {
  std::mt19937_64 random(seed);
  cut_after_ = least + random() % (most - least + 1);
}

bool FlakyTransport::broken() const { return *passed_.lock() >= cut_after_; }

std::uint64_t FlakyTransport::take(std::uint64_t wanted) {
  auto passed = passed_.lock();
  const std::uint64_t allowed = std::min(wanted, cut_after_ - std::min(cut_after_, *passed));
  *passed += allowed;
  return allowed;
}

Error FlakyTransport::lost() const {
  return make_error(ErrorCode::kConnectionLost,
                    fmt::format("'{}': connection lost after {} bytes, as the test wanted", host_id(), cut_after_));
}

Result<std::unique_ptr<transport::Process>> FlakyTransport::start(const transport::Command& command,
                                                                  std::stop_token stop) {
  if (broken()) return lost();
  OTTO_TRY(auto process, inner_->start(command, stop));
  return std::unique_ptr<transport::Process>(std::make_unique<FlakyProcess>(*this, std::move(process)));
}

}  // namespace otto::testing

#include "otto/reporter.h"

#include <utility>

namespace otto {

namespace {

class NullReporter : public Reporter {
 public:
  void report(const Event&) override {}
};

}  // namespace

Event Event::in_phase(Phase phase, std::string subject, std::string detail, std::uint64_t done, std::uint64_t total) {
  return {Kind::kPhase, phase, std::move(subject), std::move(detail), done, total, 0};
}

Event Event::output(Phase phase, std::string subject, std::string line) {
  return {Kind::kOutput, phase, std::move(subject), std::move(line), 0, 0, 0};
}

Event Event::finished(Phase phase, std::string subject, std::string how, std::uint64_t elapsed_ms) {
  return {Kind::kDone, phase, std::move(subject), std::move(how), 0, 0, elapsed_ms};
}

Event Event::failure(Phase phase, std::string subject, std::string message, std::uint64_t elapsed_ms) {
  return {Kind::kFailed, phase, std::move(subject), std::move(message), 0, 0, elapsed_ms};
}

Event Event::notice(Phase phase, std::string subject, std::string what) {
  return {Kind::kNotice, phase, std::move(subject), std::move(what), 0, 0, 0};
}

Event Event::warning(Phase phase, std::string subject, std::string what) {
  return {Kind::kWarning, phase, std::move(subject), std::move(what), 0, 0, 0};
}

Event Event::tally(std::uint64_t done, std::uint64_t total) {
  return {Kind::kTally, Phase::kBuilding, {}, {}, done, total, 0};
}

Reporter& null_reporter() {
  static NullReporter reporter;
  return reporter;
}

}  // namespace otto

// What the engine tells while it works, as typed events; the CLI draws them, tests record them.
//
// The engine never prints. Events of one task come in order; tasks run at once. Threads: report() is called from the
// calling and from worker threads and must be thread-safe and quick. The null reporter ignores everything.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/node.h"
#include "graph/outcome.h"

namespace otto {

/// A step of the work on one thing.
enum class Phase {
  kConnecting,   ///< subject: host id
  kScanning,     ///< subject: image or context; done/total: files seen, bytes read
  kChecking,     ///< subject: host id; asking the parent what it has
  kWaiting,      ///< subject: image, service or host; detail: for what ("for another otto", "until db is healthy")
  kUploading,    ///< subject: image or host; done/total: bytes sent and estimated (0: unknown)
  kDownloading,  ///< subject: host; done/total: bytes received and estimated (0: unknown)
  kBuilding,     ///< subject: image; detail: the engine's current step "[2/4] RUN make"
  kStarting,     ///< subject: service; detail: why: "image changed", "not created yet"
  kStopping,     ///< subject: compose project
};

struct Event {
  enum class Kind {
    kPhase,    ///< `subject` is in `phase` now, or has moved on within it
    kOutput,   ///< one line of the engine's own build output, in `detail`
    kDone,     ///< `subject` is finished; detail: "built", "cached", "recreated", …; `elapsed_ms`
    kFailed,   ///< `subject` failed; detail: the error's message
    kNotice,   ///< worth knowing, in `detail`: a recorded host key, a retry
    kWarning,  ///< in `detail`
    kTally,    ///< of one repo on one parent, `done` of `total` images and services have ended, as far as is known yet;
               ///< begins again where the command does
  };
  Kind kind = Kind::kPhase;
  Phase phase = Phase::kConnecting;
  std::string subject;
  std::string detail;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t elapsed_ms = 0;

  static Event in_phase(Phase phase, std::string subject, std::string detail = {}, std::uint64_t done = 0,
                        std::uint64_t total = 0);
  static Event output(Phase phase, std::string subject, std::string line);
  static Event finished(Phase phase, std::string subject, std::string how, std::uint64_t elapsed_ms = 0);
  static Event failure(Phase phase, std::string subject, std::string message, std::uint64_t elapsed_ms = 0);
  /// `subject`: what it is about; empty: the command as a whole. So too of a warning.
  static Event notice(Phase phase, std::string subject, std::string what);
  static Event warning(Phase phase, std::string subject, std::string what);
  static Event tally(std::uint64_t done, std::uint64_t total);
};

class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void report(const Event& event) = 0;
  /// The calling thread is done with `subject`; how it ended is reported when it has been judged. For those who draw
  /// what each thread does.
  virtual void left(const std::string& /*subject*/) {}
  /// One repo on one parent was driven; each node's outcome is at its index. From the calling thread.
  virtual void driven(const graph::Graph& /*graph*/, const std::vector<graph::Outcome>& /*outcomes*/) {}
};

/// Ignores everything.
Reporter& null_reporter();

}  // namespace otto

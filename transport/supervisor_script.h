// The two remote halves of supervision, as POSIX sh: the supervisor and the wrapper of a job.
//
// They meet in a private folder named by a random token that the client chose, so neither waits for the network:
//   1. The supervisor makes the folder (0700) and from then on reads lines: heartbeats and orders.
//   2. A job waits until the folder is there, then registers by making the file jN.<process group>.<start time> in it,
//      and only then runs its script. Where it cannot register, it ends without having done anything.
//   3. When its input ends, or no heartbeat came for 15 s, the supervisor renames the folder (atomic: nobody can
//      register any more), ends every registered group (TERM, KILL after a second) and removes the folder; rmdir fails
//      while a late file is in it, so none is missed. A watchdog of its own may do the same; only one of them wins the
//      rename, and the other lets it come to its end.
//   4. An order to end job N makes the tombstone jN.dead first, then ends the group: a job registers first and looks
//      for its tombstone then, so one of the two always sees the other.
//   5. A job removes its file when it ends, and the start time (from /proc) keeps a recycled group id from being hit.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace otto::transport {

struct JobTicket {
  std::string token;
  std::string job;  ///< "j12"
};

/// Exit code of a job that could not register.
inline constexpr int kNotSupervised = 254;

/// `pause`: seconds between two looks for the heartbeat, as sleep(1) takes them; five without one are the end.
std::string supervisor_script(std::string_view token, std::string_view pause = "3");
std::string_view heartbeat_line();
std::string end_job_order(const JobTicket& job);
/// `text` as a registered job; its arguments must be set before.
std::string job_script(std::string_view text, const JobTicket& job, std::string_view mark);

}  // namespace otto::transport

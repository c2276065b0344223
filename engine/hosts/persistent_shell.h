// One POSIX shell on a host that takes command after command: directory, variables and options persist between calls.
//
// It is a job like every other (supervised, streams apart); commands go in as lines of its input, and a mark on both
// outputs tells where one command's output ends, with its exit code. A command that is out of time is interrupted:
// SIGINT to what it has started, then SIGKILL, and where even that does not bring the shell back it is given up and the
// next command gets a fresh one. Borrows the access. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/hosts/host_access.h"
#include "otto/host.h"

namespace otto::hosts {

/// Cuts one output at its marks: what is before a mark belongs to the command.
class MarkScanner {
 public:
  /// `fields`: how many values, each ended by ';', follow the mark.
  MarkScanner(std::string mark, std::size_t fields) : mark_(std::move(mark)), fields_(fields) {}

  struct Piece {
    std::string bytes;  ///< of the command
    bool marked = false;
    std::vector<std::string> fields;
  };
  void feed(std::string_view bytes) { held_ += bytes; }
  /// The next piece: up to a mark, or what cannot be part of one.
  Piece next();
  /// What is held back, where no mark can come any more.
  std::string rest() { return std::exchange(held_, {}); }

 private:
  std::string mark_;
  std::size_t fields_;
  std::string held_;
};

/// The shell's loop; `lines` are its first input, of command_lines().
std::string shell_loop(std::string_view mark, std::string_view lines);
/// The input that runs commands up to the first that fails. `last`: then the shell ends.
std::string command_lines(const std::vector<std::string>& commands, bool last);
/// Signals what a shell has started: $1 INT or KILL, $2 the shell's pid, $3 since when (ticks since the boot), $4 its
/// last background process.
std::string_view interrupt_script();

class PersistentShell {
 public:
  explicit PersistentShell(HostAccess& access);
  /// Ends the shell; what it has left in the background goes on.
  ~PersistentShell();
  PersistentShell(const PersistentShell&) = delete;
  PersistentShell& operator=(const PersistentShell&) = delete;

  /// As Host::run.
  Result<CommandResult> run(const std::vector<std::string>& commands, const RunOptions& options);

 private:
  class Channel;
  class Call;
  HostAccess& access_;
  std::unique_ptr<Channel> channel_;  ///< nullptr: no shell is open
};

}  // namespace otto::hosts

// Ctrl-C and its like, turned into a stop request: the first asks everything to stop, the second leaves at once (130).
//
// The handler only writes a byte into a pipe, and a thread of our own does the rest; for the second signal it restores
// the terminal and leaves, with calls that are safe in a handler, so that nothing that hangs can keep otto. Handlers
// instead of a signal mask, because children inherit a mask but not a handler, and ssh or docker started by otto must
// die of Ctrl-C as ever. One at a time in a process; it owns pipe and thread.
#pragma once

#include <array>
#include <functional>
#include <stop_token>
#include <thread>

namespace otto::cli {

class Interrupt {
 public:
  /// Takes SIGINT, SIGTERM and SIGHUP (which stays ignored if it was, as nohup wants), and makes
  /// SIGPIPE harmless. `on_first` is called on the own thread before the stop request.
  explicit Interrupt(std::function<void()> on_first);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  void listen();

  std::stop_source stop_;
  std::function<void()> on_first_;
  std::array<int, 2> pipe_{-1, -1};
  std::thread thread_;
};

}  // namespace otto::cli

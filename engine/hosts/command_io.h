// Joins RunOptions of the façade to a Script of the transport: input in, output through or collected, exit code out.
#pragma once

#include <string>
#include <string_view>

#include "otto/host.h"
#include "transport/remote.h"

namespace otto::hosts {

/// Passes a command's output on, or collects it.
class CommandIo {
 public:
  /// Borrows `options`.
  explicit CommandIo(const RunOptions& options) : options_(options) {}

  /// Sets input, output and stop token of a script. `this` must outlive its run.
  void attach(transport::Script& script);
  void take(transport::Stream stream, std::string_view bytes);
  CommandResult finish(const transport::ExitStatus& status) &&;

 private:
  const RunOptions& options_;
  CommandResult result_;
};

}  // namespace otto::hosts

#include "engine/hosts/command_io.h"

namespace otto::hosts {

void CommandIo::attach(transport::Script& script) {
  script.stop = options_.stop;
  script.on_output = [this](transport::Stream stream, std::string_view bytes) { take(stream, bytes); };
  if (!options_.input) return;
  script.stop_input = options_.stop_input;
  script.input = [this](const transport::Writer& write) -> Result<void> {
    for (std::string piece = options_.input(); !piece.empty(); piece = options_.input()) {
      OTTO_RETURN_IF_ERROR(write(piece));
    }
    return {};
  };
}

void CommandIo::take(transport::Stream stream, std::string_view bytes) {
  const bool is_stderr = stream == transport::Stream::kStderr;
  if (options_.on_output) {
    options_.on_output(is_stderr, bytes);
  } else {
    (is_stderr ? result_.err : result_.out) += bytes;
  }
}

CommandResult CommandIo::finish(const transport::ExitStatus& status) && {
  result_.exit_code = status.shell_code();
  return std::move(result_);
}

}  // namespace otto::hosts

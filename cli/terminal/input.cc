#include "cli/terminal/input.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace otto::cli {

StandardInput::StandardInput(std::stop_token stop) : wake_(::eventfd(0, EFD_CLOEXEC)) {
  on_stop_.emplace(std::move(stop), [this] { end(); });
}

StandardInput::~StandardInput() {
  on_stop_.reset();  // before the descriptor it writes to
  if (wake_ >= 0) ::close(wake_);
}

void StandardInput::end() { ::eventfd_write(wake_, 1); }

std::string StandardInput::next() {
  for (;;) {
    std::array<pollfd, 2> waits = {{{STDIN_FILENO, POLLIN, 0}, {wake_, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return {};
    }
    if (waits[1].revents != 0) return {};
    std::string piece(std::size_t{64} * 1024, '\0');
    const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    piece.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return piece;
  }
}

}  // namespace otto::cli

#include "cli/terminal/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "cli/render/progress_tty.h"
#include "cli/terminal/changed_terminal.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

std::string_view variable(const Surroundings& surroundings, const char* name) {
  const char* value = surroundings.getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool locale_is_utf8(const Surroundings& surroundings) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(surroundings, name);
    if (value.empty()) continue;
    const std::string lower = text::to_lower(value);
    return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
  }
  return false;
}

bool colored(ColorMode mode, bool is_terminal, const Surroundings& surroundings) {
  switch (mode) {
    case ColorMode::kAlways: return true;
    case ColorMode::kNever: return false;
    case ColorMode::kAuto: break;
  }
  if (!variable(surroundings, "NO_COLOR").empty()) return false;
  const std::string_view force = variable(surroundings, "CLICOLOR_FORCE");
  if (!force.empty() && force != "0") return true;
  return is_terminal && variable(surroundings, "TERM") != "dumb" && variable(surroundings, "CLICOLOR") != "0";
}

ProgressMode progress_mode(const GlobalOptions& options, const Surroundings& surroundings) {
  if (options.progress != ProgressMode::kAuto) return options.progress;
  if (options.quiet) return ProgressMode::kQuiet;
  const std::string_view term = variable(surroundings, "TERM");
  const bool live = surroundings.stderr_is_terminal && !term.empty() && term != "dumb";
  return live ? ProgressMode::kTty : ProgressMode::kPlain;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// One line, without its newline.
std::optional<std::string> read_line(int fd, int stop_fd) {
  std::string line;
  for (;;) {
    std::array<pollfd, 2> waits = {{{fd, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;  // EINTR
    if (waits[1].revents != 0) return std::nullopt;
    char c = 0;
    const ssize_t got = ::read(fd, &c, 1);
    if (got <= 0) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
}

}  // namespace

Surroundings real_surroundings() {
  return {[](const char* name) -> const char* { return std::getenv(name); }, ::isatty(STDIN_FILENO) == 1,
          ::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1};
}

Terminal resolve_terminal(const GlobalOptions& options, const Surroundings& surroundings) {
  Terminal terminal;
  const bool utf8 = locale_is_utf8(surroundings);
  terminal.out = {colored(options.color, surroundings.stdout_is_terminal, surroundings), utf8,
                  surroundings.stdout_is_terminal && options.verbose == 0, options.verbose};
  terminal.err = {colored(options.color, surroundings.stderr_is_terminal, surroundings), utf8, false, options.verbose};
  terminal.progress = progress_mode(options, surroundings);
  terminal.stdin_is_terminal = surroundings.stdin_is_terminal;
  return terminal;
}

FrameSize screen_size() { return screen_size_of(STDERR_FILENO); }

FrameSize screen_size_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::optional<std::string> ask_secret(const std::string& prompt, const std::stop_token& stop) {
  const FileDescriptor tty(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  const FileDescriptor stopped(::eventfd(0, EFD_CLOEXEC));
  if (tty.get() < 0 || stopped.get() < 0) return std::nullopt;
  const std::stop_callback wake(stop, [&stopped] { ::eventfd_write(stopped.get(), 1); });
  const ChangedTerminal silent(tty.get(), ChangedTerminal::To::kSilent);
  if (!silent.ok()) return std::nullopt;
  write_all(tty.get(), text::printable(prompt));
  std::optional<std::string> answer = read_line(tty.get(), stopped.get());
  write_all(tty.get(), "\n");
  return answer;
}

void restore_terminal_now() {
  ChangedTerminal::restore_now();
  if (cursor_is_hidden()) write_all(STDERR_FILENO, kShowCursor);
}

}  // namespace otto::cli

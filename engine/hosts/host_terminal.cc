// A thread of its own sends what is typed, so that nobody who types ever waits for a host that does not read.
#include "engine/hosts/host_terminal.h"

#include <fmt/format.h>
#include <termios.h>

#include <thread>
#include <utility>

#include "graph/base/sync.h"
#include "transport/os/terminal_modes.h"

namespace otto::hosts {
namespace {

constexpr std::size_t kMostTyped = 16 * 1024 * 1024;

class HostTerminal final : public RemoteTerminal {
 public:
  HostTerminal(std::string host_id, StartedTerminal started)
      : host_id_(std::move(host_id)), first_(std::move(started.first)), process_(std::move(started.process)) {
    sender_ = std::jthread([this](const std::stop_token& stop) { send(stop); });
  }

  Result<void> type(std::string_view bytes) override {
    auto orders = orders_.lock();
    if (orders->typed.size() + bytes.size() > kMostTyped) {
      return make_error(ErrorCode::kRemoteFailed, fmt::format("'{}' does not take what is typed", host_id_));
    }
    orders->typed += bytes;
    changed_.notify_all();
    return {};
  }

  Result<std::optional<std::string>> read(std::chrono::milliseconds timeout, std::stop_token stop) override {
    if (!first_.empty()) return std::optional(std::exchange(first_, {}));
    OTTO_TRY(auto chunk, process_->read(timeout, std::move(stop)));
    if (!chunk) return std::optional<std::string>();
    return std::optional(std::move(chunk->bytes));
  }

  Result<int> exit_code(std::stop_token stop) override {
    OTTO_TRY(const transport::ExitStatus status, process_->wait(std::move(stop)));
    return status.shell_code();
  }

  void resize(unsigned columns, unsigned rows) override {
    orders_.lock()->size = {columns, rows};
    changed_.notify_all();
  }

 private:
  struct Orders {
    std::string typed;
    std::optional<std::pair<unsigned, unsigned>> size;
  };

  /// A host that takes no more has ended or is lost: the reader learns that.
  void send(const std::stop_token& stop) {
    for (;;) {
      Orders now;
      {
        auto orders = orders_.lock();
        if (!orders.wait(changed_, stop, [](const Orders& o) { return !o.typed.empty() || o.size; })) return;
        now = std::exchange(*orders, {});
      }
      if (now.size) static_cast<void>(process_->resize(now.size->first, now.size->second));
      if (!now.typed.empty() && !process_->write(now.typed, stop).ok()) return;
    }
  }

  std::string host_id_;
  std::string first_;
  std::unique_ptr<transport::Process> process_;
  Sync<Orders> orders_;
  std::condition_variable_any changed_;
  std::jthread sender_;  // last: ends first
};

}  // namespace

Result<std::unique_ptr<RemoteTerminal>> open_terminal(HostAccess& access, const TerminalOptions& options) {
  TerminalStart start;
  start.pty = {options.term, options.columns, options.rows};
  termios settings{};
  if (options.settings_of >= 0 && ::tcgetattr(options.settings_of, &settings) == 0) {
    start.pty.modes = transport::encode_modes(settings);
  }
  start.program = options.program;
  start.stop = options.stop;
  OTTO_TRY(StartedTerminal started, access.terminal(start));
  return std::unique_ptr<RemoteTerminal>(std::make_unique<HostTerminal>(access.id(), std::move(started)));
}

}  // namespace otto::hosts

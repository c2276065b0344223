#include "engine/hosts/shell_host.h"

#include <fmt/format.h>

#include "engine/hosts/command_io.h"
#include "engine/hosts/host_session.h"
#include "engine/hosts/host_terminal.h"
#include "engine/hosts/persistent_shell.h"
#include "engine/hosts/transfer.h"
#include "graph/base/text.h"

namespace otto::hosts {
namespace {

class ShellHost final : public Host {
 public:
  explicit ShellHost(std::unique_ptr<HostAccess> access) : access_(std::move(access)), shell_(*access_) {}

  [[nodiscard]] const std::string& id() const override { return access_->id(); }

  Result<CommandResult> run(const std::vector<std::string>& commands, const RunOptions& options) override {
    return shell_.run(commands, options);
  }

  Result<CommandResult> oneshot(std::string_view command, const RunOptions& options) override {
    if (!access_->lacks_shell()) {
      auto result = execute(access_->command_shell(), as_no_option(command), options);
      if (result.ok() || !access_->lacks_shell()) return result;
    }
    OTTO_TRY(const auto words, plain_words(command));
    CommandIo io(options);
    transport::Script script;
    script.args = words;
    io.attach(script);
    OTTO_TRY(const transport::Output output, access_->program(script));
    return std::move(io).finish(output.status);
  }

  Result<std::unique_ptr<Session>> open_session(std::string name, const SessionOptions& options) override {
    return hosts::open_session(*access_, session_names_, std::move(name), options);
  }
  Result<std::unique_ptr<RemoteTerminal>> open_terminal(const TerminalOptions& options) override {
    return hosts::open_terminal(*access_, options);
  }

  Result<TransferReport> put(const std::vector<std::string>& sources, std::string_view dest,
                             const TransferOptions& options) override {
    return hosts::put(*access_, sources, dest, options);
  }
  Result<TransferReport> get(const std::vector<std::string>& sources, std::string_view dest,
                             const TransferOptions& options) override {
    return hosts::get(*access_, sources, dest, options);
  }

 private:
  Result<CommandResult> execute(std::string_view text, std::string argument, const RunOptions& options) {
    CommandIo io(options);
    transport::Script script;
    script.text = std::string(text);
    script.args = {std::move(argument)};
    io.attach(script);
    OTTO_TRY(const transport::Output output, access_->job(script));
    return std::move(io).finish(output.status);
  }

  std::unique_ptr<HostAccess> access_;
  PersistentShell shell_;
  std::shared_ptr<SessionNames> session_names_ = std::make_shared<SessionNames>();  // a session gives its name back
};

Error needs_shell(std::string_view command, std::string_view what) {
  return make_error(
      ErrorCode::kUnsupported,
      fmt::format("the container has no shell, and '{}' needs one for {}", text::printable(command), what),
      "without /bin/sh in the image, only a plain program with its arguments can be run");
}

}  // namespace

std::unique_ptr<Host> make_host(std::unique_ptr<HostAccess> access) {
  return std::make_unique<ShellHost>(std::move(access));
}

std::string as_no_option(std::string_view command) {
  const bool like_option = command.starts_with('-') || command.starts_with('+');
  return (like_option ? " " : "") + std::string(command);
}

Result<std::vector<std::string>> plain_words(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  char quote = 0;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool live = quote != '\'';  // where `$`, backquote and backslash have a meaning
    if (live && (c == '$' || c == '`')) return needs_shell(command, fmt::format("'{}'", c));
    if (live && c == '\\' && i + 1 < command.size()) {
      const char next = command[++i];
      if (quote == '"' && next != '"' && next != '\\' && next != '$' && next != '`') word += c;
      word += next;
      begun = true;
    } else if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      begun = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (begun) words.push_back(std::exchange(word, {}));
      begun = false;
    } else if (std::string_view("|&;<>()*?[").find(c) != std::string_view::npos) {
      return needs_shell(command, fmt::format("'{}'", c));
    } else {
      word += c;
      begun = true;
    }
  }
  if (quote != 0) return needs_shell(command, "a quote that is not closed");
  if (begun) words.push_back(std::move(word));
  if (words.empty()) return needs_shell(command, "nothing to run");
  return words;
}

}  // namespace otto::hosts

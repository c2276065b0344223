// regexec over a bounded transcript: std::regex recurses with the length of its match.
#include "engine/hosts/host_session.h"

#include <fmt/format.h>
#include <regex.h>

#include <array>

#include "engine/hosts/host_terminal.h"
#include "engine/hosts/scripts.h"
#include "graph/base/clock.h"
#include "graph/base/text.h"

namespace otto::hosts {
namespace {

constexpr std::size_t kMostKept = 8 * 1024 * 1024;
constexpr std::size_t kTail = 200;

class Pattern {
 public:
  explicit Pattern(const std::string& text) : failure_(::regcomp(&compiled_, text.c_str(), REG_EXTENDED)) {}
  ~Pattern() {
    if (failure_ == 0) ::regfree(&compiled_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  [[nodiscard]] bool ok() const { return failure_ == 0; }
  [[nodiscard]] std::string complaint() const {
    std::array<char, 256> words{};
    ::regerror(failure_, &compiled_, words.data(), words.size());
    return words.data();
  }
  /// Where it matches, groups behind the whole; empty: nowhere.
  [[nodiscard]] std::vector<regmatch_t> find(const std::string& text) const {
    std::vector<regmatch_t> parts(compiled_.re_nsub + 1);
    parts[0].rm_so = 0;
    parts[0].rm_eo = static_cast<regoff_t>(text.size());
    if (::regexec(&compiled_, text.c_str(), parts.size(), parts.data(), REG_STARTEND) != 0) return {};
    return parts;
  }

 private:
  regex_t compiled_{};
  int failure_;
};

std::string part_of(const std::string& text, const regmatch_t& part) {
  if (part.rm_so < 0) return {};
  return text.substr(static_cast<std::size_t>(part.rm_so), static_cast<std::size_t>(part.rm_eo - part.rm_so));
}

/// A name while it is in use.
class NameInUse {
 public:
  NameInUse(std::shared_ptr<SessionNames> names, std::string name)
      : names_(std::move(names)), name_(std::move(name)), fresh_(names_->lock()->insert(name_).second) {}
  ~NameInUse() {
    if (fresh_) names_->lock()->erase(name_);
  }
  NameInUse(const NameInUse&) = delete;
  NameInUse& operator=(const NameInUse&) = delete;
  [[nodiscard]] bool fresh() const { return fresh_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::shared_ptr<SessionNames> names_;
  std::string name_;
  bool fresh_;
};

class HostSession final : public Session {
 public:
  HostSession(std::string host_id, std::unique_ptr<NameInUse> name, const SessionOptions& options,
              std::unique_ptr<RemoteTerminal> terminal)
      : host_id_(std::move(host_id)),
        name_(std::move(name)),
        timeout_(options.timeout),
        stop_(options.stop),
        terminal_(std::move(terminal)) {}

  [[nodiscard]] const std::string& name() const override { return name_->name(); }
  Result<void> send(std::string_view text) override { return terminal_->type(text); }
  Result<Expected> expect_any(const std::vector<std::string>& patterns, std::chrono::milliseconds timeout) override {
    const auto deadline = Clock::now() + (timeout.count() == 0 ? timeout_ : timeout);
    for (;;) {
      OTTO_TRY(auto found, transcript_.take(patterns));
      if (found) return std::move(*found);
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) return failed(ErrorCode::kTimedOut, "does not come in time", patterns);
      auto shown = terminal_->read(left, stop_);
      if (!shown && shown.error().code == ErrorCode::kTimedOut) continue;
      if (!shown) return std::move(shown).error();
      if (!*shown) return failed(ErrorCode::kRemoteFailed, "cannot come any more: the program has ended", patterns);
      transcript_.add(**shown);
    }
  }
  Result<int> exit_code() override { return terminal_->exit_code(stop_); }
  void resize(unsigned columns, unsigned rows) override { terminal_->resize(columns, rows); }

 private:
  [[nodiscard]] Error failed(ErrorCode code, std::string_view how, const std::vector<std::string>& patterns) const {
    return make_error(code, fmt::format("session '{}' on '{}': '{}' {}; last shown: {}", name(), host_id_,
                                        text::printable(text::join(patterns, "' or '")), how, transcript_.tail()));
  }

  std::string host_id_;
  std::unique_ptr<NameInUse> name_;
  std::chrono::milliseconds timeout_;
  std::stop_token stop_;
  std::unique_ptr<RemoteTerminal> terminal_;
  Transcript transcript_;
};

}  // namespace

void Transcript::add(std::string_view bytes) {
  shown_ += bytes;
  if (shown_.size() > kMostKept) shown_.erase(0, shown_.size() - kMostKept);
}

Result<std::optional<Expected>> Transcript::take(const std::vector<std::string>& patterns) {
  std::optional<Expected> best;
  std::size_t begin = 0, end = 0;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const Pattern pattern(patterns[i]);
    if (!pattern.ok()) {
      return make_error(ErrorCode::kUsage,
                        fmt::format("bad pattern '{}': {}", text::printable(patterns[i]), pattern.complaint()));
    }
    const auto parts = pattern.find(shown_);
    if (parts.empty() || (best && static_cast<std::size_t>(parts[0].rm_so) >= begin)) continue;
    begin = static_cast<std::size_t>(parts[0].rm_so);
    end = static_cast<std::size_t>(parts[0].rm_eo);
    best = Expected{i, shown_.substr(0, begin), part_of(shown_, parts[0]), {}};
    for (std::size_t group = 1; group < parts.size(); ++group) best->groups.push_back(part_of(shown_, parts[group]));
  }
  if (best) shown_.erase(0, end);
  return best;
}

std::string Transcript::tail() const {
  if (shown_.empty()) return "nothing";
  const std::size_t from = shown_.size() > kTail ? shown_.size() - kTail : 0;
  return "'" + text::printable(std::string_view(shown_).substr(from)) + "'";
}

Result<std::unique_ptr<Session>> open_session(HostAccess& access, const std::shared_ptr<SessionNames>& names,
                                              std::string name, const SessionOptions& options) {
  auto in_use = std::make_unique<NameInUse>(names, std::move(name));
  if (!in_use->fresh()) {
    return make_error(ErrorCode::kUsage,
                      fmt::format("a session '{}' is open on '{}' already", in_use->name(), access.id()));
  }
  TerminalOptions wanted;
  wanted.term = options.term;
  wanted.columns = options.columns;
  wanted.rows = options.rows;
  wanted.stop = options.stop;
  if (!options.echo) wanted.program = "stty -echo\n";
  wanted.program += options.program.empty() ? std::string(kSessionShellScript) : options.program;
  OTTO_TRY(auto terminal, open_terminal(access, wanted));
  return std::unique_ptr<Session>(
      std::make_unique<HostSession>(access.id(), std::move(in_use), options, std::move(terminal)));
}

}  // namespace otto::hosts

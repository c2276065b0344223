// Takes the wrapping of bootstrap.h and supervisor_script.h off again.
//
// The wrapping is recognised by its fixed words; a change of the real scripts makes these doubles' own tests fail.
#include "tests/support/fake_transport.h"

#include <fmt/format.h>

#include <algorithm>

#include "transport/bootstrap.h"
#include "transport/supervisor_script.h"

namespace otto::testing {
namespace {

using transport::Chunk;
using transport::Stream;

/// Words as text::shell_quote() writes them, up to an unquoted newline or ')'; `at` ends behind it.
std::vector<std::string> unquote_words(std::string_view text, std::size_t& at) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  const auto finish = [&] {
    if (in_word) words.push_back(std::exchange(word, {}));
    in_word = false;
  };
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n' || c == ')') {
      ++at;
      break;
    }
    if (c == ' ') {
      finish();
      continue;
    }
    in_word = true;
    if (c == '\\') {
      word += text[++at];
    } else if (c == '\'') {
      for (++at; at < text.size() && text[at] != '\''; ++at) word += text[at];
    } else {
      word += c;
    }
  }
  finish();
  return words;
}

/// The mark.
std::string unwrap(const std::string& script, FakeCall& call) {
  constexpr std::string_view kSet = "set --";
  constexpr std::string_view kMark = " otto_mark=", kText = " otto_text=";
  std::string found;
  std::size_t at = 0;
  if (script.starts_with("echo ")) {
    found = script.substr(5, script.find(';') - 5);
    at = script.find('\n') + 1;
  }
  OTTO_CHECK(script.compare(at, kSet.size(), kSet) == 0);
  at += kSet.size();
  call.args = unquote_words(script, at);
  call.script = script.substr(at);
  if (!found.empty()) return found;
  call.job = true;
  const auto mark = script.find(kMark, at) + kMark.size();
  auto text = script.find(kText, mark);
  found = script.substr(mark, text - mark);
  text += kText.size();
  const auto words = unquote_words(script, text);
  call.script = words.empty() ? "" : words.front();
  return found;
}

}  // namespace

class FakeProcess final : public transport::Process {
 public:
  FakeProcess(FakeTransport& transport, const transport::Command& command) : transport_(transport) {
    call_.line = command.line;
    call_.script = command.line;
    call_.pty = command.pty.has_value();
    bootstrapped_ = command.line == transport::bootstrap_line();
  }

  Result<void> write(std::string_view bytes, std::stop_token /*stop*/) override {
    auto state = state_.lock();
    if (state->replied) return make_error(ErrorCode::kRemoteFailed, "the command has ended");
    transport_.state_.lock()->counters.bytes_sent += bytes.size();
    state->input += bytes;
    return {};
  }

  Result<void> close_stdin() override {
    auto state = state_.lock();
    if (state->replied) return {};
    state->replied = true;
    reply(*state);
    changed_.notify_all();
    return {};
  }

  Result<std::optional<Chunk>> read(std::chrono::milliseconds timeout, std::stop_token stop) override {
    auto state = state_.lock();
    const auto ready = [](const State& s) { return s.replied && !s.reply.never; };
    const bool there =
        timeout.count() == 0 ? state.wait(changed_, stop, ready) : state.wait_for(changed_, stop, timeout, ready);
    if (!there && stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    if (!there) return make_error(ErrorCode::kTimedOut, "no output in time");
    if (!state->output.empty()) {
      Chunk chunk = std::move(state->output.front());
      state->output.pop_front();
      transport_.state_.lock()->counters.bytes_received += chunk.bytes.size();
      return std::optional(std::move(chunk));
    }
    if (state->reply.connection_lost) return lost();
    return std::optional<Chunk>();
  }

  Result<transport::ExitStatus> wait(std::stop_token stop) override {
    for (;;) {
      OTTO_TRY(const auto chunk, read({}, stop));
      if (!chunk) return state_.lock()->reply.status;
    }
  }
  Result<void> signal(std::string_view /*name*/) override { return {}; }
  Result<void> resize(unsigned /*columns*/, unsigned /*rows*/) override { return {}; }

 private:
  struct State {
    std::string input;
    bool replied = false;
    FakeReply reply;
    std::deque<Chunk> output;
  };

  static Error lost() { return make_error(ErrorCode::kConnectionLost, "connection lost: as the test wanted"); }

  void reply(State& state) {
    std::string mark;
    if (bootstrapped_) {
      const auto end = state.input.find('\n');
      const auto script = transport::decode_script(std::string_view(state.input).substr(0, end + 1));
      OTTO_CHECK(end != std::string::npos && script.has_value());
      mark = unwrap(*script, call_);
      state.input.erase(0, end + 1);
    }
    call_.input = std::move(state.input);
    state.reply = transport_.answer(call_);
    if (!mark.empty()) {
      state.output.push_back({Stream::kStdout, mark + "\n"});
      state.output.push_back({Stream::kStderr, mark + "\n"});
    }
    for (const auto& chunk : state.reply.output) state.output.push_back(chunk);
  }

  FakeTransport& transport_;
  FakeCall call_;
  bool bootstrapped_ = false;
  Sync<State> state_;
  std::condition_variable_any changed_;
};

FakeReply FakeReply::success(std::string out) {
  FakeReply reply;
  if (!out.empty()) reply.output.push_back({Stream::kStdout, std::move(out)});
  return reply;
}

FakeReply FakeReply::failure(int code, std::string err) {
  FakeReply reply;
  if (!err.empty()) reply.output.push_back({Stream::kStderr, std::move(err)});
  reply.status.code = code;
  return reply;
}

FakeReply FakeReply::lost() {
  FakeReply reply;
  reply.connection_lost = true;
  return reply;
}

FakeTransport::FakeTransport(std::string host_id) : host_id_(std::move(host_id)) {}
FakeTransport::~FakeTransport() = default;

FakeTransport& FakeTransport::on(std::string part, FakeReply reply) {
  return on([part = std::move(part)](const FakeCall& call) { return call.script.find(part) != std::string::npos; },
            [reply = std::move(reply)](const FakeCall&) { return reply; });
}

FakeTransport& FakeTransport::on(Matcher matcher, Responder responder) {
  state_.lock()->rules.push_back({std::move(matcher), std::move(responder), false});
  return *this;
}

FakeTransport& FakeTransport::once(std::string part, FakeReply reply) {
  on(std::move(part), std::move(reply));
  state_.lock()->rules.back().once = true;
  return *this;
}

FakeReply FakeTransport::answer(const FakeCall& call) {
  Responder responder = [](const FakeCall& unknown) {
    return FakeReply::failure(127, fmt::format("the fake host has no rule for: {}\n", unknown.script));
  };
  {
    auto state = state_.lock();
    state->calls.push_back(call);
    auto& rules = state->rules;
    const auto once =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.once && r.matcher(call); });
    const auto last =
        std::find_if(rules.rbegin(), rules.rend(), [&](const Rule& r) { return !r.once && r.matcher(call); });
    if (once != rules.end()) {
      responder = once->responder;
      rules.erase(once);
    } else if (last != rules.rend()) {
      responder = last->responder;
    }
  }
  return responder(call);
}

std::vector<FakeCall> FakeTransport::calls() const { return state_.lock()->calls; }

std::size_t FakeTransport::count(const std::string& part) const {
  const auto all = calls();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const FakeCall& call) { return call.script.find(part) != std::string::npos; }));
}

void FakeTransport::forget_calls() { state_.lock()->calls.clear(); }

Result<std::unique_ptr<transport::Process>> FakeTransport::start(const transport::Command& command,
                                                                 std::stop_token stop) {
  if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  return std::unique_ptr<transport::Process>(std::make_unique<FakeProcess>(*this, command));
}

transport::Counters FakeTransport::counters() const { return state_.lock()->counters; }

}  // namespace otto::testing

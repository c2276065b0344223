// A Transport that answers from a script of replies and remembers what it was asked: no network, no process, no time.
//
// It understands the bootstrap of transport/remote.h, so code under test may use Remote on top of it: a call shows the
// script's own text and arguments and the input that followed, and replies are wrapped in the marks that Remote
// expects. The supervisor is answered by itself and does not show in calls(). A reply comes when the input has ended.
// Any thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/base/sync.h"
#include "transport/transport.h"

namespace otto::testing {

struct FakeReply {
  std::vector<transport::Chunk> output;
  transport::ExitStatus status;
  bool connection_lost = false;  ///< after the output, instead of the exit status
  bool never = false;            ///< nothing comes until the reader gives up

  static FakeReply success(std::string out = {});
  static FakeReply failure(int code, std::string err = {});
  static FakeReply lost();
};

struct FakeCall {
  std::string line;               ///< the command line as it was started
  std::string script;             ///< the script's text; for a plain command: the line
  std::vector<std::string> args;  ///< of the script
  std::string input;              ///< what followed on standard input
  bool job = false;               ///< through run_job()
  bool pty = false;
};

class FakeTransport final : public transport::Transport {
 public:
  using Matcher = std::function<bool(const FakeCall&)>;
  using Responder = std::function<FakeReply(const FakeCall&)>;

  explicit FakeTransport(std::string host_id = "pepper_seed");
  ~FakeTransport() override;

  /// Replies to scripts that contain `part`; the rule added last wins.
  FakeTransport& on(std::string part, FakeReply reply);
  FakeTransport& on(Matcher matcher, Responder responder);
  /// Only to the next script that contains `part`; such rules win over the others, oldest first.
  FakeTransport& once(std::string part, FakeReply reply);

  /// Every call so far, in the order of their replies. A call nobody has a rule for exits 127 and says so.
  [[nodiscard]] std::vector<FakeCall> calls() const;
  /// How many calls' scripts contain `part`.
  [[nodiscard]] std::size_t count(const std::string& part) const;
  void forget_calls();

  Result<std::unique_ptr<transport::Process>> start(const transport::Command& command, std::stop_token stop) override;
  [[nodiscard]] const std::string& host_id() const override { return host_id_; }
  [[nodiscard]] transport::Counters counters() const override;

 private:
  friend class FakeProcess;
  struct Rule {
    Matcher matcher;
    Responder responder;
    bool once = false;
  };
  struct State {
    std::vector<Rule> rules;
    std::vector<FakeCall> calls;
    transport::Counters counters;
  };
  FakeReply answer(const FakeCall& call);

  std::string host_id_;
  mutable Sync<State> state_;
};

}  // namespace otto::testing

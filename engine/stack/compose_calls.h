// Calls of `docker compose` on a parent, each one supervised job with its files in a private folder that goes with it.
//
// A parent's Compose is docker's plugin, the command docker-compose, or Compose v1 (docker-compose 1.28 and later),
// whose answers are made to look alike here. Interpolated variables come from the client: those with a value are
// exported and written to the call's --env-file, those without are unset, so that the parent's own environment never
// leaks into a stack. otto names the services of every call; Compose's own judgement (dependencies, building, orphans)
// is switched off. Must not know plans or the memo.
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/parent/composing.h"
#include "engine/parent/facts.h"
#include "graph/base/result.h"
#include "transport/remote.h"

namespace otto::stack {

using parent::ComposeStack;
using parent::EarlyExit;
using parent::ScratchFiles;
using parent::Started;
using parent::UpCall;

inline constexpr std::string_view kScratchTree = "tree";  ///< what ScratchFiles' tree is called there

/// parent::Compose on a real parent.
class RemoteCompose final : public parent::Compose {
 public:
  /// Borrows the first three.
  RemoteCompose(transport::Remote& remote, const parent::ParentSettings& settings, const parent::ParentFacts& facts,
                std::string project, std::stop_token stop)
      : remote_(remote), settings_(settings), facts_(facts), project_(std::move(project)), stop_(std::move(stop)) {}

  void in_turn(std::string token) override { turn_ = std::move(token); }
  Result<std::string> config(const ComposeStack& stack) override;
  Result<std::string> config_of(const ComposeStack& stack, const ScratchFiles& files) override;
  Result<bool> up(const ComposeStack& stack, const UpCall& call) override;
  Result<std::vector<EarlyExit>> early_exits(const Started& started, const std::function<void()>& meanwhile) override;
  Result<void> await(const std::vector<parent::Dependency>& conditions) override;
  Result<void> await_up(const std::vector<std::string>& services, const std::set<std::string>& one_shots) override;
  Result<void> put_right(const std::vector<parent::PutRight>& steps, const std::vector<std::string>& doomed) override;
  Result<void> down(unsigned timeout_s, bool volumes, const std::vector<std::string>& doomed) override;
  Result<void> remove_networks() override;
  Result<void> remove_containers(const std::vector<std::string>& ids, const std::vector<std::string>& doomed) override;

 private:
  Result<std::vector<EarlyExit>> watch(const Started& started);
  struct Change {
    std::string text;
    std::string_view what;  ///< of the error's message
    std::vector<std::string> doomed;
    transport::OutputSink on_output = {};
  };
  Result<transport::Output> call(std::string script, transport::OutputSink on_output = {});
  Result<transport::Output> run(std::string script, std::string_view what);
  Result<transport::Output> change(const Change& change);
  Result<void> changed(const Change& change);
  std::string stack_head(const ComposeStack& stack, const std::string& override_yaml) const;
  std::string head(const ComposeStack& stack, std::string_view tree, const std::string& override_yaml) const;
  [[nodiscard]] std::string config_call() const;
  Result<std::string> read_config(transport::Output answer) const;
  [[nodiscard]] Result<void> check_compose() const;
  [[nodiscard]] std::string command(const parent::ComposeStack& stack) const;
  Result<void> await_lines(const std::string& lines);

  transport::Remote& remote_;
  const parent::ParentSettings& settings_;
  const parent::ParentFacts& facts_;
  const std::string project_;
  std::string turn_;
  std::stop_token stop_;
};

/// One line of a dotenv file as Compose reads it back to exactly `value`. Compose v1 reads other escapes.
std::string env_file_line(std::string_view name, std::string_view value, bool compose_v1 = false);

}  // namespace otto::stack

// A HostAccess to this machine without a workspace, for tests of what is built on accesses.
#pragma once

#include <gtest/gtest.h>

#include "engine/hosts/host_access.h"
#include "transport/local/local_transport.h"

namespace otto::testing {

class LocalAccess final : public hosts::HostAccess {
 public:
  LocalAccess() : remote_(std::make_unique<transport::LocalTransport>("here", "/bin/sh")) {}
  [[nodiscard]] const std::string& id() const override { return remote_.host_id(); }
  [[nodiscard]] workspace::Opened& workspace() const override { panic("there is no workspace", __FILE__, __LINE__); }
  Result<transport::Output> job(const transport::Script& script) override {
    ++jobs;
    return remote_.run_job(script);
  }
  [[nodiscard]] std::string_view command_shell() const override { return "exec /bin/sh -c \"$1\"\n"; }
  Result<hosts::StartedTerminal> terminal(const hosts::TerminalStart& start) override {
    transport::TerminalScript script;
    script.text = start.program;
    script.cooked = true;
    script.pty = start.pty;
    OTTO_TRY(auto process, remote_.start_on_terminal(script));
    return hosts::StartedTerminal{std::move(process), ""};
  }
  Result<transport::Output> program(const transport::Script&) override { return none(); }
  Result<transport::Output> copy_in(const transport::Script&) override { return none(); }
  Result<transport::Output> copy_out(const transport::Script&) override { return none(); }

  std::atomic<int> jobs{0};

 private:
  static Error none() { return make_error(ErrorCode::kUnsupported, "not here"); }
  transport::Remote remote_;
};

}  // namespace otto::testing

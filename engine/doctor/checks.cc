#include "engine/doctor/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "graph/base/text.h"

namespace otto {

std::string_view check_status_name(CheckStatus status) {
  switch (status) {
    case CheckStatus::kOk: return "ok";
    case CheckStatus::kWarning: return "warning";
    case CheckStatus::kFailed: return "failed";
    case CheckStatus::kSkipped: return "skipped";
  }
  panic("unknown check status", __FILE__, __LINE__);
}

const Check* first_failure(const std::vector<Check>& checks) {
  const auto found = std::find_if(checks.begin(), checks.end(),
                                  [](const Check& check) { return check.status == CheckStatus::kFailed; });
  return found == checks.end() ? nullptr : &*found;
}

namespace doctor {

using transport::ConnectStage;
using transport::ConnectStep;
using transport::Protocol;

namespace {

struct Stage {
  ConnectStage stage;
  std::string_view step;
};
constexpr std::array<Stage, 3> kStages = {
    {{ConnectStage::kConnected, "connect"}, {ConnectStage::kHostKey, "host-key"}, {ConnectStage::kLoggedIn, "log-in"}}};

const ConnectStep* find_step(const std::vector<ConnectStep>& steps, const std::string& host_id, ConnectStage stage) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const ConnectStep& step) {
    return step.host_id == host_id && step.stage == stage;
  });
  return found == steps.end() ? nullptr : &*found;
}

/// The ids of the route's hosts, and the route as it is shown.
std::vector<std::string> resolved_hosts(const std::vector<ConnectStep>& steps, std::string& shown) {
  std::vector<std::string> ids, places;
  for (const ConnectStep& step : steps) {
    if (step.stage != ConnectStage::kResolved) continue;
    ids.push_back(step.host_id);
    places.push_back(step.detail);
  }
  shown = text::join(places, " -> ");
  return ids;
}

}  // namespace

Check ok(std::string_view step, std::string detail) {
  return {std::string(step), "", CheckStatus::kOk, std::move(detail), "", std::nullopt};
}

Check warning(std::string_view step, std::string detail, std::string hint) {
  return {std::string(step), "", CheckStatus::kWarning, std::move(detail), std::move(hint), std::nullopt};
}

Check failed(std::string_view step, const Error& error) {
  std::string detail = error.message;
  for (const std::string& outer : error.context) detail += "\n" + outer;
  return {std::string(step), "", CheckStatus::kFailed, std::move(detail), error.hint, error.code};
}

Check skipped(std::string_view step) { return {std::string(step), "", CheckStatus::kSkipped, "", "", std::nullopt}; }

std::vector<Check> connection_checks(const std::string& host_id, Protocol protocol,
                                     const std::vector<ConnectStep>& steps, const std::optional<Error>& failure) {
  std::string shown;
  std::vector<std::string> ids = resolved_hosts(steps, shown);
  std::vector<Check> checks;
  bool broken = false;
  const auto add = [&](std::string_view step, const ConnectStep* told) {
    if (told != nullptr) return checks.push_back(ok(step, told->detail));
    checks.push_back(broken || !failure ? skipped(step) : failed(step, *failure));
    broken = true;
  };
  if (ids.empty()) {
    add("route", nullptr);
    ids.push_back(host_id);
  } else {
    checks.push_back(ok("route", std::move(shown)));
  }
  if (protocol == Protocol::kLocal) return checks;
  for (const std::string& id : ids) {
    for (const Stage& stage : kStages) {
      const bool telnet = protocol == Protocol::kTelnet && id == host_id;
      if (telnet && stage.stage == ConnectStage::kHostKey) continue;
      add(stage.step, find_step(steps, id, stage.stage));
      if (id != host_id) checks.back().subject = id;
    }
  }
  return checks;
}

}  // namespace doctor
}  // namespace otto

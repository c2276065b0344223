#include "engine/stack/condition_wait.h"

#include "graph/base/clock.h"

namespace otto::stack {

Result<void> ConditionWait::await(const std::vector<parent::Dependency>& conditions) {
  const auto begun = Clock::now();
  const auto each_new = [&](const auto& tell) {
    for (const parent::Dependency& condition : conditions) {
      const bool healthy = condition.condition == parent::DependencyCondition::kHealthy;
      if (!met_.contains({condition.service, healthy})) tell(condition.service, healthy);
    }
  };
  each_new([&](const std::string& service, bool healthy) {
    reporter_.report(Event::in_phase(Phase::kWaiting, service, healthy ? "to be healthy" : "to complete"));
  });
  OTTO_RETURN_IF_ERROR(compose_.await(conditions));
  each_new([&](const std::string& service, bool healthy) {
    reporter_.report(Event::finished(Phase::kWaiting, service, healthy ? "healthy" : "has completed", ms_since(begun)));
    met_.emplace(service, healthy);
  });
  return {};
}

}  // namespace otto::stack

// Waiting for what services wait for: that others are healthy, or have completed.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/parent/composing.h"
#include "graph/base/result.h"
#include "otto/reporter.h"

namespace otto::stack {

class ConditionWait {
 public:
  /// Borrows both.
  ConditionWait(parent::Compose& compose, Reporter& reporter) : compose_(compose), reporter_(reporter) {}

  /// Told is only what has not been waited for before; whether that still holds is looked at all the same. Errors as
  /// parent::Compose::await.
  Result<void> await(const std::vector<parent::Dependency>& conditions);

 private:
  parent::Compose& compose_;
  Reporter& reporter_;
  std::set<std::pair<std::string, bool>> met_;  // service, healthy (else completed)
};

}  // namespace otto::stack

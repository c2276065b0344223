#include "engine/stack/service_record.h"

#include <gtest/gtest.h>

namespace otto::stack {
namespace {

parent::ContainerState container(const std::string& service, const std::string& id, const std::string& definition,
                                 parent::ContainerStatus status = parent::ContainerStatus::kRunning) {
  parent::ContainerState state;
  state.service = service;
  state.id = id;
  state.service_digest = graph::sha256(definition).hex();
  state.status = status;
  return state;
}

TEST(ServiceRecord, OfAFailedCallOnlyWhatItHasDoneCounts) {
  StackModel model;
  for (const char* name : {"replaced", "untouched", "begun", "old", "gone", "stopped"}) {
    model.services[name].digest = graph::sha256("now");
  }
  using enum parent::ContainerStatus;
  const std::vector<parent::ContainerState> before = {
      container("replaced", "r1", "before"), container("untouched", "u1", "now"),
      container("begun", "b1", "before"),    container("old", "o1", "before"),
      container("gone", "g1", "before"),     container("stopped", "s1", "now", kExited)};
  const std::vector<parent::ContainerState> after = {container("replaced", "r2", "now"),
                                                     container("untouched", "u1", "now"),
                                                     container("begun", "b1", "before"),
                                                     container("begun", "b2", "now", kCreated),
                                                     container("old", "o1", "before", kExited),
                                                     container("stopped", "s1", "now"),
                                                     container("other", "x", "now")};
  EXPECT_EQ(services_done({"replaced", "untouched", "begun", "old", "gone", "stopped"}, model, before, after),
            (std::vector<std::string>{"replaced", "stopped"}));
}

}  // namespace
}  // namespace otto::stack

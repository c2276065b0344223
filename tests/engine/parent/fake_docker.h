// A parent on this machine whose `docker` is a shell script of the test's: for answers that a real engine cannot be
// made to give on demand. The scripts under test run in a real sh, through the real transport.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "engine/parent/facts.h"
#include "engine/stack/compose_calls.h"
#include "tests/support/temp_tree.h"
#include "transport/local/local_transport.h"
#include "transport/remote.h"

namespace otto::parent {

class FakeDocker {
 public:
  /// `body`: sh; sees docker's arguments as "$@".
  explicit FakeDocker(const std::string& body)
      : remote(std::make_unique<transport::LocalTransport>("carrot_seed", "/bin/sh")) {
    tree.write("docker", "#!/bin/sh\n" + body, 0755);
    settings.docker_command = {tree.path("docker").string()};
    facts.stage_root = tree.root().string();
    facts.engine_version = "26.1.5";
    facts.has_buildx = true;
    facts.compose_version = "2.26.1";
    facts.account = "otto";
    facts.lock_root = tree.path("locks/engine-1").string();
  }

  testing::TempTree tree;
  transport::Remote remote;
  ParentSettings settings;
  ParentFacts facts;
};

/// Compose of the project otto-p-me, whose turn it is.
inline stack::RemoteCompose compose_in_turn(FakeDocker& docker) {
  docker.tree.write("locks/engine-1/project.otto-p-me.generation", "open 0a\n");
  stack::RemoteCompose compose(docker.remote, docker.settings, docker.facts, "otto-p-me", {});
  compose.in_turn("0a");
  return compose;
}

}  // namespace otto::parent

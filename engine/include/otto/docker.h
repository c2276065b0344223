// otto's library: images and compose stacks on lab hosts. The CLI uses this and nothing else.
//
// Anything `otto docker` can do, an instruction or a test suite does with these calls:
//
//   auto workspace = otto::Workspace::open(options, otto::null_reporter());
//   auto stack = otto::docker::composed(**workspace, {.own = true});
//   auto api = otto::docker::get_container_host(**workspace, "pepper_seed.repo1.api");
//   (*api)->oneshot("./run-tests", …);
//
// Every call reports through the workspace's Reporter and stops on its stop token (kInterrupted). Values in, values
// out.
#pragma once

#include "otto/host.h"
#include "otto/images.h"
#include "otto/names.h"
#include "otto/record.h"
#include "otto/stack.h"
#include "otto/workspace.h"

// A program of somebody else's: opens a workspace where there is none, and says so by its exit status.
#include "otto/docker.h"
#include "otto/host.h"

int main() {
  otto::WorkspaceOptions options;
  options.cwd = "/";
  auto workspace = otto::Workspace::open(options, otto::null_reporter());
  if (workspace.ok()) return otto::docker::composed(**workspace, {}).ok() ? 0 : 1;
  return workspace.error().message.empty() ? 1 : 0;
}

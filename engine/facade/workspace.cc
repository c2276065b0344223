// The outside of what a command works in: the configuration, joined with what compose files declare.
#include "otto/workspace.h"

#include "engine/compose/compose_images.h"
#include "engine/facade/remote_parent.h"
#include "engine/workspace/opened.h"

namespace otto {

Workspace::Workspace(std::unique_ptr<workspace::Opened> opened) : opened_(std::move(opened)) {}
Workspace::~Workspace() = default;

Result<std::unique_ptr<Workspace>> Workspace::open(const WorkspaceOptions& options, Reporter& reporter,
                                                   std::stop_token stop) {
  OTTO_TRY(auto opened, workspace::Opened::open({.options = options,
                                                 .join_images = compose::add_compose_images,
                                                 .reach_parent = facade::reach_remote_parent},
                                                reporter, std::move(stop)));
  return over(std::move(opened));
}

std::unique_ptr<Workspace> Workspace::over(std::unique_ptr<workspace::Opened> opened) {
  return std::unique_ptr<Workspace>(new Workspace(std::move(opened)));
}

Result<std::vector<std::string>> Workspace::lab_names() const { return opened_->lab_names(); }

}  // namespace otto

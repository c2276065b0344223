// The outside of what a command works in: the configuration, joined with what compose files declare.
#include "otto/workspace.h"

#include "engine/compose/compose_images.h"
#include "engine/workspace/opened.h"

namespace otto {

Workspace::Workspace(std::unique_ptr<workspace::Opened> opened) : opened_(std::move(opened)) {}
Workspace::~Workspace() = default;

Result<std::unique_ptr<Workspace>> Workspace::open(const WorkspaceOptions& options, Reporter& reporter,
                                                   std::stop_token stop) {
  OTTO_TRY(auto opened, workspace::Opened::open({.options = options, .join_images = compose::add_compose_images},
                                                reporter, std::move(stop)));
  return std::unique_ptr<Workspace>(new Workspace(std::move(opened)));
}

Result<std::vector<std::string>> Workspace::lab_names() const { return opened_->lab_names(); }

}  // namespace otto

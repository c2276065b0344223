// composed: a stack for the length of a scope.
#include "engine/stack/stack_plan.h"
#include "engine/workspace/opened.h"
#include "graph/base/text.h"
#include "otto/host.h"
#include "otto/stack.h"

namespace otto::docker {

Composed::Composed(Workspace& workspace, std::vector<UpReport> reports, bool tear_down, DownOptions down)
    : workspace_(&workspace), reports_(std::move(reports)), tear_down_(tear_down), down_(std::move(down)) {}

Composed::Composed(Composed&& other) noexcept
    : workspace_(std::exchange(other.workspace_, nullptr)),
      reports_(std::move(other.reports_)),
      tear_down_(std::exchange(other.tear_down_, false)),
      down_(std::move(other.down_)) {}

Composed::~Composed() {
  if (!tear_down_) return;
  const auto warn = [this](const Error& error) {
    workspace_->opened().reporter().report(Event::warning(Phase::kStopping, "", error.message));
  };
  const auto down = compose_down(*workspace_, down_);
  if (!down.ok()) {
    warn(down.error());
    return;
  }
  for (const DownReport& report : *down) {
    if (report.error) warn(*report.error);
  }
}

Result<std::unique_ptr<Host>> Composed::operator[](std::string_view service) const {
  std::vector<std::string> names;
  for (const UpReport& report : reports_) {
    for (const ServiceResult& known : report.services) {
      if (known.service == service) return get_container_host(*workspace_, known.host_id);
      names.push_back(known.service);
    }
  }
  return stack::unknown_service(service, names);
}

Result<Composed> composed(Workspace& workspace, const ComposedOptions& options) {
  OTTO_TRY(std::vector<UpReport> reports, compose_up(workspace, options.up));
  bool was_up = true;
  for (const UpReport& report : reports) {
    if (report.build.failures() > 0) {
      for (const ImageResult& image : report.build.images) {
        if (image.error) return *image.error;
      }
      return *report.build.error;
    }
    for (const ServiceResult& service : report.services) {
      was_up = was_up && (service.action == ServiceAction::kUnchanged || service.action == ServiceAction::kRecreated ||
                          service.action == ServiceAction::kCompleted);
    }
  }
  DownOptions down;
  down.on = options.up.on;
  down.project = options.up.project;
  return Composed(workspace, std::move(reports), options.own || !was_up, std::move(down));
}

}  // namespace otto::docker

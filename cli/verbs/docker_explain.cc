// `otto docker explain`: why images were last built and services replaced, and what is stale now.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"
#include "cli/render/history_text.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "cli/verbs/conclude.h"
#include "cli/verbs/invocation.h"
#include "graph/base/clock.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

/// Tags of stale images, host ids of services that `up` would do something to.
std::string stale_names(const std::vector<docker::ExplainReport>& reports) {
  std::vector<std::string> names;
  for (const docker::ExplainReport& report : reports) {
    for (const docker::ImageExplanation& image : report.images) {
      if (image.now.status == docker::ImageStatus::kStale) names.push_back(image.now.tag);
    }
    for (const docker::ServiceExplanation& service : report.services) {
      if (service.now && !service.now->reasons.empty()) names.push_back(service.host_id);
    }
  }
  return render_lines(names);
}

class DockerExplain : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operands("IMAGE|SERVICE", options_.names, "images and services to explain; all without any");
    definition.text("--on", "HOST", options_.on,
                    "judge them on this host; else the default_host of the compose files, else the only host with "
                    "Docker");
  }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const auto workspace, invocation.open({}));
    OTTO_TRY(const std::vector<docker::ExplainReport> reports, docker::explain(*workspace, options_));
    const Style& style = invocation.terminal().out;
    if (invocation.json()) {
      invocation.print_json(json::explain(reports));
    } else {
      invocation.print(invocation.options().quiet ? stale_names(reports)
                                                  : render_explanations(reports, epoch_ms(), style));
    }
    return conclude(invocation, reports);
  }

 private:
  docker::ExplainOptions options_;
};

constexpr std::array<Example, 3> kExplainExamples = {{
    {"otto docker explain", "why everything is as it is, and what is stale now"},
    {"otto docker explain api -v", "the image and the service of that name, with every file"},
    {"otto docker explain --format json", "the same for a script"},
}};

}  // namespace

constinit const VerbInfo kDockerExplain = {
    "docker explain",
    "[IMAGE|SERVICE...]",
    "say why images were built and services replaced, and what is stale now",
    "Says of each image whether it is stale now, with each reason or with what was compared, and why its last build "
    "was made: on this host, or on another one where it was never built here. Says of each service what 'otto docker "
    "up' would do to it, with each reason, and why it was last created, recreated or started. The verdicts are those "
    "that 'otto docker up' would act on. Nothing is changed. Where the host cannot be asked, the verdict is 'unknown', "
    "and the exit code says so.\n\n"
    "Of a changed definition the keys are named, and what ports, mounts, limits and the like held while no "
    "variable stands in them; never what may be a secret. An image that another one made stale is followed to the file "
    "that did.\n\n"
    "Files are marked + added, - removed, ~ changed, m mode changed; long lists are cut unless -v is given. Of a "
    "Dockerfile the lines that differ are shown, of a build argument only its name.\n\n"
    "JSON: {\"images\": [{\"name\", \"tag\", \"last_build\": null | {\"at\", \"parent\", \"reasons\"}, \"now\": "
    "{\"status\": \"cached\"|\"stale\"|\"unknown\", \"reasons\"}}], \"services\": [{\"service\", \"host_id\", "
    "\"last_action\": null | {\"at\", \"parent\", \"action\", \"reasons\"}, \"now\": {\"status\": "
    "\"unchanged\"|\"completed\"|\"created\"|\"recreated\"|\"started\"|\"unknown\", \"reasons\"}}]}, each reason "
    "{\"kind\", \"subject\", \"detail\"}. With several repos or hosts: {\"reports\": [{\"parent\", \"repo\", "
    "\"images\", \"services\"}]}.\n\n"
    "With --quiet only the tags of stale images and the host ids of services that would be changed are printed, one a "
    "line.",
    kExplainExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerExplain>(); },
};

}  // namespace otto::cli

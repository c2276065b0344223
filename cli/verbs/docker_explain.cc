// `otto docker explain`: why each image was last built, and what is stale now.
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

std::string stale_tags(const std::vector<docker::ExplainReport>& reports) {
  std::vector<std::string> tags;
  for (const docker::ExplainReport& report : reports) {
    for (const docker::ImageExplanation& image : report.images) {
      if (image.now.status == docker::ImageStatus::kStale) tags.push_back(image.now.tag);
    }
  }
  return render_lines(tags);
}

class DockerExplain : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operands("IMAGE", options_.images, "images to explain; all without any");
    definition.text("--on", "HOST", options_.on,
                    "judge them on this host; else the default_host of the compose files, else the only host with "
                    "Docker");
  }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const auto workspace, invocation.open({}));
    OTTO_TRY(const std::vector<docker::ExplainReport> reports, docker::explain_images(*workspace, options_));
    const Style& style = invocation.terminal().out;
    if (invocation.json()) {
      invocation.print(json::explain(reports));
    } else {
      invocation.print(invocation.options().quiet ? stale_tags(reports)
                                                  : render_explanations(reports, epoch_ms(), style));
    }
    return conclude(invocation, reports);
  }

 private:
  docker::ExplainOptions options_;
};

constexpr std::array<Example, 3> kExplainExamples = {{
    {"otto docker explain", "why each image was last built, and what is stale now"},
    {"otto docker explain api -v", "one image, with every file"},
    {"otto docker explain --format json", "the same for a script"},
}};

}  // namespace

constinit const VerbInfo kDockerExplain = {
    "docker explain",
    "[IMAGE...]",
    "say why images were last built and what is stale now",
    "Says of each image whether it is stale now, with each reason or with what was compared, and why its last build "
    "was "
    "made: on this host, or on another one where it was never built here. The verdict is the one that 'otto docker "
    "build' would act on. Nothing is changed. Where the host cannot be asked, the verdict is 'unknown', and the exit "
    "code says so.\n\n"
    "Files are marked + added, - removed, ~ changed, m mode changed; long lists are cut unless -v is given. Of a "
    "Dockerfile the lines that differ are shown, of a build argument only its name.\n\n"
    "JSON: {\"images\": [{\"name\", \"tag\", \"last_build\": null | {\"at\", \"parent\", \"reasons\"}, \"now\": "
    "{\"status\": \"cached\"|\"stale\"|\"unknown\", \"reasons\"}}]}, each reason {\"kind\", \"subject\", \"detail\"}. "
    "With "
    "several repos or hosts: {\"reports\": [{\"parent\", \"repo\", \"images\"}]}.\n\n"
    "With --quiet only the tags of stale images are printed, one a line.",
    kExplainExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerExplain>(); },
};

}  // namespace otto::cli

// `otto docker build`: images that are stale, and why.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/exit_code.h"
#include "cli/command_line/verb.h"
#include "cli/render/json.h"
#include "cli/render/report_text.h"
#include "cli/verbs/invocation.h"
#include "cli/verbs/outcome.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

class DockerBuild : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operands("IMAGE", options_.images,
                        "images to build, with the project's images they are built from; "
                        "all without any");
    definition.flag("--rebuild,--no-cache", options_.rebuild, "build the named images even if they are up to date");
    definition.flag("--pull", options_.pull, "pull newer base images first, and build upon those that moved");
    definition.text("--on", "HOST", options_.on,
                    "build on this host; else the default_host of the compose files, else the only host with Docker");
    definition.flag("--explain", explain_, "say why each image was built, or what was found unchanged");
    definition.number("-j,--jobs", options_.jobs, 1, 256, "4", "how many images are built at once");
    definition.flag("-k,--keep-going", options_.keep_going,
                    "after a failure, still build the images that do not depend on it");
    definition.text("--trace", "FILE", trace_,
                    "write where the time went as a Chrome trace, to be opened in Perfetto: a row for each worker");
  }

  Result<int> run(Invocation& invocation) override {
    if (trace_) OTTO_RETURN_IF_ERROR(invocation.trace_to(*trace_));
    OTTO_TRY(const auto workspace, invocation.open({}));
    options_.dry_run = invocation.options().dry_run;
    OTTO_TRY(const std::vector<docker::BuildReport> reports, docker::build_images(*workspace, options_));
    if (invocation.json()) {
      invocation.print_json(json::build(reports));
    } else if (invocation.options().quiet) {
      invocation.print(render_tags(reports, options_.dry_run));
    } else {
      invocation.print(render_build(reports, {explain_, options_.dry_run}, invocation.terminal().out));
    }
    Outcome outcome;
    for (const docker::BuildReport& report : reports) {
      invocation.complain(render_failures(report, invocation.terminal().err));
      outcome.add(report);
    }
    return outcome.exit_code();
  }

 private:
  docker::BuildOptions options_;
  std::optional<std::string> trace_;
  bool explain_ = false;
};

constexpr std::array<Example, 4> kBuildExamples = {{
    {"otto docker build", "build what is stale, on the default parent"},
    {"otto docker build api --explain", "build one image and say why"},
    {"otto docker build --dry-run --explain", "what would be built, without building"},
    {"otto docker build api --rebuild --on pepper_seed", "build it whatever its state, on that host"},
}};

}  // namespace

constinit const VerbInfo kDockerBuild = {
    "docker build",
    "[IMAGE...]",
    "build the images that are stale",
    "Builds the images of [[docker.images]] on a lab host, in dependency order. An image is tagged with the hash of "
    "what "
    "it is made from: its Dockerfile, build context, build arguments, target and platform, and the project's own "
    "images "
    "it is built from. Where an image of that tag is on the host already, nothing is sent and nothing is built; "
    "otherwise only the files that differ are sent.\n\n"
    "With --quiet only the full tags are printed, one a line.",
    kBuildExamples,
    "4 if images failed while others were built; an image that was up to date already does not count as done.",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerBuild>(); },
};

}  // namespace otto::cli

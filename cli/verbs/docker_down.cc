// `otto docker down`: the stack's containers and networks removed.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"
#include "cli/render/json.h"
#include "cli/render/report_text.h"
#include "cli/verbs/conclude.h"
#include "cli/verbs/invocation.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

class DockerDown : public Verb {
 public:
  void define(Definition& definition) override {
    definition.text("--on", "HOST", options_.on,
                    "take the stack down on this host; else the compose file's default_host, else the only host with "
                    "Docker");
    definition.number("--timeout", options_.timeout_s, 0, 86400, "1",
                      "seconds each container has to stop before it is killed");
    definition.flag("--volumes", options_.volumes, "remove the stack's named volumes too");
    definition.takes_no_operands(
        "down takes the whole stack; `docker compose stop SERVICE` on its host stops one service");
  }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const auto workspace, invocation.open({}));
    options_.dry_run = invocation.options().dry_run;
    if (invocation.options().verbose > 0 && !options_.volumes) {  // a habit from Compose, whose -v means them
      invocation.complain("-v shows more and leaves the volumes; --volumes removes them\n");
    }
    OTTO_TRY(const std::vector<docker::DownReport> reports, docker::compose_down(*workspace, options_));
    if (invocation.json()) {
      invocation.print_json(json::down(reports));
    } else if (!invocation.options().quiet) {
      invocation.print(render_down(reports, {false, options_.dry_run}, invocation.terminal().out));
    }
    return conclude(invocation, reports);
  }

 private:
  docker::DownOptions options_;
};

constexpr std::array<Example, 3> kDownExamples = {{
    {"otto docker down", "remove the stack's containers and networks"},
    {"otto docker down --timeout 10", "give each container ten seconds to stop"},
    {"otto docker down --volumes --on pepper_seed", "its volumes too, on that host"},
}};

}  // namespace

constinit const VerbInfo kDockerDown = {
    "docker down",
    "",
    "take the compose stack down",
    "Stops and removes the containers and networks of the project's stack. Images and stages stay, so the next "
    "'otto docker up' has nothing to send or build. While another otto works on the same stack this one waits, saying "
    "for whom.\n\n"
    "With --quiet nothing is printed to standard output.",
    kDownExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerDown>(); },
};

}  // namespace otto::cli

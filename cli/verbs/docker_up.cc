// `otto docker up`: stale images built, then exactly the affected services created or recreated.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"
#include "cli/render/json.h"
#include "cli/render/report_text.h"
#include "cli/verbs/invocation.h"
#include "cli/verbs/outcome.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

class DockerUp : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operands("SERVICE", options_.services,
                        "services to bring up, with what they depend on; all without any");
    definition.text("--on", "HOST", options_.on,
                    "bring the stack up on this host; else the compose file's default_host, else the only host with "
                    "Docker");
    definition.flag("-d,--detach", as_ever_, "as Compose has it: otto never stays with what it has started");
    definition.flag("--build", as_ever_, "as Compose has it: otto always builds what is stale");
    definition.flag("--no-build", no_build_, "build nothing: use the images last built for this project there");
    definition.flag("--pull", options_.pull, "pull newer base images first, and build upon those that moved");
    definition.flag("--explain", explain_,
                    "say why each image was built and each service replaced, or what was found unchanged");
    definition.flag("--wait", options_.wait, "return when the services are running or healthy");
    definition.flag("--remove-orphans", options_.remove_orphans,
                    "remove containers of services that the compose files no longer have");
    definition.number("--timeout", options_.timeout_s, 0, 86400,
                      "seconds each container that is stopped has before it is killed; else its service's "
                      "stop_grace_period, or 1");
    definition.number("-j,--jobs", options_.jobs, 1, 256, "4", "how many images are built at once");
    definition.flag("-k,--keep-going", options_.keep_going,
                    "after a failed image, still build those that do not depend on it");
    definition.text("--trace", "FILE", trace_,
                    "write where the time went as a Chrome trace, to be opened in Perfetto: a row for each worker");
    definition.conflict("--pull", "--no-build");
    definition.conflict("--build", "--no-build");
  }

  Result<int> run(Invocation& invocation) override {
    if (trace_) OTTO_RETURN_IF_ERROR(invocation.trace_to(*trace_));
    OTTO_TRY(const auto workspace, invocation.open({}));
    options_.build = !no_build_;
    options_.dry_run = invocation.options().dry_run;
    OTTO_TRY(const std::vector<docker::UpReport> reports, docker::compose_up(*workspace, options_));
    if (invocation.json()) {
      invocation.print_json(json::up(reports));
    } else if (!invocation.options().quiet) {
      invocation.print(render_up(reports, {explain_, options_.dry_run}, invocation.terminal().out));
    }
    Outcome outcome;
    for (const docker::UpReport& report : reports) {
      invocation.complain(render_failures(report.build, invocation.terminal().err));
      outcome.add(report.build);
    }
    return outcome.exit_code();
  }

 private:
  docker::UpOptions options_;
  std::optional<std::string> trace_;
  bool no_build_ = false;
  bool explain_ = false;
  bool as_ever_ = false;  // asked for what is done anyway
};

constexpr std::array<Example, 4> kUpExamples = {{
    {"otto docker up", "bring the stack up to date with what is on disk"},
    {"otto docker up --explain", "the same, saying why each image and service was made anew"},
    {"otto docker up api --wait", "one service and its dependencies, until healthy"},
    {"otto docker up --on pepper_seed --no-build", "start what was last built there"},
}};

}  // namespace

constinit const VerbInfo kDockerUp = {
    "docker up",
    "[SERVICE...]",
    "build what is stale and bring the compose stack up",
    "Builds stale images as 'otto docker build' does, then creates or recreates exactly the services whose image, "
    "definition or staged files changed, and those that cannot live on without a restart of them. Where nothing "
    "changed, "
    "nothing is sent, built or restarted, and one line says so. If an image fails, nothing is started on that host and "
    "the running stack stays as it is.\n\n"
    "A service that has exited is started again, unless it is a one-shot that exited 0: another service waits for it "
    "with service_completed_successfully, or its definition has restart: \"no\" or x-otto: {oneshot: true}. Services "
    "that "
    "are paused, unhealthy or restarted again and again are named every time. What an interrupted command left half "
    "done "
    "is put right first, and said in one line. While another otto works on the same stack this one waits, saying for "
    "whom, and then reads everything anew.\n\n"
    "An interrupted command returns within two seconds and says what state each service is in; a container that needs "
    "longer to stop is stopped by the engine meanwhile.\n\n"
    "With --quiet nothing is printed to standard output.",
    kUpExamples,
    "4 if one host's stack is up and another's failed, or images failed while others were built.",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerUp>(); },
};

}  // namespace otto::cli

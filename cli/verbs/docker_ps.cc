// `otto docker ps`: containers of one host, or of every host with Docker.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"
#include "cli/render/errors.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "cli/verbs/invocation.h"
#include "cli/verbs/outcome.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

std::string container_ids(const std::vector<docker::HostContainers>& hosts) {
  std::vector<std::string> ids;
  for (const docker::HostContainers& host : hosts) {
    for (const docker::ContainerInfo& container : host.containers) ids.push_back(container.id);
  }
  return render_lines(ids);
}

class DockerPs : public Verb {
 public:
  void define(Definition& definition) override {
    definition.text("--on", "HOST", on_, "only this host; else every host with Docker in the lab");
    definition.flag("-a,--all", all_, "stopped containers too");
    definition.takes_no_operands("ps lists whole hosts: --on HOST takes one, `| grep NAME` the rest");
  }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const auto workspace, invocation.open({}));
    OTTO_TRY(const std::vector<docker::HostContainers> hosts, docker::compose_ps(*workspace, on_, all_));
    if (invocation.json()) {
      invocation.print_json(json::ps(hosts));
    } else {
      invocation.print(invocation.options().quiet ? container_ids(hosts) : render_ps(hosts, invocation.terminal().out));
    }
    Outcome outcome;
    for (const docker::HostContainers& host : hosts) {
      if (host.error) {
        invocation.complain(render_error(*host.error, invocation.terminal().err));
        outcome.add_failure(host.error->code);
      } else if (!host.reachable) {
        outcome.add_failure(ErrorCode::kUnreachable);
      } else {
        outcome.add_success();
      }
    }
    return outcome.exit_code();
  }

 private:
  std::optional<std::string> on_;
  bool all_ = false;
};

constexpr std::array<Example, 3> kPsExamples = {{
    {"otto docker ps", "running containers of every host with Docker"},
    {"otto docker ps --on pepper_seed --all", "stopped ones too, of one host"},
    {"otto docker ps -q --on pepper_seed", "only container ids"},
}};

}  // namespace

constinit const VerbInfo kDockerPs = {
    "docker ps",
    "",
    "list containers on lab hosts",
    "Lists the containers of one host, or of every host with Docker in the lab, asked at once. Containers of the "
    "project's stack are shown by the id that 'otto host' takes.\n\n"
    "With --quiet only container ids are printed, one a line.",
    kPsExamples,
    "4 if some hosts could not be asked; 3 if none could be reached.",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerPs>(); },
};

}  // namespace otto::cli

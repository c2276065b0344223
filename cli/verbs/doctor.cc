// `otto doctor`: what works and what does not, from the configuration to a Docker command on a host.
#include "otto/doctor.h"

#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/exit_code.h"
#include "cli/command_line/verb.h"
#include "cli/render/doctor_text.h"
#include "cli/render/json.h"
#include "cli/verbs/invocation.h"
#include "cli/verbs/outcome.h"

namespace otto::cli {
namespace {

class Doctor : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operands("HOST", hosts_, "machines or containers to look at; else every machine of the lab");
    definition.text_list("--on", "HOST", hosts_on_, "the same as HOST");
  }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const WorkspaceOptions options, invocation.workspace_options({}));
    std::vector<std::string> ids = hosts_;
    ids.insert(ids.end(), hosts_on_.begin(), hosts_on_.end());
    OTTO_TRY(const Diagnosis diagnosis, diagnose(options, ids, invocation.progress(), invocation.stop()));
    invocation.print(json::doctor(diagnosis), render_diagnosis(diagnosis, invocation.terminal().out));
    if (const Check* failure = first_failure(diagnosis.configuration)) return exit_code(*failure->code);
    Outcome outcome;
    for (const HostDiagnosis& host : diagnosis.hosts) {
      const Check* failure = first_failure(host.checks);
      if (failure == nullptr) {
        outcome.add_success();
      } else {
        outcome.add_failure(*failure->code);
      }
    }
    return outcome.exit_code();
  }

 private:
  std::vector<std::string> hosts_, hosts_on_;
};

constexpr std::array<Example, 3> kDoctorExamples = {{
    {"otto doctor", "the configuration and every machine of the lab"},
    {"otto doctor pepper_seed", "one machine, from its hops to its Docker engine"},
    {"otto doctor pepper_seed.repo1.api --format json", "a container and its parent, for a script"},
}};

}  // namespace

constinit const VerbInfo kDoctor = {
    "doctor",
    "[HOST...]",
    "check the way from the configuration to Docker on each host",
    "Checks every step from the configuration to a Docker command, for the hosts named or for every machine of the "
    "lab: settings, lab and memo; the route with what ~/.ssh/config adds; for each hop and the host itself the "
    "connection, the host key and the log-in; the log-in shell and what its rc files print; supervised jobs, tools and "
    "the clock; and where the host runs Docker the stage folder, the docker command, the engine and whether this user "
    "may use it, buildx, Compose and the space on the engine's disk. For a container: its parent, whether it runs, and "
    "its shell. Each failure comes with its mend; what follows from a failure is skipped.\n\n"
    "Nothing is changed, but that a new host key is recorded as always and what otto remembers of a parent's versions "
    "is asked anew.\n\n"
    "JSON: {\"configuration\": [CHECK...], \"hosts\": [{\"id\", \"checks\": [CHECK...]}]}; CHECK: {\"step\", "
    "\"status\": "
    "\"ok\"|\"warning\"|\"failed\"|\"skipped\", \"detail\", \"subject\"?, \"hint\"?, \"code\"?}.",
    kDoctorExamples,
    "2 if the configuration is wrong; 3 if the hosts cannot be reached or refuse the log-in; 4 if some hosts are well "
    "and others are not. Warnings do not count.",
    []() -> std::unique_ptr<Verb> { return std::make_unique<Doctor>(); },
};

}  // namespace otto::cli

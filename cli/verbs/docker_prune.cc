// `otto docker prune`: hash tags, stages and records that are needed no longer.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "cli/render/prune_text.h"
#include "cli/verbs/conclude.h"
#include "cli/verbs/invocation.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

std::string removed_names(const std::vector<docker::PruneReport>& reports) {
  std::vector<std::string> names;
  for (const docker::PruneReport& report : reports) {
    for (const docker::PruneEntry& entry : report.removed) names.push_back(entry.name);
  }
  return render_lines(names);
}

class DockerPrune : public Verb {
 public:
  void define(Definition& definition) override {
    definition.text("--on", "HOST", options_.on,
                    "prune this host; else the default_host of the compose files, else the only host with Docker");
    definition.number("--keep", options_.keep, 0, 1'000'000, "0", "of each image, keep so many older builds");
  }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const auto workspace, invocation.open({}));
    options_.dry_run = invocation.options().dry_run;
    OTTO_TRY(const std::vector<docker::PruneReport> reports, docker::prune_images(*workspace, options_));
    if (invocation.json()) {
      invocation.print_json(json::prune(reports));
    } else {
      invocation.print(invocation.options().quiet ? removed_names(reports)
                                                  : render_prune(reports, options_.dry_run, invocation.terminal().out));
    }
    return conclude(invocation, reports);
  }

 private:
  docker::PruneOptions options_;
};

constexpr std::array<Example, 3> kPruneExamples = {{
    {"otto docker prune --dry-run -v", "what would be removed, and what is kept and why"},
    {"otto docker prune", "remove what this project needs no longer"},
    {"otto docker prune --keep 3 --on pepper_seed", "on that host, keep three older builds of each image"},
}};

}  // namespace

constinit const VerbInfo kDockerPrune = {
    "docker prune",
    "",
    "remove tags, stages and records that are needed no longer",
    "Removes from a host what this project has no use for any more: hash tags that this user built there (as this "
    "machine's memo knows), stages of build contexts that no declared image has, and records of images that are no "
    "longer declared.\n\n"
    "Kept are the tags of what is on disk now, those last brought up, whatever a container uses, running or not, and "
    "with --keep N the N newest others of each image. Things of other users and other projects are not looked at. A "
    "stage that another otto works with is left alone; a pruned one is sent anew when it is needed again.\n\n"
    "A tag's size is that of its image with the layers it shares with others, so a sum is an upper bound. With -v what "
    "is kept is listed too, with the reason.\n\n"
    "JSON: {\"parent\", \"repo\", \"removed\": [{\"kind\": \"tag\"|\"stage\"|\"record\", \"name\", \"size\"}], "
    "\"kept\": "
    "[{\"kind\", \"name\", \"size\", \"why\"}], \"size\"}; of several {\"reports\": [...]}. With --dry-run \"removed\" "
    "is what would be.\n\n"
    "With --quiet only the names of what was removed are printed, one a line.",
    kPruneExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerPrune>(); },
};

}  // namespace otto::cli

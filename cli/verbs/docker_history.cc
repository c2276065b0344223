// `otto docker history`: the recorded builds, and what was done to services.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/exit_code.h"
#include "cli/command_line/verb.h"
#include "cli/render/history_text.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "cli/verbs/invocation.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

std::string tags_of(const std::vector<docker::RecordedBuild>& builds) {
  std::vector<std::string> tags;
  for (const docker::RecordedBuild& build : builds) tags.push_back(build.tag);
  return render_lines(tags);
}

class DockerHistory : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operands("IMAGE|SERVICE", names_, "the image or service whose record is listed; all without any");
    definition.number("--limit", limit_, 0, 1'000'000, "20",
                      "at most so many builds, and so many actions, of each repo; 0: all");
  }

  Result<int> run(Invocation& invocation) override {
    if (names_.size() > 1)
      return make_error(ErrorCode::kUsage, "unexpected argument '" + names_[1] + "'",
                        "history takes one name, of an image or a service; without any it lists all");
    docker::HistoryOptions options;
    if (!names_.empty()) options.name = names_.front();
    options.limit = limit_;
    OTTO_TRY(const auto workspace, invocation.open({.lab = false}));
    OTTO_TRY(const docker::History history, docker::history(*workspace, options));
    if (invocation.json()) {
      invocation.print_json(json::history(history));
    } else {
      invocation.print(invocation.options().quiet ? tags_of(history.builds)
                                                  : render_history(history, invocation.terminal().out));
    }
    return kExitDone;
  }

 private:
  std::vector<std::string> names_;
  unsigned limit_ = 20;
};

constexpr std::array<Example, 3> kHistoryExamples = {{
    {"otto docker history", "the last 20 builds of this repo, and the last 20 things done to its services"},
    {"otto docker history api --limit 0", "all that is remembered of the image and the service of that name"},
    {"otto docker history --format json", "the same for a script"},
}};

}  // namespace

constinit const VerbInfo kDockerHistory = {
    "docker history",
    "[IMAGE|SERVICE]",
    "list recorded builds and what was done to services: when, where, why",
    "Lists the builds that this machine's memo recorded, newest first: when they ended, on which host, how long they "
    "took, what was uploaded, and each reason. 'cached' is an image that was there already and became the project's "
    "current one, for example after an edit was taken back. Among them, by their time, are the services that 'otto "
    "docker up' created, recreated or started, and those that 'otto docker down' removed, with each reason. No host is "
    "contacted and nothing is written.\n\n"
    "JSON: {\"builds\": [{\"at\", \"repo\", \"image\", \"parent\", \"status\": \"built\"|\"cached\", \"tag\", "
    "\"hash\", "
    "\"image_id\", \"reasons\", \"uploaded_bytes\", \"uploaded_files\", \"duration_ms\"}], \"services\": [{\"at\", "
    "\"repo\", \"parent\", \"service\", \"host_id\", \"action\", \"reasons\", \"image\"}]}.\n\n"
    "With --quiet only tags of builds are printed, one a line.",
    kHistoryExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerHistory>(); },
};

}  // namespace otto::cli

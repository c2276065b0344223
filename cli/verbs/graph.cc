// `otto graph`: what there is, what depends on what, and what is stale.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/verb.h"
#include "cli/render/graph_text.h"
#include "cli/render/json.h"
#include "cli/verbs/conclude.h"
#include "cli/verbs/invocation.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

class Graph : public Verb {
 public:
  void define(Definition& definition) override {
    definition.text("--on", "HOST", on_,
                    "judge on this host; else the default_host of the compose files, else the only host with Docker");
  }

  [[nodiscard]] bool draws() const override { return true; }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const auto workspace, invocation.open({}));
    OTTO_TRY(const std::vector<docker::GraphReport> reports, docker::graph_of(*workspace, on_));
    switch (invocation.options().format) {
      case Format::kJson: invocation.print_json(json::graph(reports)); break;
      case Format::kDot: invocation.print(render_graph_dot(reports)); break;
      case Format::kText: invocation.print(render_graph(reports, invocation.terminal().out)); break;
    }
    return conclude(invocation, reports);
  }

 private:
  std::optional<std::string> on_;
};

constexpr std::array<Example, 3> kGraphExamples = {{
    {"otto graph", "the graph as a tree, with what is stale and why"},
    {"otto graph --format dot", "the same for Graphviz: pipe it into 'dot -Tsvg'"},
    {"otto graph --format json --on pepper_seed", "the same for a script, judged on that host"},
}};

}  // namespace

constinit const VerbInfo kGraph = {
    "graph",
    "",
    "show images, stacks and what they depend on, with their state",
    "Shows the stack with its containers, the services they stand for, which are made from the stack's files and an "
    "image, and what each image is made from: Dockerfile, build context, the project's own images and base images. "
    "Each node is fresh, stale (with the reason), or unknown: where "
    "the host cannot be asked, or where there is no build to compare with. The state is what 'otto docker up' would "
    "act on; nothing is changed.\n\n"
    "As text it is a tree; what several nodes share is shown once and named again with '(see above)'. '--format dot' "
    "writes a picture for Graphviz.\n\n"
    "JSON: {\"parent\", \"parent_reachable\", \"repo\", \"nodes\": [{\"id\", \"kind\": "
    "\"stack\"|\"stack-files\"|\"service\"|\"container\"|\"image\"|\"dockerfile\"|\"context\"|\"base-image\", "
    "\"name\", \"state\": "
    "\"fresh\"|\"stale\"|\"unknown\", \"reasons\", \"why\", \"inputs\": [id...]}]}; of several {\"reports\": [...]}.",
    kGraphExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<Graph>(); },
};

}  // namespace otto::cli

// `otto docker context`: the files that would be sent for an image.
#include <array>

#include "cli/command_line/definition.h"
#include "cli/command_line/exit_code.h"
#include "cli/command_line/verb.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "cli/verbs/invocation.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

class DockerContext : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operand("IMAGE", image_, "the image whose build context is listed");
  }

  Result<int> run(Invocation& invocation) override {
    OTTO_TRY(const auto workspace, invocation.open({.lab = false}));
    OTTO_TRY(const docker::ContextListing listing, docker::list_context(*workspace, image_));
    const auto print = [&](std::string_view piece) { invocation.print(piece); };
    if (invocation.json()) {
      if (invocation.options().dry_run) {
        std::string whole;
        json::context(listing, [&whole](std::string_view piece) { whole += piece; });
        invocation.print_json(whole);
      } else {
        json::context(listing, print);
      }
    } else if (invocation.options().quiet) {
      render_context_paths(listing, print);
    } else {
      render_context(listing, invocation.terminal().out, print);
    }
    return kExitDone;
  }

 private:
  std::string image_;
};

constexpr std::array<Example, 2> kContextExamples = {{
    {"otto docker context api", "what would be sent for the image api"},
    {"otto docker context api --format json", "the same for a script, with modes and sizes"},
}};

}  // namespace

constinit const VerbInfo kDockerContext = {
    "docker context",
    "IMAGE",
    "list the files that would be sent for an image",
    "Lists the build context as the Docker engine would see it: after .dockerignore, with modes and sizes, sorted by "
    "path. The last line is the sum. No host is contacted.\n\n"
    "With --quiet only paths are printed, one a line.",
    kContextExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerContext>(); },
};

}  // namespace otto::cli

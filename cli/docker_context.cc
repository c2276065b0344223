// `otto docker context`: the files that would be sent for an image.
#include <array>

#include "cli/definition.h"
#include "cli/exit_code.h"
#include "cli/render/json.h"
#include "cli/render/list_text.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "otto/docker.h"

namespace otto::cli {
namespace {

std::string paths(const docker::ContextListing& listing) {
  std::vector<std::string> all;
  for (const graph::ContextEntry& entry : listing.manifest.entries) all.push_back(entry.path);
  return render_lines(all);
}

class DockerContext : public Verb {
 public:
  void define(Definition& definition) override {
    definition.operand("IMAGE", image_, "the image whose build context is listed");
  }

  Result<int> run(Session& session) override {
    OTTO_TRY(const auto workspace, session.open({.lab = false}));
    OTTO_TRY(const docker::ContextListing listing, docker::list_context(*workspace, image_));
    if (session.json()) {
      session.print(json::context(listing));
    } else {
      session.print(session.options().quiet ? paths(listing) : render_context(listing, session.terminal().out));
    }
    return kExitDone;
  }

 private:
  std::string image_;
};

constexpr std::array<Example, 2> kExamples = {{
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
    kExamples,
    "",
    []() -> std::unique_ptr<Verb> { return std::make_unique<DockerContext>(); },
};

}  // namespace otto::cli

#include "engine/images/image_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/base/text.h"

namespace otto::images {

Result<std::string> image_change(const std::string& image, const ReasonsOf& reasons_of) {
  std::vector<std::string> path = {image};
  for (;;) {
    OTTO_TRY(const std::vector<graph::Reason> reasons, reasons_of(path.front()));
    const auto upstream = std::ranges::find(reasons, graph::ReasonKind::kUpstreamChanged, &graph::Reason::kind);
    const bool further = upstream != reasons.end() && std::ranges::find(path, upstream->subject) == path.end();
    if (further) {
      path.insert(path.begin(), upstream->subject);
      continue;
    }
    const std::string along = text::join(path, " → ");
    if (reasons.empty()) return path.size() == 1 ? "" : along;
    return fmt::format("{}: {}", along, graph::in_short(reasons));
  }
}

}  // namespace otto::images

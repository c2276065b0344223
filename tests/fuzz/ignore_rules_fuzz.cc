// Any bytes as an ignore file: rules or one kConfig error that names the line, and verdicts that do not depend on how
// they are asked for. The file's own lines are the paths asked about.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/context/ignore_rules.h"
#include "graph/base/text.h"

namespace {

using otto::context::IgnoreRules;

void ask(const IgnoreRules& rules, std::string_view path) {
  IgnoreRules::ParentState parent;
  bool pruned = false, last = false;
  for (std::size_t from = 0, end = 0; end != std::string_view::npos; from = end + 1) {
    end = path.find('/', from);
    const std::string_view head = path.substr(0, end);
    IgnoreRules::ParentState state;
    last = rules.ignored(head, parent, &state);
    OTTO_CHECK(last == rules.ignored(head, parent));
    OTTO_CHECK(!pruned || rules.may_prune(head));
    pruned = rules.may_prune(head);
    parent = std::move(state);
  }
  static_cast<void>(rules.ignored(path, {}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rules = IgnoreRules::parse(text, "f");
  if (!rules) {
    OTTO_CHECK(rules.error().code == otto::ErrorCode::kConfig && rules.error().message.starts_with("f:"));
    return 0;
  }
  ask(*rules, "a/b/c.d");
  int asked = 0;
  for (const std::string& line : otto::text::split(text, '\n')) {
    if (!line.empty() && line.size() < 300 && ++asked < 8) ask(*rules, line);
  }
  return 0;
}

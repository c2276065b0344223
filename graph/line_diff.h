// The lines in which two texts differ, for explaining a changed Dockerfile.
//
// A shortest edit by lines (longest common subsequence), after what both begin and end with was put aside. Bounded in
// time, memory and length of the answer: it is for people. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace otto::graph {

/// "- 3: EXPOSE 8080\n+ 3: EXPOSE 8081": lines gone with their old number, lines come with their new one; after `limit`
/// of them "… and 7 more lines". Long lines are cut. Empty: the texts have the same lines.
std::string describe_line_changes(std::string_view before, std::string_view now, std::size_t limit = 10);

}  // namespace otto::graph

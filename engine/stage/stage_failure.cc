#include "engine/stage/stage_failure.h"

#include <fmt/format.h>

#include "engine/stage/stage_script.h"
#include "graph/base/text.h"

namespace otto::stage {
namespace {

/// What the script itself said last, which names the trouble; where that may be anything, with the tools' words before
/// it, a few lines at most.
std::string told(int code, std::string_view words) {
  constexpr std::string_view kMark = "otto-stage: ";
  constexpr int kLines = 3;
  words = text::trim(words);
  const auto own = words.rfind(kMark);
  if (code != kStageUnusable && own != std::string_view::npos) words.remove_prefix(own + kMark.size());
  auto from = words.size();
  for (int line = 0; line < kLines && from != 0 && from != std::string_view::npos; ++line)
    from = words.rfind('\n', from - 1);
  if (from != 0 && from != std::string_view::npos) words.remove_prefix(from + 1);
  auto shown = text::printable(words);
  return shown.empty() ? fmt::format("the job ended with {}", code) : shown;
}

std::string_view hint_for(int code) {
  switch (code) {
    case kStageFull: return "free some space there, or name another directory as \"stage_dir\" in hosts.json";
    case kStageForeign:
      return "nothing was changed. Give it back to the account that otto uses there (chown, in a container that has it "
             "mounted or as root), or undo the edit here";
    case kStageLinked: return "nothing was written through it. Remove the link there, or see who made it";
    case kStageOccupied:
      return "nothing was changed. Move those files away, in a container that has them mounted, or undo the edit here";
    case kStageMeddled: return "run the command again once nobody else writes there";
    case kStageClosed: return "let its owner read and enter it (chmod u+rx), or leave it out with an ignore rule";
    case kStageTruncated: return "run the command again";
    default: return "see that the account may write there, or name another directory as \"stage_dir\" in hosts.json";
  }
}

}  // namespace

Error stage_failure(int code, std::string_view host, std::string_view root, std::string words) {
  const auto said = told(code, words);
  if (code == kStageUnsupported)
    return make_error(ErrorCode::kUnsupported, fmt::format("{} cannot hold a stage: {}", host, said),
                      "install GNU tar, findutils, coreutils and util-linux there");
  return make_error(ErrorCode::kIo, fmt::format("the stage below {} on {} cannot be used: {}", root, host, said),
                    std::string(hint_for(code)));
}

}  // namespace otto::stage

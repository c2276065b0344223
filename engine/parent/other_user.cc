#include "engine/parent/other_user.h"

#include <algorithm>

#include "engine/parent/scripts.h"

namespace otto::parent {

bool changes_user(const std::vector<std::string>& command) {
  return std::any_of(command.begin(), command.end(), [](const std::string& word) {
    const std::string_view name = std::string_view(word).substr(word.rfind('/') + 1);
    return name == "sudo" || name == "doas";
  });
}

std::string_view hangable_function() { return kHangableScript; }

}  // namespace otto::parent

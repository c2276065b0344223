#include "engine/hosts/transfer_script.h"

#include "engine/hosts/scripts.h"

namespace otto::hosts {

std::string_view put_script() { return kPutScript; }
std::string_view get_script() { return kGetScript; }

std::string own_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "." || name == ".." ? std::string() : std::string(name);
}

}  // namespace otto::hosts

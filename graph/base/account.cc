#include "graph/base/account.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace otto {

const Account& account() {
  static const Account self = []() -> Account {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
      return {entry.pw_name, entry.pw_dir};
    }
    const char* user = std::getenv("USER");
    return {user != nullptr && *user != '\0' ? user : std::to_string(::getuid()), "/"};
  }();
  return self;
}

std::string home_directory() {
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? home : account().home;
}

std::string expand_home(std::string_view path) {
  if (path == "~") return home_directory();
  if (path.starts_with("~/")) return home_directory() + std::string(path.substr(1));
  return std::string(path);
}

}  // namespace otto

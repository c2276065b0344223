#include "graph/base/account.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace otto {

const Account& account() {
  static const Account self = []() -> Account {
    std::vector<char> buffer(4096);
    passwd entry{};
    passwd* found = nullptr;
    while (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == ERANGE) {
      buffer.resize(buffer.size() * 2);
    }
    if (found != nullptr) return {entry.pw_name, entry.pw_dir, entry.pw_name};
    const std::string number = std::to_string(::getuid());
    const char* user = std::getenv("USER");
    return {user != nullptr && *user != '\0' ? user : number, "/", number};
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

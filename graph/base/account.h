// Whose process this is, and where that account's own files lie.
//
// Looked up once and without a shared buffer: several threads ask. (getpwuid() has one for the whole process.)
#pragma once

#include <string>
#include <string_view>

namespace otto {

struct Account {
  std::string name;
  std::string home;
  std::string word;  ///< its name where passwd(5) knows it, else its number: what USER says does not count
};
/// passwd(5)'s, looked up once; USER (else the number of the account) and "/" where it does not know the account.
const Account& account();

/// HOME; the account's where that is empty.
std::string home_directory();
/// "~/x" and "~" with home_directory().
std::string expand_home(std::string_view path);

}  // namespace otto

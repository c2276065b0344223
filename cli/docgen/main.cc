// Writes docs/cli/reference.md and docs/cli/otto.1 into the directory given: `otto_docgen docs/cli`.
#include <cstdio>
#include <fstream>
#include <string>

#include "cli/command_line/docs.h"

namespace {

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "otto_docgen: %s could not be written\n", path.c_str());
  return static_cast<bool>(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: otto_docgen DIRECTORY\n");
    return 2;
  }
  const std::string directory = argv[1];
  const bool done = write(directory + "/reference.md", otto::cli::reference_markdown()) &&
                    write(directory + "/otto.1", otto::cli::man_page());
  return done ? 0 : 1;
}

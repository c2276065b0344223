// Compose files and env files of any bytes are read or refused, never worse; nothing is staged outside the stage.
#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "engine/compose/compose_file.h"
#include "engine/compose/env_file.h"
#include "engine/stack/stack_model.h"

namespace {

/// A directory that goes with the process.
struct Scratch {
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "otto-fuzz-XXXXXX").string();
    OTTO_CHECK(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

/// Staged paths are relative to the tree; what lies above the repo is staged beside it, in the stage's own "above".
bool is_inside_the_stage(std::string_view staged) {
  constexpr std::string_view kAbove = "../above/";
  if (staged.starts_with(kAbove)) staged.remove_prefix(kAbove.size());
  if (staged.empty() || staged.front() == '/') return false;
  for (const std::filesystem::path& name : std::filesystem::path(staged)) {
    if (name == "..") return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scratch scratch;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::filesystem::path file = scratch.path / "compose.yml";
  std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
  const auto getenv = [](const char* name) -> const char* { return *name == 'A' ? "a" : nullptr; };
  const auto inputs = otto::compose::read_compose_files(scratch.path, {file}, "project", getenv);
  if (inputs) {
    for (const otto::compose::StagedPath& path : inputs->paths) {
      OTTO_CHECK(is_inside_the_stage(path.staged));
    }
  }
  otto::compose::env_file_names(text);
  (void)otto::stack::parse_stack_model(text, {"/stage"});
  otto::stack::parse_stored_stack_model(text);
  return 0;
}

// Large files as recipes: which runs of chunks the parent takes from a file it has, and which bytes are sent.
//
// The parent puts the file together beside the tree, before anything is changed there, and compares its SHA-256: a
// recipe can be wrong only in costing a second exchange. Its chunk list is put together in the same way. Must not know
// how sections travel. Runs on the caller's thread; memory is that of the lists.
#pragma once

#include <cstddef>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/archive/source_file.h"
#include "engine/stage/stage_delta.h"

namespace otto::stage {

/// A file of `delta.send` and what it might be made from.
struct RecipeCandidate {
  std::size_t at = 0;                           ///< in delta.send
  const graph::ContextEntry* source = nullptr;  ///< of the base's manifest
};

/// Large files that changed, and new ones of which an old one that goes may be an earlier version.
std::vector<RecipeCandidate> recipe_candidates(const StageDelta& delta, const StageBase& base,
                                               const StagedEntries& wanted);

/// Moves to `delta.recipes` what is worth it. `lists`: the parent's, by hex digest of the content. Errors as
/// SourceFile::read.
Result<void> make_recipes(StageDelta& delta, const std::vector<RecipeCandidate>& candidates,
                          const std::map<std::string, ChunkList>& lists, const archive::SourceLocator& locate,
                          const std::stop_token& stop);

/// What the parent does with them: calls of begin, old, new, end, begin_list (stage_script.cc).
std::string recipes_script(const std::vector<Recipe>& recipes);
/// The bytes that `new` refers to, all together.
std::uint64_t literal_bytes(const std::vector<Recipe>& recipes);

/// Reads those bytes, a chunk at a time; kInputsChanged where a chunk is no longer what it was.
class LiteralReader {
 public:
  LiteralReader(const std::vector<Recipe>& recipes, archive::SourceLocator locate, std::stop_token stop);
  /// False: there are no more.
  Result<bool> next(std::string& bytes);

 private:
  Result<void> read_chunk(const Recipe& recipe, std::size_t chunk, std::string& bytes);

  const std::vector<Recipe>& recipes_;
  archive::SourceLocator locate_;
  std::stop_token stop_;
  std::size_t recipe_ = 0;
  std::size_t run_ = 0;
  std::size_t chunk_ = 0;  // within the run
  std::optional<archive::SourceFile> file_;
  std::vector<std::uint64_t> offsets_;  // of the recipe's chunks
};

}  // namespace otto::stage

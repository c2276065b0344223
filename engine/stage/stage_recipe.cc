#include "engine/stage/stage_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "graph/base/text.h"

namespace otto::stage {
namespace {

using graph::ContextEntry;
using graph::EntryType;

constexpr std::size_t kMostFiles = 64;   // in one exchange; the others go whole
constexpr std::size_t kMostPieces = 64;  // of one file: each is a process on the parent
constexpr std::size_t kAllPieces = 512;  // of all
constexpr std::uint32_t kOutgrown = 4;   // times the average: a new list is worth its bytes

bool is_large(const ContextEntry& entry) {
  return entry.type == EntryType::kFile && entry.size >= kLargeFile && !lies_beside(entry.path);
}

std::string_view extension(std::string_view path) {
  auto name = path.substr(path.rfind('/') + 1);
  auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot);
}

std::uint64_t apart(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

/// Of files that go, the one that looks most like an earlier version.
const ContextEntry* earlier_version(const ContextEntry& entry, const std::vector<const ContextEntry*>& gone) {
  const ContextEntry* best = nullptr;
  for (const auto* old : gone) {
    if (extension(old->path) != extension(entry.path) || old->size / 2 > entry.size || entry.size / 2 > old->size)
      continue;
    if (best == nullptr || apart(old->size, entry.size) < apart(best->size, entry.size)) best = old;
  }
  return best;
}

std::vector<std::uint64_t> chunk_offsets(const ChunkList& list) {
  std::vector<std::uint64_t> offsets;
  offsets.reserve(list.chunks.size() + 1);
  std::uint64_t offset = 0;
  for (const auto& chunk : list.chunks) {
    offsets.push_back(offset);
    offset += chunk.size;
  }
  offsets.push_back(offset);
  return offsets;
}

/// The records of a recipe's list that the parent has not.
std::string list_literal(const Recipe& recipe) {
  if (recipe.outgrown) return serialize(*recipe.outgrown);
  std::string records;
  for (const auto& run : recipe.runs)
    for (std::size_t at = run.first; !run.old && at < run.first + run.count; ++at)
      records += serialize(recipe.list.chunks[at]);
  return records;
}

Result<std::optional<Recipe>> make_recipe(const SentEntry& sent, const ContextEntry& source, const ChunkList& old,
                                          const archive::SourceLocator& locate, const std::stop_token& stop) {
  if (old.bytes() != source.size) return std::optional<Recipe>();
  Recipe recipe{sent, source.path, source.digest, {}, {}, {}, {}};
  OTTO_TRY(auto file, archive::SourceFile::open(locate(sent.entry->path), *sent.entry));
  Chunker chunker(old.average);
  const auto best = chunk_average(sent.entry->size);
  std::optional<Chunker> another;
  if (best / kOutgrown >= old.average) another.emplace(best);
  OTTO_RETURN_IF_ERROR(file.read(
      [&](std::string_view bytes) {
        chunker.update(bytes);
        if (another) another->update(bytes);
        return Result<void>();
      },
      stop));
  recipe.list = chunker.finish();
  if (another) recipe.outgrown = another->finish();
  recipe.runs = match_chunks(old, recipe.list, kMostPieces);
  if (recipe.runs.empty()) return std::optional<Recipe>();
  recipe.old_offsets = chunk_offsets(old);
  return std::optional(std::move(recipe));
}

/// Writes the calls of one recipe; `literals` is where its new bytes begin, and then where they end.
void write_calls(const Recipe& recipe, std::uint64_t& literals, std::string& script) {
  const auto& entry = *recipe.sent.entry;
  const auto offsets = chunk_offsets(recipe.list);
  auto out = std::back_inserter(script);
  const auto fresh = [&](std::uint64_t size) {
    fmt::format_to(out, "new {} {}\n", literals, size);
    literals += size;
  };
  fmt::format_to(out, "begin {} {}\n", text::shell_quote(entry.path), text::shell_quote(recipe.source));
  for (const auto& run : recipe.runs) {
    const auto& from = run.old ? recipe.old_offsets : offsets;
    const auto size = from[run.first + run.count] - from[run.first];
    if (run.old) fmt::format_to(out, "old {} {}\n", from[run.first], size);
    if (!run.old) fresh(size);
  }
  fmt::format_to(out, "end {} {}.{:09} {:o}\n", entry.digest.hex(), staged_seconds(entry), recipe.sent.nanoseconds,
                 entry.mode);
  fmt::format_to(out, "begin_list {} {}\n", entry.digest.hex(), recipe.source_digest.hex());
  if (recipe.outgrown) return fresh(list_literal(recipe).size());
  fmt::format_to(out, "old 0 {}\n", kChunkRecord);
  for (const auto& run : recipe.runs) {
    if (run.old) fmt::format_to(out, "old {} {}\n", (run.first + 1) * kChunkRecord, run.count * kChunkRecord);
    if (!run.old) fresh(run.count * kChunkRecord);
  }
}

}  // namespace

std::vector<RecipeCandidate> recipe_candidates(const StageDelta& delta, const StageBase& base,
                                               const StagedEntries& wanted) {
  std::vector<RecipeCandidate> candidates;
  if (std::none_of(delta.send.begin(), delta.send.end(), [](const SentEntry& sent) { return is_large(*sent.entry); }))
    return candidates;
  std::vector<const ContextEntry*> gone;
  for (const auto& old : base.manifest.entries)
    if (is_large(old) && !base.touched.contains(old.path) && wanted.find(old.path) == nullptr) gone.push_back(&old);
  for (std::size_t at = 0; at < delta.send.size() && candidates.size() < kMostFiles; ++at) {
    const auto& entry = *delta.send[at].entry;
    if (!is_large(entry)) continue;
    const auto* source = base.touched.contains(entry.path) ? nullptr : base.manifest.find(entry.path);
    if (source == nullptr || !is_large(*source)) source = earlier_version(entry, gone);
    if (source != nullptr) candidates.push_back({at, source});
  }
  return candidates;
}

Result<void> make_recipes(StageDelta& delta, const std::vector<RecipeCandidate>& candidates,
                          const std::map<std::string, ChunkList>& lists, const archive::SourceLocator& locate,
                          const std::stop_token& stop) {
  std::vector<bool> taken(delta.send.size());
  std::size_t pieces = 0;
  for (const auto& candidate : candidates) {
    const auto list = lists.find(candidate.source->digest.hex());
    if (list == lists.end()) continue;
    OTTO_TRY(auto recipe, make_recipe(delta.send[candidate.at], *candidate.source, list->second, locate, stop));
    if (!recipe || pieces + recipe->runs.size() > kAllPieces) continue;
    pieces += recipe->runs.size();
    taken[candidate.at] = true;
    delta.recipes.push_back(std::move(*recipe));
  }
  std::size_t at = 0;
  std::erase_if(delta.send, [&](const SentEntry&) { return taken[at++]; });
  return {};
}

std::string recipes_script(const std::vector<Recipe>& recipes) {
  std::string script;
  std::uint64_t literals = 0;
  for (const auto& recipe : recipes) write_calls(recipe, literals, script);
  return script;
}

std::uint64_t literal_bytes(const std::vector<Recipe>& recipes) {
  std::uint64_t literals = 0;
  std::string unused;
  for (const auto& recipe : recipes) write_calls(recipe, literals, unused);
  return literals;
}

LiteralReader::LiteralReader(const std::vector<Recipe>& recipes, archive::SourceLocator locate, std::stop_token stop)
    : recipes_(recipes), locate_(std::move(locate)), stop_(std::move(stop)) {}

Result<bool> LiteralReader::next(std::string& bytes) {
  while (recipe_ < recipes_.size()) {
    const auto& recipe = recipes_[recipe_];
    for (; run_ < recipe.runs.size(); ++run_, chunk_ = 0) {
      const auto& run = recipe.runs[run_];
      if (run.old || chunk_ == run.count) continue;
      OTTO_RETURN_IF_ERROR(read_chunk(recipe, run.first + chunk_++, bytes));
      return true;
    }
    bytes = list_literal(recipe);
    ++recipe_;
    run_ = chunk_ = 0;
    file_.reset();
    if (!bytes.empty()) return true;
  }
  return false;
}

Result<void> LiteralReader::read_chunk(const Recipe& recipe, std::size_t chunk, std::string& bytes) {
  if (stop_.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  if (!file_) {
    OTTO_TRY(auto opened, archive::SourceFile::open(locate_(recipe.sent.entry->path), *recipe.sent.entry));
    file_.emplace(std::move(opened));
    offsets_ = chunk_offsets(recipe.list);
  }
  OTTO_RETURN_IF_ERROR(file_->read_at(offsets_[chunk], recipe.list.chunks[chunk].size, bytes));
  if (chunk_digest(bytes) != recipe.list.chunks[chunk].digest) return archive::source_changed(file_->path(), "changed");
  return {};
}

}  // namespace otto::stage

// What a scan saw: directories with their entries, and how they become the sorted manifests.
//
// Bytewise order of whole paths is not the order of a tree walk ("a-b" < "a/b" < "a0"), so each directory sorts two
// items for a subdirectory: its own entry under "name", and all that lies below under "name/". Emitting items in that
// order gives the manifest sorted without sorting whole paths, and each directory can be filled in on its own once its
// place is known. Entries are small plain data in the arenas of the threads that list them: what is as known is not
// seen again, only pointed to. Threads: a directory belongs to one task at a time; an arena to one thread; ScanTree's
// functions are for the time after the walk, but for add() and new_pool().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/stat_manifest.h"
#include "engine/context/file_reader.h"
#include "engine/context/ignore_rules.h"
#include "graph/base/arena.h"
#include "graph/base/sync.h"
#include "graph/context_manifest.h"

namespace otto::context {

struct Directory;

struct SeenEntry {
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::uint32_t name_offset = 0;
  std::uint32_t known = kNone;  ///< index of the remembered entry of that path
  std::uint32_t seen = kNone;   ///< index of what was seen of it; kNone: `known` still holds, or it is a directory
  union {
    std::uint32_t child = kNone;  ///< index of a directory that was walked
    std::uint32_t target;         ///< of a symlink, where it was read
  };
  std::uint16_t name_size = 0;
  std::uint16_t mode = 0;
  graph::EntryType type = graph::EntryType::kFile;
  bool ignored : 1 = false;  ///< a directory that is sent only if something below it is
  bool gone : 1 = false;     ///< vanished, special or ignored: no part of the context
  bool racy : 1 = false;
  bool unseen : 1 = false;  ///< a file whose stat is taken only once it is read
  bool same : 1 = false;    ///< to be remembered exactly as it is known
};
static_assert(sizeof(SeenEntry) == 24);

/// What was seen of an entry that is not as known.
struct SeenFile {
  FileStat stat;
  graph::ChangeDigest change;  ///< of a file's content, as the next
  graph::Digest digest;
};

/// A place in a directory's order: an entry itself, or all that lies below a subdirectory.
struct OrderItem {
  std::uint32_t entry : 31;
  std::uint32_t below : 1;
};

/// What an entry is sorted by: most comparisons end with the head.
struct SortKey {
  std::uint64_t head;  ///< the first eight bytes of its name, or of "name/"
  OrderItem item;
};

/// A stretch of the manifests being written: counts of entries.
struct Extent {
  std::size_t entries = 0;
  std::size_t stats = 0;
};

/// The memory of directories that one thread listed one after another, given back when all of them are written.
struct DirectoryPool {
  Arena arena;
  std::vector<Directory*> listed;
  std::atomic<std::size_t> in_use{0};  ///< by how many directories, one that was listed and settled in it twice
};

struct Directory {
  Directory* parent = nullptr;
  std::uint32_t entry_in_parent = 0;
  std::string_view path;  ///< relative to the root; the root's is empty
  IgnoreRules::ParentState rule_state;
  bool ignored = false;
  std::uint64_t device = 0;
  bool remote = false;                         ///< on a network file system, whose clock is another machine's
  std::size_t known_begin = 0, known_end = 0;  ///< what was remembered of all below it
  bool expects_reading = false;                ///< its files are read without a look at their stat before
  bool same = false;                           ///< has no subdirectories, and all of it is as known

  std::string_view names;  ///< of the entries, each with a NUL behind it; in `listed_in`, as the entries
  std::span<SeenEntry> entries;
  LargeVector<FileStat> stats;  ///< of the entries, where more than one task takes them, until all are there
  std::atomic<std::uint32_t> stat_tasks_left{0};
  std::span<const OrderItem> order;  ///< in `settled_in`, as all below
  std::span<Directory* const> children;
  std::span<SeenFile> seen;
  std::span<const std::uint32_t> to_read;  ///< entries whose bytes or target must be read, into `seen` or:
  std::vector<std::string> targets;
  DirectoryPool* listed_in = nullptr;
  DirectoryPool* settled_in = nullptr;  ///< by the thread that took the last stat, as a rule the same pool

  Extent size;          ///< of all below it, once measured
  Extent begin;         ///< where that goes
  bool placed = false;  ///< false: a directory above it vanished, so it goes nowhere

  [[nodiscard]] std::string_view name(const SeenEntry& entry) const {
    return std::string_view(names).substr(entry.name_offset, entry.name_size);
  }
  [[nodiscard]] std::string path_of(std::string_view name) const;
  /// Sorts the entries into `order`, in `arena`; what is gone has no place in it.
  void sort_entries(Arena& arena, std::vector<SortKey>& scratch);
  /// Finds the remembered entry of each file and symlink; calls `found_below(entry, begin, end)` with what was
  /// remembered below each subdirectory.
  template <typename FoundBelow>
  void match_known(const LargeVector<cache::StatEntry>& known, FoundBelow found_below);
};

class ScanTree {
 public:
  ScanTree() = default;
  ScanTree(const ScanTree&) = delete;
  ScanTree& operator=(const ScanTree&) = delete;
  ~ScanTree();

  /// Any thread.
  Directory* add(Directory* parent, std::uint32_t entry_in_parent, std::string_view path);
  /// Any thread; for that thread.
  DirectoryPool* new_pool();

  /// Decides which directories belong to the context and where everything goes; true if all is as known.
  bool measure(const cache::StatManifest& known);
  /// Of everything, once measured.
  [[nodiscard]] Extent size() const { return total_; }
  /// What is to be remembered, once measured and before anything is forgotten: stored form, no second copy in memory.
  [[nodiscard]] std::string stored_stats(const cache::StatManifest& known);
  /// All directories, those of a pool together.
  [[nodiscard]] std::vector<Directory*> by_pool();
  /// Writes one directory's entries to their places, once measured; their texts go to `texts`. Different directories
  /// may be written at once.
  static void write(const Directory& directory, const cache::StatManifest& known,
                    LargeVector<graph::ContextEntry>& entries, Arena& texts);
  /// Gives back the memory of a directory that is not asked for any more, once all of its pool are forgotten.
  static void forget(Directory& directory);

 private:
  struct Directories {
    std::vector<Directory*> all;
    std::vector<std::unique_ptr<DirectoryPool>> pools;
    Arena arena;  ///< of the directories and their paths
  };
  Sync<Directories> directories_;
  Extent total_;
};

/// The path of a remembered entry below the directory whose path takes `prefix` bytes (its '/' included).
inline std::string_view known_suffix(const cache::StatEntry& entry, std::size_t prefix) {
  return entry.path.substr(prefix);
}
/// One past the last of `known[begin, end)` that lies below `name`.
std::size_t end_of_subtree(const LargeVector<cache::StatEntry>& known, std::size_t begin, std::size_t end,
                           std::size_t prefix, std::string_view name);
/// Is a remembered suffix before the place of `name`, or of what lies below it?
bool suffix_before(std::string_view suffix, std::string_view name, bool below);

template <typename FoundBelow>
void Directory::match_known(const LargeVector<cache::StatEntry>& known, FoundBelow found_below) {
  const std::size_t prefix = path.empty() ? 0 : path.size() + 1;
  std::size_t at = known_begin;
  for (const OrderItem item : order) {
    SeenEntry& entry = entries[item.entry];
    if (item.below == 0 && entry.type == graph::EntryType::kDirectory) continue;
    const std::string_view wanted = name(entry);
    while (at < known_end && suffix_before(known_suffix(known[at], prefix), wanted, item.below != 0)) ++at;
    if (item.below != 0) {
      const std::size_t end = end_of_subtree(known, at, known_end, prefix, wanted);
      found_below(item.entry, at, end);
      at = end;
    } else if (at < known_end && known_suffix(known[at], prefix) == wanted) {
      entry.known = static_cast<std::uint32_t>(at++);
    }
  }
}

}  // namespace otto::context

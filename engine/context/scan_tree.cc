#include "engine/context/scan_tree.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace otto::context {

namespace {

/// Floor of the seconds, also before 1970.
std::int64_t whole_seconds(std::int64_t nanoseconds) {
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  return nanoseconds / kPerSecond - (nanoseconds % kPerSecond < 0 ? 1 : 0);
}

/// The first eight bytes of an item's key as one number: most comparisons end there.
std::uint64_t key_head(std::string_view name, bool below) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const unsigned char byte = i < name.size()             ? static_cast<unsigned char>(name[i])
                               : below && i == name.size() ? static_cast<unsigned char>('/')
                                                           : 0;
    head = head << 8 | byte;
  }
  return head;
}

/// Bytewise order of "name" or "name/".
bool key_less(std::string_view a, bool a_below, std::string_view b, bool b_below) {
  const std::size_t common = std::min(a.size(), b.size());
  const int order = std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order < 0;
  const auto next = [&](std::string_view key, bool below) -> int {
    if (key.size() > common) return static_cast<unsigned char>(key[common]);
    return below ? '/' : -1;
  };
  return next(a, a_below) < next(b, b_below);
}

bool is_sent(const Directory& directory, const SeenEntry& entry) {
  if (entry.type != graph::EntryType::kDirectory || !entry.ignored) return true;
  return entry.child != SeenEntry::kNone && directory.children[entry.child]->size.entries > 0;
}

}  // namespace

bool suffix_before(std::string_view suffix, std::string_view name, bool below) {
  return key_less(suffix, false, name, below);
}

std::size_t end_of_subtree(const LargeVector<cache::StatEntry>& known, std::size_t begin, std::size_t end,
                           std::size_t prefix, std::string_view name) {
  const auto lies_below = [&](const cache::StatEntry& entry) {
    const std::string_view suffix = known_suffix(entry, prefix);
    return suffix.size() > name.size() && suffix[name.size()] == '/' && suffix.starts_with(name);
  };
  // Galloping, because a subtree is short against its parent's whole range.
  std::size_t step = 1, low = begin;
  while (low + step < end && lies_below(known[low + step])) low += step, step *= 2;
  const auto first = known.begin() + static_cast<std::ptrdiff_t>(low);
  const auto last = known.begin() + static_cast<std::ptrdiff_t>(std::min(end, low + step));
  return static_cast<std::size_t>(std::partition_point(first, last, lies_below) - known.begin());
}

std::string Directory::path_of(std::string_view name) const {
  std::string whole;
  whole.reserve(path.size() + 1 + name.size());
  if (!path.empty()) (whole += path) += '/';
  return whole += name;
}

void Directory::sort_entries(Arena& arena, std::vector<SortKey>& keys) {
  keys.clear();
  for (std::uint32_t i = 0; i < entries.size(); ++i) {
    if (entries[i].gone) continue;
    keys.push_back({key_head(name(entries[i]), false), {i, 0}});
    if (entries[i].type == graph::EntryType::kDirectory) keys.push_back({key_head(name(entries[i]), true), {i, 1}});
  }
  std::sort(keys.begin(), keys.end(), [&](const SortKey& a, const SortKey& b) {
    if (a.head != b.head) return a.head < b.head;
    return key_less(name(entries[a.item.entry]), a.item.below != 0, name(entries[b.item.entry]), b.item.below != 0);
  });
  const std::span<OrderItem> sorted = arena.array<OrderItem>(keys.size());
  std::transform(keys.begin(), keys.end(), sorted.begin(), [](const SortKey& key) { return key.item; });
  order = sorted;
}

ScanTree::~ScanTree() {
  for (Directory* const directory : directories_.lock()->all) std::destroy_at(directory);
}

Directory* ScanTree::add(Directory* parent, std::uint32_t entry_in_parent, std::string_view path) {
  auto directories = directories_.lock();
  Directory* const directory = new (directories->arena.room(sizeof(Directory), alignof(Directory))) Directory();
  directory->parent = parent;
  directory->entry_in_parent = entry_in_parent;
  directory->path = directories->arena.text(path);
  return directories->all.emplace_back(directory);
}

DirectoryPool* ScanTree::new_pool() {
  return directories_.lock()->pools.emplace_back(std::make_unique<DirectoryPool>()).get();
}

namespace {

/// Calls `on_entry(entry)` for what the context holds of a directory and `on_below(child)` for its walked
/// subdirectories, in the manifest's order.
template <typename OnEntry, typename OnBelow>
void each_item(const Directory& directory, OnEntry on_entry, OnBelow on_below) {
  for (const OrderItem item : directory.order) {
    const SeenEntry& entry = directory.entries[item.entry];
    if (item.below == 0) {
      if (!entry.gone && is_sent(directory, entry)) on_entry(entry);
    } else if (!entry.gone && entry.child != SeenEntry::kNone) {
      on_below(*directory.children[entry.child]);
    }
  }
}

void advance(Extent& at, const SeenEntry& entry) {
  ++at.entries;
  if (entry.type != graph::EntryType::kDirectory) ++at.stats;
}

void advance(Extent& at, const Extent& by) {
  at.entries += by.entries;
  at.stats += by.stats;
}

}  // namespace

bool ScanTree::measure(const cache::StatManifest& known) {
  auto directories = directories_.lock();
  bool all_known = true;
  // A directory is always added after its parent: backwards, the sizes of children are there first.
  for (auto at = directories->all.rbegin(); at != directories->all.rend(); ++at) {
    Directory& directory = **at;
    if (directory.same) {
      directory.size = {directory.order.size(), directory.order.size()};
      continue;
    }
    Extent size;
    each_item(
        directory,
        [&](const SeenEntry& entry) {
          advance(size, entry);
          all_known = all_known && (entry.same || entry.type == graph::EntryType::kDirectory);
        },
        [&](const Directory& child) { advance(size, child.size); });
    directory.size = size;
  }
  directories->all.front()->placed = true;
  for (Directory* const directory : directories->all) {
    if (!directory->placed || directory->same) continue;
    Extent at = directory->begin;
    each_item(
        *directory, [&](const SeenEntry& entry) { advance(at, entry); },
        [&](Directory& child) {
          child.begin = at;
          child.placed = true;
          advance(at, child.size);
        });
  }
  total_ = directories->all.front()->size;
  return all_known && total_.stats == known.entries.size();
}

namespace {

void write_entry(const Directory& directory, std::string_view prefix, const SeenEntry& entry,
                 const cache::StatManifest& known, Arena& texts, graph::ContextEntry& out) {
  out.path = CompactText::joined(prefix, directory.name(entry), texts);
  out.type = entry.type;
  out.mode = entry.mode;
  if (entry.type == graph::EntryType::kDirectory || entry.type == graph::EntryType::kFifo) return;
  const cache::StatEntry* const same = entry.seen == SeenEntry::kNone ? &known.entries[entry.known] : nullptr;
  if (entry.type == graph::EntryType::kSymlink) {
    const std::string_view target = same != nullptr ? same->target.view() : directory.targets[entry.target];
    out.target = CompactText::joined(target, {}, texts);
    return;
  }
  const SeenFile* const seen = same == nullptr ? &directory.seen[entry.seen] : nullptr;
  out.size = same != nullptr ? same->size : seen->stat.size;
  out.mtime_s = whole_seconds(same != nullptr ? same->mtime_ns : seen->stat.mtime_ns);
  out.digest = same != nullptr ? same->digest : seen->digest;
}

/// `path` is borrowed by what comes back.
cache::StatEntry stat_of(const Directory& directory, const SeenEntry& entry, const cache::StatManifest& known,
                         std::string_view path) {
  if (entry.same) return known.entries[entry.known];
  cache::StatEntry out;
  out.path = path;
  out.type = entry.type;
  out.racy = entry.racy;
  out.mode = entry.mode;
  const SeenFile& seen = directory.seen[entry.seen];
  out.device = seen.stat.device;
  out.inode = seen.stat.inode;
  out.size = seen.stat.size;
  out.mtime_ns = seen.stat.mtime_ns;
  out.ctime_ns = seen.stat.ctime_ns;
  if (entry.type == graph::EntryType::kSymlink) {
    out.target = directory.targets[entry.target];
  } else if (entry.type == graph::EntryType::kFile) {
    out.change = seen.change;
    out.digest = seen.digest;
  }
  return out;
}

}  // namespace

/// Depth first in the manifest's order, without recursion: a tree may be deeper than a stack.
std::string ScanTree::stored_stats(const cache::StatManifest& known) {
  struct Place {
    const Directory* directory;
    std::size_t item;
  };
  cache::StatWriter writer(total_.stats);
  std::vector<Place> open = {{directories_.lock()->all.front(), 0}};
  while (!open.empty()) {
    const Directory& directory = *open.back().directory;
    if (open.back().item == directory.order.size()) {
      open.pop_back();
      continue;
    }
    const OrderItem item = directory.order[open.back().item++];
    const SeenEntry& entry = directory.entries[item.entry];
    if (entry.gone) continue;
    if (item.below != 0) {
      if (entry.child != SeenEntry::kNone) open.push_back({directory.children[entry.child], 0});
    } else if (entry.type != graph::EntryType::kDirectory) {
      writer.add(stat_of(directory, entry, known, directory.path_of(directory.name(entry))));
    }
  }
  return std::move(writer).finish();
}

std::vector<Directory*> ScanTree::by_pool() {
  auto directories = directories_.lock();
  std::vector<Directory*> all;
  all.reserve(directories->all.size());
  for (const auto& pool : directories->pools) all.insert(all.end(), pool->listed.begin(), pool->listed.end());
  return all;
}

void ScanTree::write(const Directory& directory, const cache::StatManifest& known,
                     LargeVector<graph::ContextEntry>& entries, Arena& texts) {
  if (!directory.placed) return;
  const std::string prefix = directory.path_of({});
  Extent at = directory.begin;
  each_item(
      directory,
      [&](const SeenEntry& entry) {
        write_entry(directory, prefix, entry, known, texts, entries[at.entries]);
        advance(at, entry);
      },
      [&](const Directory& child) { advance(at, child.size); });
}

void ScanTree::forget(Directory& directory) {
  directory.targets = std::vector<std::string>();  // not by `= {}`, which would empty it and keep its memory
  for (DirectoryPool* const pool : {directory.listed_in, directory.settled_in}) {
    if (pool != nullptr && --pool->in_use == 0) pool->arena = Arena();
  }
}

}  // namespace otto::context

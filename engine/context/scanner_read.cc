#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/context/scanner.h"
#include "graph/base/text.h"

namespace otto::context {

namespace {

/// Files that one task reads.
constexpr std::uint32_t kReadBatch = 64;
constexpr std::uint64_t kReadBatchBytes = 4 << 20;
/// What a file of unknown size is taken for until so many have been read that their mean says more.
constexpr std::uint64_t kUnknownSize = 1 << 20;
constexpr std::uint64_t kEnoughRead = 32;
/// From how many known files on it is believed that most have changed (a fresh checkout), and what most is.
constexpr std::uint32_t kEnoughJudged = 256;
constexpr double kMost = 0.9;

FileStat known_stat(const cache::StatEntry& entry) {
  return {entry.device, entry.inode, entry.size, entry.mtime_ns, entry.ctime_ns, entry.mode};
}

}  // namespace

std::uint64_t Scanner::mean_size() const {
  const std::uint64_t files = files_read_;
  return files < kEnoughRead ? kUnknownSize : bytes_read_ / files;
}

/// Nothing of it is known, or nearly all that was known has changed: its files are read at once, and their stat is
/// taken from the open file. Wrong guesses cost time only.
bool Scanner::expects_reading(const Directory& directory) const {
  if (directory.known_begin == directory.known_end) return true;
  const std::uint32_t judged = judged_;
  return judged >= kEnoughJudged && changed_ >= kMost * judged;
}

/// Trusts what is known of an entry with the same stat that was not racy; the others are read. Nor is a stamp trusted
/// that is not over now: the clock went backwards since the last scan, so the same tick comes again and stamps another
/// edit.
void Scanner::decide_reads(Directory& directory, std::span<const FileStat> stats, ScanWorker& worker) {
  std::uint32_t first = 0, judged = 0, changed = 0, not_as_known = 0, targets = 0;
  bool same = true;
  std::uint64_t bytes = 0, guessed = 0;
  const std::uint64_t mean = mean_size();
  std::vector<std::uint32_t>& to_read = worker.to_read;
  to_read.clear();
  const auto flush = [&] {
    const auto last = static_cast<std::uint32_t>(to_read.size());
    if (last > first) worker.tasks.push_back({&directory, ScanTask::Kind::kRead, first, last, bytes});
    first = last;
    bytes = guessed = 0;
  };
  for (const OrderItem item : directory.order) {
    SeenEntry& entry = directory.entries[item.entry];
    if (item.below != 0 || entry.type == graph::EntryType::kDirectory) {
      same = false;
      continue;
    }
    const FileStat& stat = stats[item.entry];
    if (entry.known != SeenEntry::kNone && !entry.unseen) {
      const cache::StatEntry& known = known_.entries[entry.known];
      ++judged;
      entry.same = known.type == entry.type && !known.racy && known_stat(known) == stat &&
                   !is_racy(stat.ctime_ns, directory.remote, clock_ns_);
      if (entry.same) continue;
      ++changed;
    }
    same = false;
    entry.seen = not_as_known++;
    if (entry.type == graph::EntryType::kFifo) continue;  // there is nothing to read
    if (entry.type == graph::EntryType::kSymlink) entry.target = targets++;
    to_read.push_back(item.entry);
    if (!entry.unseen) {
      bytes += stat.size;
    } else if (entry.known != SeenEntry::kNone) {
      bytes += known_.entries[entry.known].size;
    } else {
      guessed += mean;
    }
    if (to_read.size() - first >= kReadBatch || bytes + guessed >= kReadBatchBytes) flush();
  }
  flush();
  directory.same = same;
  judged_ += judged;
  changed_ += changed;
  Arena& arena = directory.settled_in->arena;
  directory.to_read = arena.copy(to_read);
  directory.targets.resize(targets);
  directory.seen = arena.array<SeenFile>(not_as_known);
  for (std::size_t i = 0; i < stats.size(); ++i) {
    const SeenEntry& entry = directory.entries[i];
    if (entry.seen != SeenEntry::kNone) directory.seen[entry.seen].stat = stats[i];
  }
}

Result<void> Scanner::read(Directory& directory, std::uint32_t first, std::uint32_t last, ScanWorker& worker) {
  const int fd = worker.opener.open(directory.path);
  if (fd < 0) return lost(directory, errno);
  std::uint32_t judged = 0, changed = 0;
  for (std::uint32_t i = first; i < last; ++i) {
    SeenEntry& entry = directory.entries[directory.to_read[i]];
    OTTO_RETURN_IF_ERROR(entry.type == graph::EntryType::kSymlink ? read_target(directory, fd, entry, worker)
                                                                  : read_entry(directory, fd, entry, worker));
    const FileStat& stat = directory.seen[entry.seen].stat;
    entry.racy = is_racy(stat.ctime_ns, directory.remote, clock_ns_);
    entry.same = is_as_known(directory, entry);
    if (!entry.unseen || entry.known == SeenEntry::kNone || entry.gone) continue;
    ++judged;
    if (known_stat(known_.entries[entry.known]) != stat) ++changed;
  }
  judged_ += judged;
  changed_ += changed;
  return {};
}

Result<void> Scanner::read_entry(Directory& directory, int fd, SeenEntry& entry, ScanWorker& worker) {
  const char* name = directory.names.data() + entry.name_offset;
  const cache::StatEntry* known = entry.known != SeenEntry::kNone ? &known_.entries[entry.known] : nullptr;
  const std::string_view path = path_in(directory, name, worker.path);
  SeenFile& seen = directory.seen[entry.seen];
  OTTO_TRY(const auto read, entry.unseen ? worker.reader.read_unseen(fd, name, path, directory.remote, known)
                                         : worker.reader.read(fd, name, path, seen.stat, known));
  entry.gone = !read.has_value();
  if (entry.gone) return {};
  entry.mode = read->stat.mode;
  seen = {read->stat, read->change, read->digest};
  ++files_read_;
  bytes_read_ += read->bytes_read;
  return {};
}

Result<void> Scanner::read_target(Directory& directory, int fd, SeenEntry& entry, ScanWorker& worker) {
  const char* name = directory.names.data() + entry.name_offset;
  std::string& target = directory.targets[entry.target];
  // A file system may not tell a link's length, and it may grow: try until there is room to spare.
  for (std::size_t room = std::max<std::size_t>(directory.seen[entry.seen].stat.size, 255) + 1;; room *= 2) {
    target.resize(room);
    const ssize_t got = ::readlinkat(fd, name, target.data(), room);
    if (got < 0) {
      entry.gone = errno == ENOENT;
      if (entry.gone) return {};
      if (errno != EINVAL) return unreadable("symlink", path_in(directory, name, worker.path), errno);
      return make_error(
          ErrorCode::kInputsChanged,
          fmt::format("'{}' of the context was replaced while it was read", text::printable(directory.path_of(name))),
          "run again once nothing writes there");
    }
    if (static_cast<std::size_t>(got) == room) continue;
    target.resize(static_cast<std::size_t>(got));
    target.shrink_to_fit();
    return {};
  }
}

bool Scanner::is_as_known(const Directory& directory, const SeenEntry& entry) const {
  if (entry.gone || entry.known == SeenEntry::kNone) return false;
  const cache::StatEntry& known = known_.entries[entry.known];
  const SeenFile& seen = directory.seen[entry.seen];
  if (known.type != entry.type || known.racy != entry.racy || known_stat(known) != seen.stat) return false;
  if (entry.type == graph::EntryType::kSymlink) return known.target == directory.targets[entry.target];
  return known.change == seen.change && known.digest == seen.digest;
}

}  // namespace otto::context

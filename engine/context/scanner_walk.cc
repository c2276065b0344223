#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "engine/context/scanner.h"
#include "graph/base/text.h"

namespace otto::context {

namespace {

/// Entries of one directory that one task takes the stat of.
constexpr std::uint32_t kStatBatch = 512;
/// From what size on a pool takes no more directories: 100,000 entries or so.
constexpr std::size_t kFullPool = std::size_t{8} << 20;

}  // namespace

/// Docker's walk passes by an ignored directory that it may not read, unless a rule names something in there.
Result<void> Scanner::cannot_list(Directory& directory, int error) {
  const bool denied = error == EACCES || error == EPERM;
  if (denied && directory.ignored && !request_.rules->is_asked_for(directory.path)) return {};
  return lost(directory, error);
}

/// A directory that vanished is not there, nor is anything below it; one that cannot be read is an error.
Result<void> Scanner::lost(Directory& directory, int error) {
  const bool gone = error == ENOENT || error == ENOTDIR || error == ELOOP;
  if (!gone || directory.parent == nullptr) {
    return unreadable("directory", directory.path.empty() ? "." : directory.path, error);
  }
  directory.parent->entries[directory.entry_in_parent].gone = true;
  return {};
}

std::string_view Scanner::path_in(Directory& directory, std::string_view name, std::string& scratch) const {
  if (directory.path.empty()) return name;
  scratch.assign(directory.path);
  scratch += '/';
  scratch += name;
  return scratch;
}

Result<void> Scanner::list(Directory& directory, ScanWorker& worker) {
  const int fd = worker.opener.open(directory.path);
  if (fd < 0) return cannot_list(directory, errno);
  if (directory.parent != nullptr) {
    directory.remote = directory.device == directory.parent->device ? directory.parent->remote : is_remote(fd);
  }
  directory.expects_reading = expects_reading(directory);
  worker.names.clear();
  worker.entries.clear();
  const int failed = list_names(fd, worker.listing,
                                [&](std::string_view name, ListedType type) { found(directory, name, type, worker); });
  if (failed != 0) return cannot_list(directory, failed);
  DirectoryPool& pool = pool_of(worker);
  directory.listed_in = &pool;
  ++pool.in_use;
  pool.listed.push_back(&directory);
  directory.names = pool.arena.text(worker.names);
  directory.entries = pool.arena.copy(worker.entries);

  const auto count = static_cast<std::uint32_t>(directory.entries.size());
  const std::uint32_t batches = std::max(1U, (count + kStatBatch - 1) / kStatBatch);
  directory.stat_tasks_left = batches;
  if (batches > 1) directory.stats.resize(count);
  worker.tasks.clear();
  for (std::uint32_t batch = 1; batch < batches; ++batch) {
    worker.tasks.push_back(
        {&directory, ScanTask::Kind::kStat, batch * kStatBatch, std::min(count, (batch + 1) * kStatBatch)});
  }
  queue_.add(worker.tasks);
  return stat(directory, fd, 0, std::min(count, kStatBatch), worker);
}

/// Where what the worker's next directory needs is put.
DirectoryPool& Scanner::pool_of(ScanWorker& worker) {
  if (worker.pool == nullptr || worker.pool->arena.size() >= kFullPool) worker.pool = tree_.new_pool();
  return *worker.pool;
}

/// Takes a name in unless the rules leave it out for good.
void Scanner::found(Directory& directory, std::string_view name, ListedType type, ScanWorker& worker) {
  SeenEntry entry;
  if (request_.rules != nullptr && !request_.rules->empty()) {
    const std::string_view path = path_in(directory, name, worker.path);
    entry.ignored = request_.rules->ignored(path, directory.rule_state);
    const bool may_hold_more = type == ListedType::kDirectory || type == ListedType::kUnknown;
    if (entry.ignored && (!may_hold_more || request_.rules->may_prune(path))) return;
  }
  entry.unseen = type == ListedType::kFile && directory.expects_reading;
  entry.name_offset = static_cast<std::uint32_t>(worker.names.size());
  entry.name_size = static_cast<std::uint16_t>(name.size());
  worker.names.append(name).push_back('\0');
  worker.entries.push_back(entry);
}

Result<void> Scanner::stat(Directory& directory, int fd, std::uint32_t first, std::uint32_t last, ScanWorker& worker) {
  const bool alone = directory.stats.empty();
  if (alone) worker.stats.assign(last, FileStat());
  const std::span<FileStat> stats = alone ? std::span(worker.stats) : std::span(directory.stats);
  for (std::uint32_t i = first; i < last; ++i) {
    SeenEntry& entry = directory.entries[i];
    if (!entry.unseen) OTTO_RETURN_IF_ERROR(stat_entry(directory, fd, entry, stats[i], worker));
  }
  files_seen_ += last - first;
  if (--directory.stat_tasks_left == 0) settle(directory, stats, worker);
  return {};
}

Result<void> Scanner::stat_entry(Directory& directory, int fd, SeenEntry& entry, FileStat& stat, ScanWorker& worker) {
  struct stat status {};
  const char* name = directory.names.data() + entry.name_offset;
  if (::fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    const int error = errno;
    entry.gone = error == ENOENT || (entry.ignored && (error == EACCES || error == EPERM));
    if (entry.gone) return {};
    return unreadable("file", path_in(directory, name, worker.path), error);
  }
  stat = file_stat(status);
  entry.mode = stat.mode;
  if (S_ISDIR(status.st_mode)) {
    entry.type = graph::EntryType::kDirectory;
  } else if (entry.ignored) {
    entry.gone = true;
  } else if (S_ISLNK(status.st_mode)) {
    entry.type = graph::EntryType::kSymlink;
  } else if (!S_ISREG(status.st_mode)) {
    return special_entry(status.st_mode, path_in(directory, name, worker.path), entry);
  }
  return {};
}

/// As the engine has them: a FIFO is copied, a socket becomes an empty file.
Result<void> Scanner::special_entry(mode_t mode, std::string_view path, SeenEntry& entry) const {
  entry.gone = !request_.special_files;
  if (S_ISFIFO(mode)) entry.type = graph::EntryType::kFifo;
  if (entry.gone || S_ISFIFO(mode) || S_ISSOCK(mode)) return {};
  return make_error(
      ErrorCode::kConfig,
      fmt::format("'{}' of the context is a device, which only root could make on a parent", text::printable(path)),
      "leave it out with a line in the ignore file");
}

/// All stats of a directory are there: puts it in order and hands out what they lead to.
void Scanner::settle(Directory& directory, std::span<const FileStat> stats, ScanWorker& worker) {
  DirectoryPool& pool = pool_of(worker);
  directory.settled_in = &pool;
  ++pool.in_use;
  directory.sort_entries(pool.arena, worker.keys);
  worker.tasks.clear();
  worker.children.clear();
  directory.match_known(known_.entries, [&](std::uint32_t index, std::size_t begin, std::size_t end) {
    Directory* const child = add_child(directory, index, begin, end);
    child->device = stats[index].device;
    directory.entries[index].child = static_cast<std::uint32_t>(worker.children.size());
    worker.children.push_back(child);
    worker.tasks.push_back({child});
  });
  directory.children = pool.arena.copy(worker.children);
  decide_reads(directory, stats, worker);
  directory.stats = LargeVector<FileStat>();
  queue_.add(worker.tasks);
}

Directory* Scanner::add_child(Directory& directory, std::uint32_t index, std::size_t known_begin,
                              std::size_t known_end) {
  const SeenEntry& entry = directory.entries[index];
  Directory* child = tree_.add(&directory, index, directory.path_of(directory.name(entry)));
  child->ignored = entry.ignored;
  child->known_begin = known_begin;
  child->known_end = known_end;
  if (request_.rules != nullptr && !request_.rules->empty()) {
    static_cast<void>(request_.rules->ignored(child->path, directory.rule_state, &child->rule_state));
  }
  return child;
}

}  // namespace otto::context

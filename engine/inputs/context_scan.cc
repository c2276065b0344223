#include "engine/inputs/context_scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "engine/inputs/directory_reader.h"
#include "engine/inputs/file_reader.h"
#include "engine/inputs/racy_clock.h"
#include "engine/inputs/scan_tree.h"
#include "engine/inputs/work_queue.h"
#include "graph/base/sync.h"
#include "graph/base/text.h"

namespace otto::inputs {

namespace {

/// Entries of one directory that one task takes the stat of, and files that one task reads.
constexpr std::uint32_t kStatBatch = 512;
constexpr std::uint32_t kReadBatch = 64;
constexpr std::uint64_t kReadBatchBytes = 4 << 20;
/// What a file of unknown size is taken for until so many have been read that their mean says more.
constexpr std::uint64_t kUnknownSize = 1 << 20;
constexpr std::uint64_t kEnoughRead = 32;
/// What the calling thread does by itself before it starts others: in a repo of many small contexts, starting threads
/// for each costs more than all scans together.
constexpr unsigned kTasksAlone = 16;
constexpr std::uint64_t kBytesAlone = 1 << 20;
/// From how many known files on it is believed that most have changed (a fresh checkout), and what most is.
constexpr std::uint32_t kEnoughJudged = 256;
constexpr double kMost = 0.9;
/// From how many entries on memory is worth more than a tenth of a second: the result is made piece by piece, and what
/// the threads have freed is given back.
constexpr std::size_t kWorthSparing = 250'000;
/// From what size on a pool takes no more directories: 100,000 entries or so.
constexpr std::size_t kFullPool = std::size_t{8} << 20;

FileStat known_stat(const cache::StatEntry& entry) {
  return {entry.device, entry.inode, entry.size, entry.mtime_ns, entry.ctime_ns, entry.mode};
}

struct Task {
  enum class Kind { kList, kStat, kRead };
  Directory* directory = nullptr;
  Kind kind = Kind::kList;
  std::uint32_t first = 0, last = 0;
  std::uint64_t bytes = 0;  ///< to be read, of files whose sizes are known
};

/// What one thread needs for itself, most of it used anew for each directory.
struct Worker {
  FileReader reader;
  DirectoryOpener opener;
  DirectoryPool* pool = nullptr;
  ListingBuffer listing = {};
  std::string path = {}, names = {};
  std::vector<SeenEntry> entries = {};
  std::vector<FileStat> stats = {};
  std::vector<SortKey> keys = {};
  std::vector<Directory*> children = {};
  std::vector<std::uint32_t> to_read = {};
  std::vector<Task> tasks = {};
};

class Scanner {
 public:
  Scanner(const ScanRequest& request, int root)
      : request_(request),
        root_(root),
        known_(request.known != nullptr ? *request.known : none_),
        clock_ns_(request.clock_ns != 0 ? request.clock_ns : file_clock_ns()) {}

  Result<ScanResult> run();

 private:
  void work_alone();
  void work_together();
  void work();
  void run_task(const Task& task, Worker& worker);
  [[nodiscard]] Worker new_worker() const {
    return {FileReader(*request_.key, clock_ns_, request_.stop), DirectoryOpener(root_)};
  }
  [[nodiscard]] unsigned threads() const;
  Result<void> perform(const Task& task, Worker& worker);
  Result<void> list(Directory& directory, Worker& worker);
  DirectoryPool& pool_of(Worker& worker);
  void found(Directory& directory, std::string_view name, ListedType type, Worker& worker);
  [[nodiscard]] std::uint64_t mean_size() const;
  [[nodiscard]] bool expects_reading(const Directory& directory) const;
  Result<void> stat(Directory& directory, int fd, std::uint32_t first, std::uint32_t last, Worker& worker);
  Result<void> stat_entry(Directory& directory, int fd, SeenEntry& entry, FileStat& stat, Worker& worker);
  Result<void> special_entry(mode_t mode, std::string_view path, SeenEntry& entry) const;
  void settle(Directory& directory, std::span<const FileStat> stats, Worker& worker);
  Directory* add_child(Directory& directory, std::uint32_t index, std::size_t known_begin, std::size_t known_end);
  void decide_reads(Directory& directory, std::span<const FileStat> stats, Worker& worker);
  Result<void> read(Directory& directory, std::uint32_t first, std::uint32_t last, Worker& worker);
  Result<void> read_entry(Directory& directory, int fd, SeenEntry& entry, Worker& worker);
  Result<void> read_target(Directory& directory, int fd, SeenEntry& entry, Worker& worker);
  [[nodiscard]] bool is_as_known(const Directory& directory, const SeenEntry& entry) const;
  Result<void> cannot_list(Directory& directory, int error);
  Result<void> lost(Directory& directory, int error);
  std::string_view path_in(Directory& directory, std::string_view name, std::string& scratch) const;
  void collect(ScanResult& result);

  const ScanRequest& request_;
  const int root_;
  const cache::StatManifest none_;
  const cache::StatManifest& known_;
  const std::int64_t clock_ns_;
  ScanTree tree_;
  WorkQueue<Task> queue_;
  Sync<std::optional<Error>> error_;
  std::atomic<std::uint32_t> judged_{0}, changed_{0};  ///< files that were known, and of those the changed
  std::atomic<std::uint64_t> files_seen_{0}, files_read_{0}, bytes_read_{0};
};

Result<ScanResult> Scanner::run() {
  Directory* root = tree_.add(nullptr, 0, {});
  root->known_end = known_.entries.size();
  root->remote = is_remote(root_);
  struct stat status {};
  if (::fstat(root_, &status) == 0) root->device = status.st_dev;
  const Task first{root};
  queue_.add(std::span(&first, 1));

  {
    const std::stop_callback cancel(request_.stop, [&] { queue_.close(); });
    work_alone();
    work_together();
  }
  if (request_.stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "the scan was interrupted");
  if (auto error = error_.lock(); error->has_value()) return std::move(**error);
  ScanResult result;
  collect(result);
  return result;
}

unsigned Scanner::threads() const {
  return request_.threads != 0 ? request_.threads : std::max(1U, std::thread::hardware_concurrency());
}

/// Ends where all is done or what is next would take long.
void Scanner::work_alone() {
  Worker worker = new_worker();
  unsigned tasks = 0;
  const auto is_small = [&](const Task& task) {
    return tasks < kTasksAlone && bytes_read_ + task.bytes <= kBytesAlone;
  };
  while (const auto task = queue_.take_if(is_small)) {
    ++tasks;
    run_task(*task, worker);
  }
}

void Scanner::work_together() {
  const auto report = [&] {
    if (request_.progress) request_.progress(files_seen_, bytes_read_);
  };
  std::vector<std::jthread> workers;
  const unsigned count = queue_.wait_until_over(std::chrono::seconds(0)) ? 0 : threads();
  for (unsigned i = 0; i < count; ++i) workers.emplace_back([this] { work(); });
  while (!queue_.wait_until_over(std::chrono::milliseconds(100))) report();
  workers.clear();
  report();
}

void Scanner::work() {
  Worker worker = new_worker();
  while (const auto task = queue_.take()) run_task(*task, worker);
}

void Scanner::run_task(const Task& task, Worker& worker) {
  if (auto done = perform(task, worker); !done) {
    auto first = error_.lock();
    if (!first->has_value()) *first = std::move(done).error();
    queue_.close();
  }
  queue_.finished();
}

Result<void> Scanner::perform(const Task& task, Worker& worker) {
  Directory& directory = *task.directory;
  if (task.kind == Task::Kind::kList) return list(directory, worker);
  if (task.kind == Task::Kind::kRead) return read(directory, task.first, task.last, worker);
  const int fd = worker.opener.open(directory.path);
  if (fd < 0) return lost(directory, errno);
  return stat(directory, fd, task.first, task.last, worker);
}

/// Docker's walk passes by an ignored directory that it may not read.
Result<void> Scanner::cannot_list(Directory& directory, int error) {
  if (directory.ignored && (error == EACCES || error == EPERM)) return {};
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

Result<void> Scanner::list(Directory& directory, Worker& worker) {
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
  directory.use(pool, 0);
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
        {&directory, Task::Kind::kStat, batch * kStatBatch, std::min(count, (batch + 1) * kStatBatch)});
  }
  queue_.add(worker.tasks);
  return stat(directory, fd, 0, std::min(count, kStatBatch), worker);
}

/// Where what the worker's next directory needs is put.
DirectoryPool& Scanner::pool_of(Worker& worker) {
  if (worker.pool == nullptr || worker.pool->arena.size() >= kFullPool) worker.pool = tree_.new_pool();
  return *worker.pool;
}

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

/// Takes a name in unless the rules leave it out for good.
void Scanner::found(Directory& directory, std::string_view name, ListedType type, Worker& worker) {
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

Result<void> Scanner::stat(Directory& directory, int fd, std::uint32_t first, std::uint32_t last, Worker& worker) {
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

Result<void> Scanner::stat_entry(Directory& directory, int fd, SeenEntry& entry, FileStat& stat, Worker& worker) {
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
void Scanner::settle(Directory& directory, std::span<const FileStat> stats, Worker& worker) {
  DirectoryPool& pool = pool_of(worker);
  directory.use(pool, 1);
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

/// Trusts what is known of an entry with the same stat that was not racy; the others are read. Nor is a stamp trusted
/// that is not over now: the clock went backwards since the last scan, so the same tick comes again and stamps another
/// edit.
void Scanner::decide_reads(Directory& directory, std::span<const FileStat> stats, Worker& worker) {
  std::uint32_t first = 0, judged = 0, changed = 0, not_as_known = 0, targets = 0;
  bool same = true;
  std::uint64_t bytes = 0, guessed = 0;
  const std::uint64_t mean = mean_size();
  std::vector<std::uint32_t>& to_read = worker.to_read;
  to_read.clear();
  const auto flush = [&] {
    const auto last = static_cast<std::uint32_t>(to_read.size());
    if (last > first) worker.tasks.push_back({&directory, Task::Kind::kRead, first, last, bytes});
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
  Arena& arena = directory.pools[1]->arena;
  directory.to_read = arena.copy(to_read);
  directory.targets.resize(targets);
  directory.seen = arena.array<SeenFile>(not_as_known);
  for (const SeenEntry& entry : directory.entries) {
    if (entry.seen != SeenEntry::kNone) {
      directory.seen[entry.seen].stat = stats[static_cast<std::size_t>(&entry - directory.entries.data())];
    }
  }
}

Result<void> Scanner::read(Directory& directory, std::uint32_t first, std::uint32_t last, Worker& worker) {
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

Result<void> Scanner::read_entry(Directory& directory, int fd, SeenEntry& entry, Worker& worker) {
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

Result<void> Scanner::read_target(Directory& directory, int fd, SeenEntry& entry, Worker& worker) {
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

void Scanner::collect(ScanResult& result) {
  result.stats_changed = !tree_.measure(known_);
  const bool sparing = tree_.size().entries >= kWorthSparing;
  if (result.stats_changed && sparing) result.stats = tree_.stored_stats(known_);
  graph::ContextManifest& manifest = result.manifest;
  manifest.entries.resize(tree_.size().entries);
  const std::vector<Directory*> directories = tree_.by_pool();
  Sync<Arena> texts;
  std::atomic<std::size_t> next{0};
  const auto write = [&] {
    Arena own;
    for (std::size_t i; (i = next++) < directories.size();) {
      ScanTree::write(*directories[i], known_, manifest.entries, own);
      if (sparing) ScanTree::forget(*directories[i]);
    }
    texts.lock()->adopt(std::move(own));
  };
  {
    constexpr std::size_t kWorthThreads = 4096;
    std::vector<std::jthread> helpers;
    const bool many = manifest.entries.size() >= kWorthThreads;
    for (unsigned i = 1; many && i < threads(); ++i) helpers.emplace_back(write);
    if (result.stats_changed && !sparing) result.stats = tree_.stored_stats(known_);
    write();
  }
  // What the walk's threads have freed stays with their heaps, and the next to need as much is another thread.
  if (sparing) ::malloc_trim(0);
  manifest.texts = std::move(*texts.lock());
  result.files_read = files_read_;
  result.bytes_read = bytes_read_;
}

}  // namespace

Result<ScanResult> scan_context(const ScanRequest& request) {
  OTTO_CHECK(request.key != nullptr);
  const int root = ::open(request.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return make_error(ErrorCode::kConfig,
                      fmt::format("the build context '{}' is {}", text::printable(request.root.string()),
                                  errno == ENOENT ? "missing" : "no directory"),
                      "correct the image's context in settings.toml");
  }
  if (root < 0) return unreadable("directory", request.root.string(), errno);
  auto result = Scanner(request, root).run();
  ::close(root);
  if (!result)
    return std::move(result).error().in(fmt::format("while scanning {}", text::printable(request.root.string())));
  return result;
}

}  // namespace otto::inputs

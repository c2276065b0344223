#include "engine/context/context_scan.h"

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

#include "engine/context/scanner.h"
#include "graph/base/text.h"

namespace otto::context {

namespace {

/// What the calling thread does by itself before it starts others: in a repo of many small contexts, starting threads
/// for each costs more than all scans together.
constexpr unsigned kTasksAlone = 16;
constexpr std::uint64_t kBytesAlone = 1 << 20;
/// From how many entries on memory is worth more than a tenth of a second: the result is made piece by piece, and what
/// the threads have freed is given back.
constexpr std::size_t kWorthSparing = 250'000;

}  // namespace

Result<ScanResult> Scanner::run() {
  Directory* root = tree_.add(nullptr, 0, {});
  root->known_end = known_.entries.size();
  root->remote = is_remote(root_);
  struct stat status {};
  if (::fstat(root_, &status) == 0) root->device = status.st_dev;
  const ScanTask first{root};
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
  ScanWorker worker = new_worker();
  unsigned tasks = 0;
  const auto is_small = [&](const ScanTask& task) {
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
  ScanWorker worker = new_worker();
  while (const auto task = queue_.take()) run_task(*task, worker);
}

void Scanner::run_task(const ScanTask& task, ScanWorker& worker) {
  if (auto done = perform(task, worker); !done) {
    auto first = error_.lock();
    if (!first->has_value()) *first = std::move(done).error();
    queue_.close();
  }
  queue_.finished();
}

Result<void> Scanner::perform(const ScanTask& task, ScanWorker& worker) {
  Directory& directory = *task.directory;
  if (task.kind == ScanTask::Kind::kList) return list(directory, worker);
  if (task.kind == ScanTask::Kind::kRead) return read(directory, task.first, task.last, worker);
  const int fd = worker.opener.open(directory.path);
  if (fd < 0) return lost(directory, errno);
  return stat(directory, fd, task.first, task.last, worker);
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

}  // namespace otto::context

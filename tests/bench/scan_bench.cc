// How near the context scan comes to its floors: scan_bench [--files N] [--bytes N] [--large N] [--runs N] [--in DIR]
//                                                scan_bench --memory [--files N] [--in DIR]
//
// Makes a tree of small files (100,000 of 5,000 bytes unless told) and one of a few large ones, then prints medians of:
// a warm scan beside a bare parallel walk with statx and beside `git status`; a scan with all mtimes new beside reading
// all bytes; a cold scan beside SHA-256 of all bytes, each with as many threads. The floors are written here without
// any of the scan's code. --memory prints the peak memory of a cold and of a warm scan instead.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/context/context_scan.h"

namespace {

using namespace otto;
namespace fs = std::filesystem;

struct Options {
  std::size_t files = 100'000;
  std::size_t bytes = 5'000;
  std::size_t large = 1'000'000'000;
  int runs = 5;
  fs::path in = fs::temp_directory_path();
  bool memory = false;
};

constexpr const char* kUsage =
    "usage: scan_bench [--memory] [--files N] [--bytes N] [--large N] [--runs N] [--in DIR]\n"
    "  --files N   small files (100000), each of --bytes N (5000); 0: none\n"
    "  --large N   bytes in large files (1000000000); 0: none\n"
    "  --runs N    medians of so many (5)\n"
    "  --memory    peak memory instead of times\n"
    "  --in DIR    where the trees are made\n";

constexpr std::size_t kFilesPerDirectory = 50;
constexpr std::size_t kLargeFile = 20'000'000;

const unsigned kThreads = std::max(1U, std::thread::hardware_concurrency());

double seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void in_parallel(const std::function<void()>& work) {
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work);
}

// --- Trees -----------------------------------------------------------------------------------------------------------

void write_file(const fs::path& path, std::size_t size, std::uint64_t seed) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; i += 8) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    for (std::size_t j = i; j < std::min(i + 8, size); ++j) bytes[j] = static_cast<char>(seed >> (8 * (j - i)));
  }
  std::ofstream(path, std::ios::binary) << bytes;
}

std::vector<std::string> make_tree(const fs::path& root, std::size_t files, std::size_t bytes) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < files; ++i) {
    const std::size_t directory = i / kFilesPerDirectory;
    const fs::path in =
        root / fmt::format("package-{:03}", directory / 20) / fmt::format("module_{:02}", directory % 20);
    if (i % kFilesPerDirectory == 0) fs::create_directories(in);
    paths.push_back(in / fmt::format("source_file_{:06}.txt", i));
    write_file(paths.back(), bytes, i);
  }
  return paths;
}

void new_mtimes(const std::vector<std::string>& paths) {
  static long second = 1'600'000'000;
  ++second;
  const timespec times[2] = {{second, 0}, {second, 0}};
  for (const std::string& path : paths) ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  ::sync();  // else the journal's thread writes while the scan is measured, and not while its floor is
}

// --- Floors ----------------------------------------------------------------------------------------------------------

/// A walk that does nothing but list and stat, with a shared stack of directories.
class BareWalk {
 public:
  static std::size_t run(const fs::path& root) {
    BareWalk walk;
    walk.pending_.push_back(root);
    in_parallel([&] { walk.work(); });
    return walk.seen_;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return !pending_.empty() || busy_ == 0; });
      if (pending_.empty()) break;
      const std::string path = std::move(pending_.back());
      pending_.pop_back();
      ++busy_;
      lock.unlock();
      std::vector<std::string> found = list(path);
      lock.lock();
      --busy_;
      for (std::string& directory : found) pending_.push_back(std::move(directory));
      changed_.notify_all();
    }
    changed_.notify_all();
  }
  std::vector<std::string> list(const std::string& path) {
    std::vector<std::string> directories;
    DIR* directory = ::opendir(path.c_str());
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct statx status {};
      ::statx(::dirfd(directory), entry->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status);
      ++seen_;
      if (S_ISDIR(status.stx_mode)) directories.push_back(path + '/' + entry->d_name);
    }
    ::closedir(directory);
    return directories;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> pending_;
  std::size_t busy_ = 0;
  std::atomic<std::size_t> seen_{0};
};

void read_all(const std::vector<std::string>& paths, bool hashed) {
  std::atomic<std::size_t> next{0};
  in_parallel([&] {
    std::string buffer(1 << 20, '\0');
    graph::Sha256 sha;
    for (std::size_t i; (i = next++) < paths.size();) {
      const int fd = ::open(paths[i].c_str(), O_RDONLY | O_CLOEXEC);
      for (ssize_t got; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
        if (hashed) sha.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
        if (static_cast<std::size_t>(got) < buffer.size()) break;
      }
      if (hashed) sha.finish();
      ::close(fd);
    }
  });
}

// --- Measuring -------------------------------------------------------------------------------------------------------

const graph::ChangeKey kKey = graph::ChangeKey::random();

context::ScanResult scan(const fs::path& root, const cache::StatManifest* known) {
  context::ScanRequest request;
  request.root = root;
  request.key = &kKey;
  request.known = known;
  request.clock_ns = std::int64_t{1} << 62;
  auto result = context::scan_context(request);
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().message);
    std::exit(1);
  }
  return std::move(*result);
}

/// What a first scan of the tree gives to remember.
cache::StatManifest stats_of(const fs::path& root) {
  auto stats = cache::parse_stat_manifest(scan(root, nullptr).stats);
  if (!stats) std::abort();
  return std::move(*stats);
}

void compare(const char* what, const char* floor_name, int runs, const std::function<double()>& measured,
             const std::function<double()>& floor) {
  std::vector<double> ours, theirs;
  for (int run = 0; run < runs; ++run) {
    theirs.push_back(floor());
    ours.push_back(measured());
  }
  fmt::print("{:<34} {:>8.4f} s   {:<34} {:>8.4f} s   ratio {:.2f}\n", what, median(ours), floor_name, median(theirs),
             median(ours) / median(theirs));
  std::fflush(stdout);
}

void measure_reading(const Options& options, const fs::path& root, const std::vector<std::string>& paths,
                     const cache::StatManifest& known) {
  compare(
      "scan, all mtimes new", "reading all bytes", options.runs,
      [&] {
        new_mtimes(paths);
        return seconds([&] { scan(root, &known); });
      },
      [&] {
        new_mtimes(paths);  // the floor's reading, too, meets files that were read before they were changed
        return seconds([&] { read_all(paths, false); });
      });
  compare(
      "cold scan", "SHA-256 of all bytes", options.runs, [&] { return seconds([&] { scan(root, nullptr); }); },
      [&] { return seconds([&] { read_all(paths, true); }); });
}

void measure_small(const Options& options, const fs::path& root) {
  const auto paths = make_tree(root / "tree", options.files, options.bytes);
  const fs::path tree = root / "tree";
  fmt::print("{} files of {} bytes, {} threads, median of {}\n", options.files, options.bytes, kThreads, options.runs);
  cache::StatManifest known = stats_of(tree);
  const auto warm = [&] {
    return seconds([&] {
      const auto result = scan(tree, &known);
      if (result.stats_changed || result.files_read != 0) std::abort();
    });
  };
  compare("warm scan", "bare walk with statx", options.runs, warm,
          [&] { return seconds([&] { BareWalk::run(tree); }); });

  const std::string git = fmt::format("git -c gc.auto=0 --git-dir={0}/git --work-tree={0}/tree ", root.string());
  const auto run = [&](const std::string& rest) {
    if (std::system((git + rest + " >/dev/null 2>&1").c_str()) != 0) fmt::print("git {} failed\n", rest);
  };
  run("init");
  run("add -A");
  run("-c user.name=bench -c user.email=bench@localhost commit -q -m tree");
  run("status");
  compare("warm scan", "git status", options.runs, warm, [&] { return seconds([&] { run("status --porcelain"); }); });

  const std::string stored = cache::serialize(known);
  std::vector<double> parse, write, hash;
  const auto manifest = scan(tree, &known).manifest;
  for (int i = 0; i < options.runs; ++i) {
    parse.push_back(seconds([&] { cache::parse_stat_manifest(stored); }));
    write.push_back(seconds([&] { static_cast<void>(cache::serialize(known)); }));
    hash.push_back(seconds([&] { static_cast<void>(manifest.hash()); }));
  }
  fmt::print("stat manifest: {} bytes, parse {:.4f} s, serialize {:.4f} s; context hash {:.4f} s\n", stored.size(),
             median(parse), median(write), median(hash));
  measure_reading(options, tree, paths, known);
}

void measure_large(const Options& options, const fs::path& root) {
  std::vector<std::string> paths;
  fs::create_directories(root / "large");
  for (std::size_t i = 0; i * kLargeFile < options.large; ++i) {
    paths.push_back(root / "large" / fmt::format("{:04}", i));
    write_file(paths.back(), kLargeFile, i);
  }
  fmt::print("{} files of {} bytes\n", paths.size(), kLargeFile);
  const cache::StatManifest known = stats_of(root / "large");
  measure_reading(options, root / "large", paths, known);
}

/// Runs `work` in a process of its own and prints its peak memory.
void print_peak(const char* what, const std::function<void()>& work) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  fmt::print("{:<34} {:>6} MiB\n", what, usage.ru_maxrss / 1024);
}

void measure_memory(const Options& options, const fs::path& root) {
  const fs::path tree = root / "tree";
  print_peak("making the tree", [&] { static_cast<void>(make_tree(tree, options.files, 10)); });
  print_peak("cold scan", [&] { static_cast<void>(scan(tree, nullptr)); });
  print_peak("cold scan and storing its stats", [&] {
    const std::string stored = scan(tree, nullptr).stats;
    std::ofstream(root / "stored", std::ios::binary) << stored;
  });
  print_peak("reading the stats, warm scan", [&] {
    std::ifstream in(root / "stored", std::ios::binary);
    std::string stored(fs::file_size(root / "stored"), '\0');
    in.read(stored.data(), static_cast<std::streamsize>(stored.size()));
    const auto known = cache::parse_stat_manifest(stored);
    std::string().swap(stored);
    // Another key would not matter: nothing is read.
    if (!known || scan(tree, &*known).files_read != 0) ::_exit(1);
  });
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto value = [&] { return std::string(i + 1 < count ? words[++i] : "0"); };
    if (word == "--memory") {
      options.memory = true;
    } else if (word == "--files") {
      options.files = std::stoul(value());
    } else if (word == "--bytes") {
      options.bytes = std::stoul(value());
    } else if (word == "--large") {
      options.large = std::stoul(value());
    } else if (word == "--runs") {
      options.runs = std::stoi(value());
    } else if (word == "--in") {
      options.in = value();
    } else {
      fmt::print(word == "--help" ? stdout : stderr, "{}", kUsage);
      std::exit(word == "--help" ? 0 : 2);
    }
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  const Options options = parse(count, words);
  std::string root = options.in / "scan-bench-XXXXXX";
  if (::mkdtemp(root.data()) == nullptr) return 1;
  if (options.memory) {
    measure_memory(options, root);
  } else {
    if (options.files > 0) measure_small(options, root);
    if (options.large > 0) measure_large(options, root);
  }
  std::error_code ignored;
  fs::remove_all(root, ignored);
  return 0;
}

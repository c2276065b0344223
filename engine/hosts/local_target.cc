#include "engine/hosts/local_target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "graph/base/text.h"
#include "transport/bootstrap.h"

namespace otto::hosts {
namespace {

namespace fs = std::filesystem;

Error trouble(std::string_view what, const std::string& path, int number) {
  return make_error(ErrorCode::kIo, fmt::format("{} {}: {}", what, text::printable(path), std::strerror(number)));
}

bool is_file(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

/// Writes the content of one file into another, whose mode and owner stay.
Result<void> write_into(const std::string& from, const std::string& to) {
  const Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.valid()) return trouble("cannot read", from, errno);
  const Fd target(::open(to.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY));
  if (!target.valid()) return trouble("cannot write", to, errno);
  for (;;) {
    constexpr std::size_t kBlock = std::size_t{1} << 30;
    const ssize_t sent = ::sendfile(target.get(), source.get(), nullptr, kBlock);
    if (sent == 0) return {};
    if (sent < 0 && errno != EINTR) return trouble("cannot write all of", to, errno);
  }
}

Result<void> pour(const std::string& from, const Fd& stream, const std::string& to, const std::stop_token& stop) {
  constexpr std::size_t kBlock = std::size_t{64} * 1024;
  const Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.valid()) return trouble("cannot read", from, errno);
  std::vector<char> block(kBlock);
  for (;;) {
    const ssize_t got = ::read(source.get(), block.data(), block.size());
    if (got == 0) return {};
    if (got < 0 && errno != EINTR) return trouble("cannot read", from, errno);
    if (got > 0) OTTO_RETURN_IF_ERROR(write_to_stream(stream, {block.data(), static_cast<std::size_t>(got)}, to, stop));
  }
}

/// rename(2); a read-only directory can only be moved while it is made writable. A file that is there and cannot be
/// replaced, because it is mounted or its directory is somebody else's, is written to.
Result<void> move(const std::string& from, const std::string& to) {
  struct stat facts {};
  const bool closed = ::lstat(from.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && (facts.st_mode & S_IWUSR) == 0;
  if (closed) ::chmod(from.c_str(), facts.st_mode | S_IWUSR);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int why = errno;
    const bool must_stay = why == EBUSY || why == EACCES || why == EPERM;
    if (must_stay && is_file(from) && is_file(to) && ::access(to.c_str(), W_OK) == 0) return write_into(from, to);
    return trouble("cannot write", to, why);
  }
  if (closed) ::chmod(to.c_str(), facts.st_mode);
  return {};
}

enum class There { kNothing, kDirectory, kLink, kFile, kSpecial };

There what_is_at(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return There::kNothing;
  if (S_ISDIR(facts.st_mode)) return There::kDirectory;
  if (S_ISLNK(facts.st_mode)) return There::kLink;
  return S_ISREG(facts.st_mode) ? There::kFile : There::kSpecial;
}

/// The kernel's own link to an open file (/proc/PID/fd/N) that `path` is or leads to, if any: what such a link names
/// cannot be renamed onto.
std::optional<fs::path> descriptor_link(const std::string& path) {
  constexpr int kMost = 40;  // as the kernel
  fs::path at = path;
  std::error_code failure;
  for (int i = 0; i < kMost && fs::is_symlink(at, failure); ++i) {
    const fs::path folder = fs::canonical(at.has_parent_path() ? at.parent_path() : ".", failure);
    struct statfs system {};
    if (::statfs(folder.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC) return folder / at.filename();
    const fs::path next = fs::read_symlink(at, failure);
    at = next.is_absolute() ? next : folder / next;
  }
  return std::nullopt;
}

Result<void> merge(const std::string& from, const std::string& to);

Result<void> place(const std::string& from, const std::string& to) {
  const There there = what_is_at(to);
  if (there == There::kSpecial) {
    return make_error(ErrorCode::kIo, text::printable(to) + " is a device, a FIFO or a socket, and is not replaced",
                      "one file can be written to it where it is DEST itself");
  }
  if (what_is_at(from) != There::kDirectory) {
    if (there == There::kDirectory)
      return make_error(ErrorCode::kIo, text::printable(to) + " is a directory, not a file");
    return move(from, to);
  }
  switch (there) {
    case There::kNothing: return move(from, to);
    case There::kDirectory: return merge(from, to);
    case There::kLink:
      return make_error(ErrorCode::kIo,
                        text::printable(to) + " is a symbolic link, and a directory is not written through it");
    case There::kFile:
    case There::kSpecial: return make_error(ErrorCode::kIo, text::printable(to) + " is a file, not a directory");
  }
  return {};
}

Result<void> merge(const std::string& from, const std::string& to) {
  ::chmod(from.c_str(), S_IRWXU);  // of no more use than to be emptied
  std::error_code failure;
  std::vector<std::string> names;
  for (fs::directory_iterator it(from, failure), end; !failure && it != end; it.increment(failure)) {
    names.push_back(it->path().filename().native());
  }
  if (failure) return trouble("cannot read", from, failure.value());
  for (const std::string& name : names) OTTO_RETURN_IF_ERROR(place(from + "/" + name, to + "/" + name));
  return {};
}

void open_up(const std::string& folder) {
  std::error_code ignored;
  fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ignored);
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) open_up(entry.path().native());
  }
}

}  // namespace

Result<void> write_to_stream(const Fd& stream, std::string_view bytes, const std::string& path,
                             const std::stop_token& stop) {
  constexpr int kPollMs = 100;
  constexpr std::size_t kNeverBlocks = PIPE_BUF;  // what a writable pipe takes at once (POSIX)
  while (!bytes.empty()) {
    if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    pollfd ready{stream.get(), POLLOUT, 0};
    if (::poll(&ready, 1, kPollMs) <= 0) continue;
    const ssize_t written = ::write(stream.get(), bytes.data(), std::min(bytes.size(), kNeverBlocks));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return trouble("cannot write to", path, errno);
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<LocalTarget> LocalTarget::resolve(std::string_view dest, bool must_be_directory) {
  std::string bare(dest.empty() ? "." : dest);
  must_be_directory = must_be_directory || bare.ends_with('/');
  while (bare.size() > 1 && bare.ends_with('/')) bare.pop_back();
  std::error_code failure;
  LocalTarget target;
  if (fs::is_directory(bare, failure)) {
    target.directory_ = bare;
  } else if (must_be_directory) {
    if (what_is_at(bare) != There::kNothing)
      return make_error(ErrorCode::kIo, text::printable(bare) + " is not a directory");
    target.directory_ = bare;
    target.make_directory_ = true;
  } else {
    const auto slash = bare.rfind('/');
    target.name_ = bare.substr(slash + 1);
    target.directory_ = slash == std::string::npos ? "." : slash == 0 ? "/" : bare.substr(0, slash);
    struct stat facts {};
    const bool there = ::stat(bare.c_str(), &facts) == 0;
    const bool is_descriptor = descriptor_link(bare).has_value();
    if (there && S_ISSOCK(facts.st_mode) && !is_descriptor)
      return make_error(ErrorCode::kIo, text::printable(bare) + " is a socket");
    if (there && (!S_ISREG(facts.st_mode) || is_descriptor)) {
      target.placing_ = Placing::kStream;
    } else if (there && ::access(target.directory_.c_str(), W_OK) != 0 && ::access(bare.c_str(), W_OK) == 0) {
      target.placing_ = Placing::kWrite;
    }
    if (target.placing_ != Placing::kRename) return target;
  }
  const std::string parent = target.make_directory_ ? fs::absolute(bare).parent_path().native() : target.directory_;
  if (!fs::is_directory(parent, failure)) {
    return make_error(ErrorCode::kIo, "there is no directory " + text::printable(parent),
                      "make it: mkdir -p " + text::shell_quote(text::printable(parent)));
  }
  if (::access(parent.c_str(), W_OK | X_OK) != 0) return trouble("cannot write to", parent, errno);
  return target;
}

LocalTarget::LocalTarget(LocalTarget&& other) noexcept
    : placing_(other.placing_),
      directory_(std::move(other.directory_)),
      name_(std::move(other.name_)),
      folder_(std::exchange(other.folder_, {})),
      make_directory_(other.make_directory_) {}

LocalTarget::~LocalTarget() {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  if (!ignored) return;
  open_up(folder_);
  fs::remove_all(folder_, ignored);
}

Result<Fd> LocalTarget::open_stream(const std::stop_token& stop) const {
  constexpr std::chrono::milliseconds kPause{50};
  const std::string path = directory_ + "/" + name_;
  std::error_code failure;
  const std::optional<fs::path> link = descriptor_link(path);
  if (link && link->parent_path() == fs::canonical("/proc/self/fd", failure)) {
    // As what a shell opened it: at its place in the file, and appending where that was asked for.
    Fd fd(::fcntl(std::atoi(link->filename().c_str()), F_DUPFD_CLOEXEC, 0));
    if (fd.valid()) return fd;
    return trouble("cannot write to", path, errno);
  }
  for (;;) {
    Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (fd.valid()) return fd;
    const int why = errno;
    struct stat facts {};
    const bool waits = why == ENXIO && ::stat(path.c_str(), &facts) == 0 && S_ISFIFO(facts.st_mode);
    if (!waits) return trouble("cannot write to", path, why);
    if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    std::this_thread::sleep_for(kPause);  // a FIFO without a reader, which nothing can wait for
  }
}

Result<void> LocalTarget::prepare() {
  if (make_directory_ && ::mkdir(directory_.c_str(), 0777) != 0) return trouble("cannot make", directory_, errno);
  std::error_code failure;
  const fs::path real = fs::canonical(directory_, failure);
  if (failure) return trouble("cannot open", directory_, failure.value());
  const fs::path beside = placing_ == Placing::kRename ? real : fs::temp_directory_path(failure);
  const std::string folder = (beside / (".otto-get-" + transport::random_token())).native();
  if (::mkdir(folder.c_str(), 0700) != 0) return trouble("cannot write to", beside.native(), errno);
  folder_ = folder;
  if (::mkdir(root().c_str(), 0700) != 0) return trouble("cannot write to", folder_, errno);
  directory_ = real.native();
  return {};
}

Result<void> LocalTarget::install(std::string_view name, const std::stop_token& stop) {
  if (folder_.empty()) return {};  // it was streamed
  if (name_.empty()) return merge(root(), directory_);
  const std::string from = name.empty() ? root() : root() + "/" + std::string(name), to = directory_ + "/" + name_;
  if (placing_ == Placing::kRename) return place(from, to);
  if (!is_file(from)) {
    return make_error(ErrorCode::kIo, fmt::format("{} is not a directory, and cannot become one", text::printable(to)));
  }
  if (placing_ == Placing::kStream) {
    OTTO_TRY(const Fd stream, open_stream(stop));
    return pour(from, stream, to, stop);
  }
  return write_into(from, to);
}

}  // namespace otto::hosts

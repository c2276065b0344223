#include "engine/hosts/local_target.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
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

/// rename(2); a read-only directory can only be moved while it is made writable.
Result<void> move(const std::string& from, const std::string& to) {
  struct stat facts {};
  const bool closed = ::lstat(from.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && (facts.st_mode & S_IWUSR) == 0;
  if (closed) ::chmod(from.c_str(), facts.st_mode | S_IWUSR);
  if (::rename(from.c_str(), to.c_str()) != 0) return trouble("cannot write", to, errno);
  if (closed) ::chmod(to.c_str(), facts.st_mode);
  return {};
}

enum class There { kNothing, kDirectory, kLink, kOther };

There what_is_at(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return There::kNothing;
  if (S_ISDIR(facts.st_mode)) return There::kDirectory;
  return S_ISLNK(facts.st_mode) ? There::kLink : There::kOther;
}

Result<void> merge(const std::string& from, const std::string& to);

Result<void> place(const std::string& from, const std::string& to) {
  const There there = what_is_at(to);
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
    case There::kOther: return make_error(ErrorCode::kIo, text::printable(to) + " is a file, not a directory");
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
    : directory_(std::move(other.directory_)),
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

Result<void> LocalTarget::prepare() {
  if (make_directory_ && ::mkdir(directory_.c_str(), 0777) != 0) return trouble("cannot make", directory_, errno);
  std::error_code failure;
  const fs::path real = fs::canonical(directory_, failure);
  if (failure) return trouble("cannot open", directory_, failure.value());
  const std::string folder = (real / (".otto-get-" + transport::random_token())).native();
  if (::mkdir(folder.c_str(), 0700) != 0) return trouble("cannot write to", directory_, errno);
  folder_ = folder;
  if (::mkdir(root().c_str(), 0700) != 0) return trouble("cannot write to", folder_, errno);
  directory_ = real.native();
  return {};
}

Result<void> LocalTarget::install(std::string_view name) {
  if (name_.empty()) return merge(root(), directory_);
  return place(name.empty() ? root() : root() + "/" + std::string(name), directory_ + "/" + name_);
}

}  // namespace otto::hosts

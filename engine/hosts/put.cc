// put: one file travels as it is, everything else as a tar stream that ends with a mark of its own.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>

#include "engine/archive/tree_packer.h"
#include "engine/hosts/transfer.h"
#include "engine/hosts/transfer_meter.h"
#include "engine/hosts/transfer_script.h"
#include "graph/base/fd.h"
#include "graph/base/text.h"
#include "transport/bootstrap.h"

namespace otto::hosts {
namespace {

/// A source that is one regular file, opened before anything is contacted.
struct SingleFile {
  std::string path;
  Fd fd;
  std::uint64_t size = 0;
  unsigned mode = 0;
  bool sparse = false;
};

Result<void> check_sources(const std::vector<std::string>& sources) {
  if (sources.empty()) return make_error(ErrorCode::kUsage, "nothing to put: no SRC is given");
  for (const std::string& source : sources) {
    struct stat facts {};
    if (::stat(source.c_str(), &facts) != 0) return archive::cannot_read(source);
    if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) {
      return make_error(ErrorCode::kIo, text::printable(source) + " is neither a file nor a directory");
    }
    if (::access(source.c_str(), R_OK) != 0) return archive::cannot_read(source);
  }
  return {};
}

Result<std::optional<SingleFile>> open_single(const std::vector<std::string>& sources, const std::stop_token& stop) {
  if (sources.size() != 1) return std::optional<SingleFile>();
  SingleFile file{sources.front(), Fd(::open(sources.front().c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)), 0,
                  0, false};
  struct stat facts {};
  if (!file.fd.valid() || ::fstat(file.fd.get(), &facts) != 0) return archive::cannot_read(file.path);
  if (!S_ISREG(facts.st_mode)) return std::optional<SingleFile>();
  OTTO_RETURN_IF_ERROR(archive::settle_length(file.fd, facts, file.path, stop));
  file.size = static_cast<std::uint64_t>(facts.st_size);
  file.mode = facts.st_mode & 07777;
  file.sparse = archive::is_sparse(facts);
  return std::optional<SingleFile>(std::move(file));
}

Result<void> send_file(const SingleFile& file, const transport::Writer& write, TransferMeter& meter) {
  std::vector<char> block(std::size_t{256} * 1024);
  for (std::uint64_t left = file.size; left > 0;) {
    const auto got = ::read(file.fd.get(), block.data(), std::min<std::uint64_t>(left, block.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return archive::cannot_read(file.path);
    if (got == 0) {
      return make_error(ErrorCode::kInputsChanged,
                        text::printable(file.path) + " was cut short while it was being sent");
    }
    OTTO_RETURN_IF_ERROR(write({block.data(), static_cast<std::size_t>(got)}));
    left -= static_cast<std::uint64_t>(got);
    meter.moved(static_cast<std::uint64_t>(got));
  }
  return {};
}

/// Where a source's copy lies in the archive.
std::string member_name(const std::string& source) {
  const std::string name = own_name(source);
  return name.empty() ? std::string(kTreeRoot) : std::string(kTreeRoot) + "/" + name;
}

/// Whether the host unpacks holes: its script's first line says so. Asked on the thread that sends.
class HolesAnswer {
 public:
  void feed(std::string_view bytes) {
    line_ += bytes;
    if (line_.find('\n') != std::string::npos) give(line_.starts_with("holes yes\n"));
  }
  /// No answer will come any more.
  void end() { give(false); }
  bool wait() { return answer_.get_future().get(); }

 private:
  void give(bool holes) {
    if (!std::exchange(given_, true)) answer_.set_value(holes);
  }
  std::string line_;
  bool given_ = false;
  std::promise<bool> answer_;
};

class Put {
 public:
  Put(HostAccess& access, const std::vector<std::string>& sources, const TransferOptions& options)
      : access_(access),
        sources_(sources),
        options_(options),
        meter_(access.workspace().reporter(), Phase::kUploading, access.id()) {}

  Result<TransferReport> run(const std::string& dest) {
    OTTO_TRY(single_, open_single(sources_, options_.stop));
    transport::Script script;
    script.text = std::string(put_script());
    const bool directory = sources_.size() > 1 || dest.ends_with('/');
    script.args = {dest,
                   sources_.size() == 1 ? own_name(sources_.front()) : "",
                   directory ? "d" : "",
                   !single_          ? "tree"
                   : single_->sparse ? "sparse"
                                     : "file",
                   std::to_string(single_ ? single_->size : 0),
                   fmt::format("{:04o}", single_ ? single_->mode : 0),
                   transport::random_token()};
    script.input = [this](const transport::Writer& write) { return send(write); };
    script.stop_input = [this] { holes_.end(); };
    std::string complaints;
    script.on_output = [&](transport::Stream stream, std::string_view bytes) {
      if (stream == transport::Stream::kStdout) return holes_.feed(bytes);
      complaints += bytes;
    };
    script.stop = options_.stop;
    OTTO_TRY(transport::Output output, access_.job(script));
    output.err = std::move(complaints);
    auto put = transport::expect_success(std::move(output), ErrorCode::kRemoteFailed,
                                         fmt::format("put to '{}' on '{}'", text::printable(dest), access_.id()));
    if (put.ok()) return meter_.finish(files_, bytes_);
    const auto says = [&](std::string_view words) { return put.error().message.find(words) != std::string::npos; };
    const bool no_place = says("there is no directory") || (says("mkdir: ") && says("No such file or directory"));
    if (!no_place) return std::move(put).error();
    return std::move(put).error().with_hint(fmt::format(
        "the directory above DEST must be there: `otto host {} oneshot 'mkdir -p …'` makes it", access_.id()));
  }

 private:
  Result<void> send(const transport::Writer& write) {
    const archive::Survey found = archive::survey(sources_, options_.stop);
    const bool holes = (single_ ? single_->sparse : found.sparse) && holes_.wait();
    meter_.begin(holes ? found.packed : found.bytes);
    if (single_ && !holes) {
      files_ = 1, bytes_ = single_->size;
      return send_file(*single_, write, meter_);
    }
    archive::TreePacker packer(
        holes ? archive::TarFormat::kPax : archive::TarFormat::kGnu,
        [&](std::string_view bytes) {
          meter_.moved(bytes.size());
          return write(bytes);
        },
        [this](std::string message) { meter_.warn(std::move(message)); }, options_.stop);
    if (single_) {
      OTTO_RETURN_IF_ERROR(packer.add(single_->path, std::string(kTreeRoot)));
    } else {
      for (const std::string& source : sources_) OTTO_RETURN_IF_ERROR(packer.add(source, member_name(source)));
      OTTO_RETURN_IF_ERROR(packer.add_mark(std::string(kEndMark)));
    }
    files_ = packer.files(), bytes_ = packer.bytes();
    return packer.finish();
  }

  HostAccess& access_;
  const std::vector<std::string>& sources_;
  const TransferOptions& options_;
  TransferMeter meter_;
  HolesAnswer holes_;
  std::optional<SingleFile> single_;
  std::uint64_t files_ = 0, bytes_ = 0;
};

}  // namespace

Result<TransferReport> put(HostAccess& access, const std::vector<std::string>& sources, std::string_view dest,
                           const TransferOptions& options) {
  OTTO_RETURN_IF_ERROR(check_sources(sources));
  const std::string place = dest.empty() ? "." : std::string(dest);
  auto report = Put(access, sources, options).run(place);
  if (report.ok() || !access.lacks_shell()) return report;
  return put_by_engine(access, sources, place, options);
}

}  // namespace otto::hosts

// get: the host's stream is read on a thread of its own, and collected beside its final place on this one.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <thread>

#include "engine/archive/tree_unpacker.h"
#include "engine/hosts/byte_queue.h"
#include "engine/hosts/local_target.h"
#include "engine/hosts/transfer.h"
#include "engine/hosts/transfer_meter.h"
#include "engine/hosts/transfer_script.h"
#include "graph/base/fd.h"
#include "graph/base/text.h"

namespace otto::hosts {
namespace {

Error broken_stream() { return make_error(ErrorCode::kIo, "the host's answer is cut short"); }

/// Reads the lines at the front of the stream, then its pieces.
class Reception {
 public:
  Reception(ByteQueue& queue, TransferMeter& meter) : queue_(queue), meter_(meter) {}

  bool line(std::string& text) {
    std::size_t end = 0;
    while ((end = piece_.find('\n')) == std::string::npos) {
      std::string more;
      if (!queue_.pop(more)) return false;
      piece_ += more;
    }
    text = piece_.substr(0, end);
    piece_.erase(0, end + 1);
    return true;
  }
  std::string_view next() {
    if (!std::exchange(in_body_, true) && !piece_.empty()) {
      meter_.moved(piece_.size());
      return piece_;
    }
    if (!queue_.pop(piece_)) return {};
    meter_.moved(piece_.size());
    return piece_;
  }

 private:
  ByteQueue& queue_;
  TransferMeter& meter_;
  std::string piece_;
  bool in_body_ = false;
};

/// Which source a member belongs to: files come first, then directories, each with "." as its root.
class SourceOrder {
 public:
  SourceOrder(const std::vector<std::string>& sources, std::string_view kinds) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      (kinds[i] == 'f' ? files_ : directories_).push_back(own_name(sources[i]));
    }
  }
  Result<std::string> place(const std::string& member) {
    if (next_file_ < files_.size()) return files_[next_file_++];
    if (member == ".") ++next_directory_;
    if (next_directory_ == 0 || next_directory_ > directories_.size()) {
      return make_error(ErrorCode::kIo,
                        fmt::format("the host sent '{}', which was not asked for", text::printable(member)));
    }
    const std::string& root = directories_[next_directory_ - 1];
    if (root.empty()) return member;
    return member == "." ? root : root + "/" + member;
  }

 private:
  std::vector<std::string> files_, directories_;
  std::size_t next_file_ = 0, next_directory_ = 0;
};

class Get {
 public:
  Get(HostAccess& access, const std::vector<std::string>& sources, const TransferOptions& options)
      : access_(access),
        sources_(sources),
        options_(options),
        meter_(access.workspace().reporter(), Phase::kDownloading, access.id()) {}

  Result<void> run(LocalTarget& target) {
    transport::Script script;
    script.text = std::string(get_script());
    script.args = {sources_.size() > 1 ? "many" : target.streams() ? "plain" : "one"};
    script.args.insert(script.args.end(), sources_.begin(), sources_.end());
    return transfer(
        script, target, [this](const transport::Script& s) { return access_.job(s); },
        [&](Reception& reception) { return collect(reception, target); });
  }

  /// One source of a container without a shell: its tar stream's first component is the source.
  Result<void> run_by_engine(LocalTarget& target) {
    transport::Script script;
    script.args = sources_;
    return transfer(
        script, target, [this](const transport::Script& s) { return access_.copy_out(s); },
        [&](Reception& reception) -> Result<void> {
          meter_.begin(0);
          const std::string name = own_name(sources_.front());
          return unpack(reception, target, [&name](const std::string& member) -> Result<std::string> {
            const auto slash = member.find('/');
            const std::string below = slash == std::string::npos ? "" : member.substr(slash + 1);
            if (name.empty()) return below.empty() ? "." : below;
            return below.empty() ? name : name + "/" + below;
          });
        });
  }

  TransferReport finish() { return meter_.finish(files_, bytes_); }

 private:
  using Runner = std::function<Result<transport::Output>(const transport::Script&)>;
  using Collector = std::function<Result<void>(Reception&)>;

  /// Installs what came whole. The host's error wins over ours, which may follow from it.
  Result<void> transfer(transport::Script script, LocalTarget& target, const Runner& runner, const Collector& collect) {
    ByteQueue queue;
    std::string complaints;
    std::stop_source abort;
    const std::stop_callback forward(options_.stop, [&abort] { abort.request_stop(); });
    script.stop = abort.get_token();
    script.on_output = [&](transport::Stream stream, std::string_view bytes) {
      if (stream == transport::Stream::kStdout) return queue.push(bytes);
      complaints += bytes;
    };
    Result<transport::Output> output = make_error(ErrorCode::kInterrupted, "interrupted");
    std::jthread job([&] {
      output = runner(script);
      queue.finish();
    });
    Reception reception(queue, meter_);
    auto collected = collect(reception);
    if (collected.ok()) {
      while (!reception.next().empty()) {
      }
    } else {
      queue.abandon();
      if (collected.error().code != ErrorCode::kIo || started_) abort.request_stop();
    }
    job.join();
    if (options_.stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
    if (!output && (output.error().code != ErrorCode::kInterrupted || collected.ok())) return output.error();
    if (!collected && (!output || output->status.success())) return collected;
    output->err = complaints;
    return install(target, std::move(*output), collected.ok());
  }

  Result<void> install(LocalTarget& target, transport::Output output, bool collected) {
    constexpr int kSignalled = 128;
    const bool ended = output.status.signal.empty() && output.status.code < kSignalled;
    const bool whole = collected && ended && (output.status.success() || tree_);
    if (whole)
      OTTO_RETURN_IF_ERROR(target.install(sources_.size() == 1 ? own_name(sources_.front()) : "", options_.stop));
    auto got = transport::expect_success(std::move(output), ErrorCode::kRemoteFailed,
                                         fmt::format("get from '{}'", access_.id()));
    if (got.ok()) return {};
    return std::move(got).error().with_hint(
        fmt::format("the paths are that host's: `otto host {} oneshot 'ls -la'` shows what is there", access_.id()));
  }

  Result<void> collect(Reception& reception, LocalTarget& target) {
    std::string head;
    if (!reception.line(head)) return broken_stream();
    if (head == "tree") {
      if (target.streams()) {
        started_ = true;
        return make_error(ErrorCode::kIo, "a directory cannot be written to what is no directory");
      }
      std::string kinds, kind;
      while (kinds.size() < sources_.size()) {
        if (!reception.line(kind) || (kind != "f" && kind != "d")) return broken_stream();
        kinds += kind;
      }
      meter_.begin(0);
      SourceOrder order(sources_, kinds);
      return unpack(reception, target, [&order](const std::string& member) { return order.place(member); });
    }
    const auto words = text::split(head, ' ');
    if (words.size() != 3 || words[0] != "file") return broken_stream();
    unsigned mode = 0644;
    std::uint64_t size = 0;
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), mode, 8);
    std::from_chars(words[2].data(), words[2].data() + words[2].size(), size);
    meter_.begin(size);
    return write_file(reception, target, mode);
  }

  Result<void> unpack(Reception& reception, LocalTarget& target, archive::MemberPlacer placer) {
    OTTO_RETURN_IF_ERROR(target.prepare());
    started_ = tree_ = true;
    archive::TreeUnpacker unpacker(
        target.root(), std::move(placer), [this](std::string message) { meter_.warn(std::move(message)); },
        options_.stop);
    auto unpacked = unpacker.unpack([&] { return reception.next(); });
    files_ += unpacker.files(), bytes_ += unpacker.bytes();
    return unpacked;
  }

  Result<void> write_file(Reception& reception, LocalTarget& target, unsigned mode) {
    started_ = true;
    ++files_;
    if (target.streams()) {
      OTTO_TRY(const Fd stream, target.open_stream(options_.stop));
      return pass_all(reception,
                      [&](std::string_view bytes) { return write_to_stream(stream, bytes, "DEST", options_.stop); });
    }
    OTTO_RETURN_IF_ERROR(target.prepare());
    const std::string path = target.root() + "/" + own_name(sources_.front());
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid()) return cannot_write(path);
    OTTO_RETURN_IF_ERROR(pass_all(reception, [&](std::string_view bytes) -> Result<void> {
      while (!bytes.empty()) {
        const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) return cannot_write(path);
        if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
      }
      return {};
    }));
    if (::fchmod(fd.get(), mode & 0777) != 0) return cannot_write(path);
    return {};
  }

  static Error cannot_write(const std::string& path) {
    return make_error(ErrorCode::kIo, fmt::format("cannot write {}: {}", text::printable(path), std::strerror(errno)));
  }

  using Sink = std::function<Result<void>(std::string_view bytes)>;
  Result<void> pass_all(Reception& reception, const Sink& sink) {
    for (std::string_view bytes = reception.next(); !bytes.empty(); bytes = reception.next()) {
      bytes_ += bytes.size();
      OTTO_RETURN_IF_ERROR(sink(bytes));
    }
    return {};
  }

  HostAccess& access_;
  const std::vector<std::string>& sources_;
  const TransferOptions& options_;
  TransferMeter meter_;
  bool started_ = false, tree_ = false;
  std::uint64_t files_ = 0, bytes_ = 0;
};

}  // namespace

Result<TransferReport> get(HostAccess& access, const std::vector<std::string>& sources, std::string_view dest,
                           const TransferOptions& options) {
  if (sources.empty()) return make_error(ErrorCode::kUsage, "nothing to get: no SRC is given");
  OTTO_TRY(LocalTarget target, LocalTarget::resolve(dest, sources.size() > 1));
  Get all(access, sources, options);
  auto done = all.run(target);
  if (done.ok()) return all.finish();
  if (!access.lacks_shell()) return std::move(done).error();
  TransferReport sum;
  for (const std::string& source : sources) {
    const std::vector<std::string> one{source};
    OTTO_TRY(LocalTarget place, LocalTarget::resolve(dest, sources.size() > 1));
    Get each(access, one, options);
    OTTO_RETURN_IF_ERROR(each.run_by_engine(place));
    const TransferReport part = each.finish();
    sum.files += part.files, sum.bytes += part.bytes, sum.duration_ms += part.duration_ms;
  }
  return sum;
}

}  // namespace otto::hosts

// put into a container without a shell: `docker cp` unpacks the stream, so nothing can be renamed afterwards.
//
// What DEST is, the engine tells by the first member of the stream it gives out for it.
#include "engine/archive/tree_packer.h"
#include "engine/hosts/transfer.h"
#include "engine/hosts/transfer_meter.h"
#include "engine/hosts/transfer_script.h"

#include <fmt/format.h>

#include <filesystem>

#include "graph/base/text.h"

namespace otto::hosts {
namespace {

enum class InContainer { kNothing, kDirectory, kOther };

Result<InContainer> look_in_container(HostAccess& access, const std::string& path, const std::stop_token& stop) {
  constexpr std::size_t kBlock = 512, kTypeAt = 156;  // of a tar header (POSIX ustar)
  std::string head;
  std::stop_source enough;
  const std::stop_callback forward(stop, [&enough] { enough.request_stop(); });
  transport::Script script;
  script.args = {path};
  script.stop = enough.get_token();
  script.on_output = [&](transport::Stream stream, std::string_view bytes) {
    if (stream == transport::Stream::kStderr || head.size() >= kBlock) return;
    head += bytes;
    if (head.size() >= kBlock) enough.request_stop();
  };
  const auto output = access.copy_out(script);
  if (!output && head.size() < kBlock) return output.error();
  if (stop.stop_requested()) return make_error(ErrorCode::kInterrupted, "interrupted");
  if (head.size() < kBlock) return InContainer::kNothing;
  return head[kTypeAt] == '5' ? InContainer::kDirectory : InContainer::kOther;
}

}  // namespace

Result<TransferReport> put_by_engine(HostAccess& access, const std::vector<std::string>& sources,
                                     const std::string& named, const TransferOptions& options) {
  // Relative ones begin at the container's root, for the engine.
  const std::string dest = (std::filesystem::path("/") / named).lexically_normal().string();
  const bool must_be_directory = sources.size() > 1 || dest.ends_with('/');
  OTTO_TRY(const InContainer there, look_in_container(access, dest, options.stop));
  if (must_be_directory && there != InContainer::kDirectory) {
    return make_error(ErrorCode::kRemoteFailed,
                      fmt::format("'{}' on '{}' is not a directory", text::printable(dest), access.id()),
                      "without a shell in the container it cannot be made first; put a directory in its place");
  }
  const bool into = there == InContainer::kDirectory;
  const std::string bare = dest.substr(0, std::max<std::size_t>(dest.find_last_not_of('/') + 1, 1));
  const auto slash = bare.rfind('/');
  TransferMeter meter(access.workspace().reporter(), Phase::kUploading, access.id());
  std::uint64_t files = 0, bytes = 0;
  transport::Script script;
  script.args = {into ? bare : slash == std::string::npos ? "." : bare.substr(0, slash + 1)};
  script.stop = options.stop;
  script.input = [&](const transport::Writer& write) -> Result<void> {
    meter.begin(archive::survey(sources, options.stop).bytes);
    archive::TreePacker packer(
        archive::TarFormat::kGnu,
        [&](std::string_view piece) {
          meter.moved(piece.size());
          return write(piece);
        },
        [&meter](std::string message) { meter.warn(std::move(message)); }, options.stop);
    for (const std::string& source : sources) {
      const std::string name = into ? own_name(source) : bare.substr(slash + 1);
      OTTO_RETURN_IF_ERROR(packer.add(source, name.empty() ? "." : name));
    }
    files = packer.files(), bytes = packer.bytes();
    return packer.finish();
  };
  OTTO_TRY(const transport::Output output, access.copy_in(script));
  constexpr int kInMemory = 83;  // scripts/copy_in.sh
  if (output.status.signal.empty() && output.status.code == kInMemory) {
    return make_error(ErrorCode::kUnsupported,
                      fmt::format("'{}' on '{}' lies in a file system in memory ({}), which the engine cannot write to",
                                  text::printable(dest), access.id(), text::printable(text::trim(output.err))),
                      "the image has no shell to do it; put it elsewhere, or mount a volume there");
  }
  OTTO_RETURN_IF_ERROR(transport::expect_success(
      output, ErrorCode::kRemoteFailed, fmt::format("put to '{}' on '{}'", text::printable(dest), access.id())));
  return meter.finish(files, bytes);
}

}  // namespace otto::hosts

#include "engine/docker/stage_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace otto::docker {
namespace {

constexpr std::size_t kSample = 1024 * 1024;     // enough to judge by
constexpr std::size_t kTellingPart = 64 * 1024;  // of tar, else the sections count too
constexpr std::size_t kTiny = 16 * 1024;         // not worth a decompressor's start on the parent
constexpr std::size_t kBatch = 256 * 1024;
constexpr std::uint64_t kMemberOverhead = 1536 + 256;  // pax header, header, half a block

using Section = std::pair<std::string, std::string_view>;

class Upload {
 public:
  Upload(const UploadRequest& request, const ByteSink& sink) : request_(request), sink_(sink) {
    const auto& delta = *request.delta;
    if (request.kind == StageKind::kInPlace) collect_paths();
    sections_ = {{"removed", delta.removed_lines},
                 {"added", delta.added_lines},
                 {"bumps", delta.bumps},
                 {"delete", delta.deletions},
                 {"paths", paths_}};
    for (const auto& [mode, paths] : delta.modes) sections_.emplace_back(fmt::format("mode.{:04o}", mode), paths);
    for (const auto& section : sections_) raw_total_ += section.second.size();
    for (const auto& sent : delta.send) raw_total_ += sent.entry->size + kMemberOverhead;
  }

  Result<UploadTotals> run() {
    TarPacker packer(
        request_.locate, [this](std::string_view bytes) { return take_tar(bytes); }, request_.stop);
    for (const auto& sent : request_.delta->send) {
      TarPacker::Member member{request_.tree + "/" + sent.entry->path, sent.entry, staged_seconds(*sent.entry),
                               sent.nanoseconds};
      OTTO_RETURN_IF_ERROR(packer.add(member));
      if (sent.entry->type != graph::EntryType::kDirectory) ++totals_.files;
    }
    OTTO_RETURN_IF_ERROR(packer.add_mark(fmt::format("work.{}/complete", request_.fresh)));
    OTTO_RETURN_IF_ERROR(packer.finish());
    if (!compressor_) OTTO_RETURN_IF_ERROR(begin());
    OTTO_RETURN_IF_ERROR(compressor_->finish());
    OTTO_RETURN_IF_ERROR(flush());
    return totals_;
  }

 private:
  /// What an interrupted change in place may have touched, for the next one to look after.
  void collect_paths() {
    for (const auto& sent : request_.delta->send) (paths_ += sent.entry->path) += '\0';
    std::string_view rest = request_.delta->deletions;
    while (!rest.empty()) {
      auto end = rest.find('\0');
      paths_ += rest.substr(1, end);  // with its NUL
      rest.remove_prefix(end + 1);
    }
  }

  Result<void> take_tar(std::string_view bytes) {
    raw_done_ += bytes.size();
    if (compressor_) return compressor_->write(bytes);
    sample_ += bytes;
    if (sample_.size() < kSample) return {};
    return begin();
  }

  /// Decides the codec by the sample, then sends the order and all that was held back.
  Result<void> begin() {
    auto codec = choose_codec();
    OTTO_RETURN_IF_ERROR(send(
        fmt::format("put {} {} {}\n", codec_name(codec), request_.delta->manifest.hex(), request_.delta->shape.hex())));
    compressor_ = std::make_unique<Compressor>(codec, [this](std::string_view bytes) { return send(bytes); });
    for (const auto& [name, bytes] : sections_) {
      OTTO_RETURN_IF_ERROR(compressor_->write(fmt::format("section {} {}\n", name, bytes.size())));
      OTTO_RETURN_IF_ERROR(compressor_->write(bytes));
      raw_done_ += bytes.size();
    }
    OTTO_RETURN_IF_ERROR(compressor_->write("tar\n"));
    return compressor_->write(std::exchange(sample_, {}));
  }

  Codec choose_codec() {
    if (request_.codec == Codec::kNone || raw_total_ < kTiny) return Codec::kNone;
    std::uint64_t before = sample_.size();
    std::uint64_t after = 0;
    Compressor trial(request_.codec, [&after](std::string_view bytes) {
      after += bytes.size();
      return Result<void>();
    });
    bool fine = trial.write(sample_).ok();
    if (sample_.size() < kTellingPart) {
      for (const auto& section : sections_) {
        before += section.second.size();
        fine = fine && trial.write(section.second).ok();
      }
    }
    fine = fine && trial.finish().ok();
    return fine && after < before - before / 10 ? request_.codec : Codec::kNone;
  }

  Result<void> send(std::string_view bytes) {
    batch_ += bytes;
    return batch_.size() < kBatch ? Result<void>() : flush();
  }

  Result<void> flush() {
    OTTO_RETURN_IF_ERROR(sink_(batch_));
    totals_.bytes += batch_.size();
    batch_.clear();
    if (request_.progress) {
      auto left = raw_total_ > raw_done_ ? raw_total_ - raw_done_ : 0;
      double ratio = static_cast<double>(totals_.bytes) / static_cast<double>(std::max<std::uint64_t>(raw_done_, 1));
      request_.progress(totals_.bytes, totals_.bytes + static_cast<std::uint64_t>(static_cast<double>(left) * ratio));
    }
    return {};
  }

  const UploadRequest& request_;
  const ByteSink& sink_;
  std::string paths_;
  std::vector<Section> sections_;
  std::uint64_t raw_total_ = 0;
  std::uint64_t raw_done_ = 0;
  std::string sample_;
  std::string batch_;
  std::unique_ptr<Compressor> compressor_;
  UploadTotals totals_;
};

}  // namespace

Result<UploadTotals> send_delta(const UploadRequest& request, const ByteSink& sink) {
  return Upload(request, sink).run();
}

}  // namespace otto::docker

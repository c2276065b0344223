#include "engine/stage/stage_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/stage/stage_recipe.h"
#include "engine/stage/stage_reuse.h"

namespace otto::stage {
namespace {

constexpr std::size_t kSample = 1024 * 1024;     // enough to judge by
constexpr std::size_t kTellingPart = 64 * 1024;  // of tar, else the sections count too
constexpr std::size_t kTiny = 16 * 1024;         // not worth a decompressor's start on the parent
constexpr std::size_t kBatch = 256 * 1024;
constexpr std::uint64_t kMemberOverhead = 1536 + 256;  // pax header, header, half a block

using Section = std::pair<std::string, std::string_view>;

bool takes_new_path(const UploadRequest& request) { return request.delta->new_path && !request.tree_is_new; }

class Upload {
 public:
  Upload(const UploadRequest& request, const archive::ByteSink& sink)
      : request_(request), sink_(sink), tree_(tree_name_after(request)) {
    const auto& delta = *request.delta;
    // In place nothing is touched until all has come: it is unpacked beside the tree.
    const bool in_place = request.kind == StageKind::kInPlace;
    incoming_ = in_place ? fmt::format("work.{}/copied/{}/", request.fresh, tree_) : tree_ + "/";
    if (in_place) collect_checks();
    collect_paths();
    pack_links();
    sections_ = {{"removed", delta.removed_lines},
                 {"added", delta.added_lines},
                 {"bumps", delta.bumps},
                 {"delete", delta.deletions},
                 {"paths", paths_}};
    if (!links_.empty()) sections_.emplace_back("links", links_);
    if (!copies_.empty()) sections_.emplace_back("copies", copies_);
    for (const auto& [mode, paths] : delta.modes) sections_.emplace_back(fmt::format("mode.{:04o}", mode), paths);
    for (const auto& [mode, paths] : delta.directory_modes)
      sections_.emplace_back(fmt::format("dirmode.{:04o}", mode), paths);
    if (!checks_.empty()) sections_.emplace_back("checks", checks_);
    if (!delta.closed.empty()) sections_.emplace_back("closed", delta.closed);
    if (!request.tree_link.empty()) sections_.emplace_back("tree-link", request.tree_link);
    if (takes_new_path(request)) sections_.emplace_back("new-path", "1");
    if (!delta.recipes.empty()) {
      recipes_ = recipes_script(delta.recipes);
      sections_.emplace_back("recipes", recipes_);
      literals_ = literal_bytes(delta.recipes);
      raw_total_ += literals_;
      totals_.files += delta.recipes.size();
    }
    for (const auto& section : sections_) raw_total_ += section.second.size();
    for (const auto& sent : delta.send) raw_total_ += sent.entry->size + kMemberOverhead;
  }

  Result<UploadTotals> run() {
    archive::TarPacker packer(
        request_.locate, [this](std::string_view bytes) { return take_tar(bytes); }, request_.stop);
    for (const auto& sent : request_.delta->send) {
      OTTO_RETURN_IF_ERROR(pack(packer, sent));
      if (sent.entry->type != graph::EntryType::kDirectory) ++totals_.files;
    }
    OTTO_RETURN_IF_ERROR(packer.add_data(fmt::format("work.{}/complete", request_.fresh), ""));
    OTTO_RETURN_IF_ERROR(packer.finish());
    if (!compressor_) OTTO_RETURN_IF_ERROR(begin());
    OTTO_RETURN_IF_ERROR(compressor_->finish());
    OTTO_RETURN_IF_ERROR(flush());
    return totals_;
  }

 private:
  /// A large file is followed by its chunk list.
  Result<void> pack(archive::TarPacker& packer, const SentEntry& sent) {
    const auto& entry = *sent.entry;
    archive::TarPacker::Member member{
        incoming_ + std::string(entry.path), &entry, staged_seconds(entry), sent.nanoseconds, {}};
    if (entry.type != graph::EntryType::kFile || entry.size < kLargeFile) return packer.add(member);
    Chunker chunker(chunk_average(entry.size));
    member.on_content = [&](std::string_view bytes) { chunker.update(bytes); };
    OTTO_RETURN_IF_ERROR(packer.add(member));
    return packer.add_data(fmt::format("work.{}/lists/{}", request_.fresh, entry.digest.hex()),
                           serialize(chunker.finish()));
  }

  /// In place, what an interrupted change may have touched, for the next one to look after; in a context, the files
  /// whose lines of the listing change.
  void collect_paths() {
    const auto& delta = *request_.delta;
    const bool in_place = request_.kind == StageKind::kInPlace;
    if (!in_place && request_.tree_is_new) return;
    const auto add = [this](std::string_view path) { (paths_ += path) += '\0'; };
    for (const auto& sent : delta.send) add(sent.entry->path);
    for (const auto& recipe : delta.recipes) add(recipe.sent.entry->path);
    for (const auto& copy : delta.copies) add(copy.entry->path);
    if (!in_place) {
      for (const auto& move : delta.moves) add(move.entry->path);
      for (const auto& copy : delta.copies) add(copy.from);  // its ctime changes with the link to it
      for (const auto& [mode, paths] : delta.modes) paths_ += paths;
      return;
    }
    std::string_view rest = delta.deletions;
    while (!rest.empty()) {
      auto end = rest.find('\0');
      paths_ += rest.substr(1, end);  // with its NUL
      rest.remove_prefix(end + 1);
    }
  }

  /// What the parent looks at before it touches anything: 'k' and a directory, 'w' and anything else that is written.
  void collect_checks() {
    const auto& delta = *request_.delta;
    const auto add = [this](const graph::ContextEntry& entry) {
      checks_ += entry.type == graph::EntryType::kDirectory ? 'k' : 'w';
      (checks_ += entry.path) += '\0';
    };
    for (const auto& sent : delta.send) add(*sent.entry);
    for (const auto& recipe : delta.recipes) add(*recipe.sent.entry);
    for (const auto& copy : delta.copies) add(*copy.entry);
  }

  /// An archive of links to the files that are used again, made before anything is deleted.
  void pack_links() {
    const auto& delta = *request_.delta;
    if (delta.moves.empty() && delta.copies.empty()) return;
    archive::TarPacker packer({}, [this](std::string_view bytes) { return links_ += bytes, Result<void>(); }, {});
    const bool in_place = request_.kind == StageKind::kInPlace;
    auto link = [&](const std::string& folder, const ReusedEntry& reused) {
      OTTO_CHECK(
          packer.add_link(folder + std::string(reused.entry->path), fmt::format("{}/{}", tree_, reused.from)).ok());
    };
    for (const auto& reused : delta.moves) link(fmt::format("work.{}/moved/", request_.fresh), reused);
    for (const auto& reused : delta.copies)
      link(in_place ? incoming_ : fmt::format("work.{}/copied/", request_.fresh), reused);
    OTTO_CHECK(packer.finish().ok());
    if (in_place) copies_ = copies_digest(delta.copies).hex();
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
    OTTO_TRY(auto codec, choose_codec());
    OTTO_RETURN_IF_ERROR(send(fmt::format("put {} {} {}\n", archive::codec_name(codec), request_.delta->manifest.hex(),
                                          request_.delta->shape.hex())));
    compressor_ = std::make_unique<archive::Compressor>(codec, [this](std::string_view bytes) { return send(bytes); });
    for (const auto& [name, bytes] : sections_) {
      OTTO_RETURN_IF_ERROR(compressor_->write(fmt::format("section {} {}\n", name, bytes.size())));
      OTTO_RETURN_IF_ERROR(compressor_->write(bytes));
      raw_done_ += bytes.size();
    }
    OTTO_RETURN_IF_ERROR(send_literals());
    OTTO_RETURN_IF_ERROR(compressor_->write("tar\n"));
    return compressor_->write(std::exchange(sample_, {}));
  }

  Result<void> send_literals() {
    if (literals_ == 0) return {};
    OTTO_RETURN_IF_ERROR(compressor_->write(fmt::format("section literals {}\n", literals_)));
    LiteralReader reader(request_.delta->recipes, request_.locate, request_.stop);
    std::string bytes;
    for (;;) {
      OTTO_TRY(const bool more, reader.next(bytes));
      if (!more) return {};
      raw_done_ += bytes.size();
      OTTO_RETURN_IF_ERROR(compressor_->write(bytes));
    }
  }

  Result<std::string> sample_literals() {
    LiteralReader reader(request_.delta->recipes, request_.locate, request_.stop);
    std::string sample;
    std::string bytes;
    while (sample.size() < kSample) {
      OTTO_TRY(const bool more, reader.next(bytes));
      if (!more) break;
      sample += bytes;
    }
    return sample;
  }

  Result<archive::Codec> choose_codec() {
    if (request_.codec == archive::Codec::kNone || raw_total_ < kTiny) return archive::Codec::kNone;
    std::uint64_t before = sample_.size();
    std::uint64_t after = 0;
    archive::Compressor trial(request_.codec, [&after](std::string_view bytes) {
      after += bytes.size();
      return Result<void>();
    });
    OTTO_TRY(const auto literals, sample_literals());
    before += literals.size();
    bool fine = trial.write(sample_).ok() && trial.write(literals).ok();
    if (before < kTellingPart) {
      for (const auto& section : sections_) {
        before += section.second.size();
        fine = fine && trial.write(section.second).ok();
      }
    }
    fine = fine && trial.finish().ok();
    return fine && after < before - before / 10 ? request_.codec : archive::Codec::kNone;
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
  const archive::ByteSink& sink_;
  std::string tree_;
  std::string incoming_;  // what members' names begin with
  std::string checks_;
  std::string paths_;
  std::string links_;
  std::string recipes_;
  std::uint64_t literals_ = 0;
  std::string copies_;
  std::vector<Section> sections_;
  std::uint64_t raw_total_ = 0;
  std::uint64_t raw_done_ = 0;
  std::string sample_;
  std::string batch_;
  std::unique_ptr<archive::Compressor> compressor_;
  UploadTotals totals_;
};

}  // namespace

std::string tree_name_after(const UploadRequest& request) {
  return takes_new_path(request) ? "tree." + request.fresh : request.tree;
}

Result<UploadTotals> send_delta(const UploadRequest& request, const archive::ByteSink& sink) {
  return Upload(request, sink).run();
}

}  // namespace otto::stage

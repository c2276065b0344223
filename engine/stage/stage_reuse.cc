#include "engine/stage/stage_reuse.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace otto::stage {
namespace {

using graph::ContextEntry;
using graph::EntryType;

constexpr std::uint64_t kSmallest = 512;  // below a tar block nothing is saved

struct DigestHash {
  std::size_t operator()(const graph::Digest& digest) const {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.bytes.data(), sizeof hash);
    return hash;
  }
};

struct Source {
  const ContextEntry* entry = nullptr;
  bool free = false;  // its path will hold something else, or nothing: the inode may be taken
};
using Sources = std::unordered_map<graph::Digest, std::vector<Source>, DigestHash>;

bool reusable(const ContextEntry& entry) { return entry.type == EntryType::kFile && entry.size >= kSmallest; }

class Reuse {
 public:
  Reuse(const StageBase& base, const StagedEntries& wanted, StageKind kind, StageDelta& delta)
      : base_(base), wanted_(wanted), kind_(kind), delta_(delta) {}

  void run(const StagedEntries& before) {
    for (const auto& sent : delta_.send)
      if (reusable(*sent.entry)) sources_[sent.entry->digest];
    if (sources_.empty()) return;
    for (const auto* entry : before.sorted()) offer(*entry);
    std::erase_if(delta_.send, [this](const SentEntry& sent) { return take(sent); });
  }

 private:
  void offer(const ContextEntry& entry) {
    if (!reusable(entry) || lies_beside(entry.path) || base_.touched.contains(entry.path)) return;
    auto sought = sources_.find(entry.digest);
    if (sought == sources_.end()) return;
    const auto* stays = wanted_.find(entry.path);
    bool free = kind_ == StageKind::kContext && (stays == nullptr || !same_staged_content(*stays, entry));
    sought->second.push_back({&entry, free});
  }

  bool take(const SentEntry& sent) {
    if (!reusable(*sent.entry) || lies_beside(sent.entry->path)) return false;
    Source* best = nullptr;
    for (auto& source : sources_.at(sent.entry->digest)) {
      if (!tells_no_lie(source, sent)) continue;
      if (best == nullptr || (source.free && !best->free)) best = &source;
    }
    if (best == nullptr) return false;
    (best->free ? delta_.moves : delta_.copies).push_back({sent.entry, best->entry->path});
    best->free = false;
    if (kind_ == StageKind::kInPlace || best->entry->mode != sent.entry->mode)
      (delta_.modes[sent.entry->mode] += sent.entry->path) += '\0';
    return true;
  }

  /// The pair (size, mtime) that was chosen for the new path is the one that comes along.
  [[nodiscard]] bool tells_no_lie(const Source& source, const SentEntry& sent) const {
    auto bump = base_.bumps.find(source.entry->path);
    return source.entry->size == sent.entry->size &&
           staged_nanoseconds(*source.entry, bump == base_.bumps.end() ? 0 : bump->second) == sent.nanoseconds;
  }

  const StageBase& base_;
  const StagedEntries& wanted_;
  StageKind kind_;
  StageDelta& delta_;
  Sources sources_;
};

}  // namespace

void reuse_staged(const StageBase& base, const StagedEntries& before, const StagedEntries& wanted, StageKind kind,
                  StageDelta& delta) {
  Reuse(base, wanted, kind, delta).run(before);
}

graph::Digest copies_digest(const std::vector<ReusedEntry>& copies) {
  auto sorted = copies;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.entry->path < b.entry->path; });
  graph::Sha256 hasher;
  for (const auto& copy : sorted) {
    hasher.update(copy.entry->digest.hex() + "  ./" + copy.entry->path);
    hasher.update(std::string_view("\0", 1));
  }
  return hasher.finish();
}

}  // namespace otto::stage

// Context manifests in the memo: the stat manifest of each context's last scan, and manifests by their hash.
//
// Stat manifests make the next scan fast; manifests by hash let a later explanation name the files that differ. Both
// are one row and one blob each, read in one go. A damaged blob counts as absent. Borrows the Database; same thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

#include "cache/database.h"
#include "cache/stat_manifest.h"
#include "graph/context_manifest.h"

namespace otto::cache {

using StatsByContext = std::unordered_map<std::string_view, StatManifest>;

class ManifestStore {
 public:
  explicit ManifestStore(Database& database) : database_(&database) {}

  /// `context_key` names a context on this machine (its root and whatever selects entries); chosen by the caller.
  Result<std::optional<StatManifest>> load_stats(std::string_view context_key);
  /// Those of `context_keys` that are there and take at most `most` bytes, in one read transaction: a repo may have a
  /// thousand small contexts. The keys must outlive the answer.
  Result<StatsByContext> load_small_stats(std::span<const std::string_view> context_keys, std::size_t most);
  /// `stored`: as serialize() or StatWriter made it.
  Result<void> store_stats(std::string_view context_key, std::string_view stored);

  /// `hash` is the manifest's own hash(); a stored manifest that does not have it is damaged and counts as absent.
  Result<std::optional<graph::ContextManifest>> load_manifest(const graph::Digest& hash);
  Result<void> store_manifest(const graph::ContextManifest& manifest, const graph::Digest& hash);

  /// Drops manifests of no image's last build (by a kContext component with their hash) but the newest 8, and of the
  /// stat manifests those written longest ago: the newest 8 stay, and others while all together hold `bytes_of_stats`.
  Result<void> forget_unused(std::int64_t bytes_of_stats = std::int64_t{256} << 20);

 private:
  Database* database_;
};

}  // namespace otto::cache

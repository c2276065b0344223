// A tree of files, scanned as a command would: with rules, and with what an earlier scan remembered.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/context/context_scan.h"
#include "tests/support/temp_tree.h"

namespace otto::context {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kFarFuture = std::int64_t{1} << 62;  // a clock by which every stamp is old

class ContextScan : public ::testing::Test {
 protected:
  ScanRequest request() {
    ScanRequest request;
    request.root = tree_.root();
    request.rules = &rules_;
    request.known = known_ ? &*known_ : nullptr;
    request.key = &key_;
    request.threads = 2;
    return request;
  }
  ScanResult scan(std::int64_t clock_ns = 0) {
    ScanRequest asked = request();
    asked.clock_ns = clock_ns;
    auto result = scan_context(asked);
    if (!result) ADD_FAILURE() << result.error().message;
    return result ? std::move(*result) : ScanResult();
  }
  /// Scans and remembers, as a later command would find it.
  ScanResult scan_and_remember(std::int64_t clock_ns = 0) {
    ScanResult result = scan(clock_ns);
    if (result.stats_changed) known_ = stats(result);
    return result;
  }
  /// What the scan gave to remember.
  static cache::StatManifest stats(const ScanResult& result) {
    auto stats = cache::parse_stat_manifest(result.stats);
    if (!stats) ADD_FAILURE() << "stats that nobody can read";
    return stats ? std::move(*stats) : cache::StatManifest();
  }
  void use_rules(std::string_view text) {
    auto rules = IgnoreRules::parse(text, ".dockerignore");
    ASSERT_TRUE(rules.ok());
    rules_ = std::move(*rules);
  }
  static std::vector<std::string> paths(const ScanResult& result) {
    std::vector<std::string> all;
    for (const auto& entry : result.manifest.entries) all.push_back(entry.path);
    return all;
  }

  otto::testing::TempTree tree_;
  IgnoreRules rules_;
  graph::ChangeKey key_ = graph::ChangeKey::random();
  std::optional<cache::StatManifest> known_;
};

}  // namespace otto::context

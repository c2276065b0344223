// The fast reads behind `--list-hosts` and tab completion: one read-only open, indexed reads, close.
//
// Never creates or changes the memo, never touches the network; without a memo there is simply nothing to list.
// Free functions without state; any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cache/records.h"
#include "graph/base/result.h"

namespace otto::cache {

/// An image some recorded build knows.
struct KnownImage {
  std::string project, image;
  bool operator==(const KnownImage&) const = default;
};

/// A service that something was done to.
struct KnownService {
  std::string project, service;
  bool operator==(const KnownService&) const = default;
};

struct Listing {
  std::vector<Registration> registrations;  ///< sorted by host id
  std::vector<KnownImage> images;           ///< sorted by project, image
  std::vector<KnownService> services;       ///< sorted by project, service
};

/// Empty where the memo is absent or of an older version. kDatabase: there is one that cannot be read; completion
/// ignores that, `--list-hosts` warns.
Result<Listing> read_listing(const std::filesystem::path& memo);

}  // namespace otto::cache

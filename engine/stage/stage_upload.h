// Turns a delta into the bytes that are sent: the order line, the sections, the tar stream, compressed when it pays.
//
// Whether it pays is measured on the first megabyte; tiny deltas go as they are. Must not know how the bytes travel.
// Runs on the caller's thread, with memory independent of file sizes.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "engine/archive/codec.h"
#include "engine/archive/tar_packer.h"
#include "engine/stage/stage_delta.h"

namespace otto::stage {

struct UploadRequest {
  const StageDelta* delta = nullptr;  ///< borrowed
  StageKind kind = StageKind::kContext;
  archive::SourceLocator locate;
  std::string tree;  ///< the tree's name within the stage, before it gets a new one
  bool tree_is_new = false;
  std::string fresh;                             ///< the new stamp
  archive::Codec codec = archive::Codec::kNone;  ///< the best the parent has
  std::function<void(std::uint64_t sent, std::uint64_t total_estimate)> progress;
  std::stop_token stop;
  std::string tree_link = {};  ///< as in StageRequest
};

/// The tree's name once the request has been carried out.
std::string tree_name_after(const UploadRequest& request);

struct UploadTotals {
  std::uint64_t bytes = 0;  ///< given to the sink
  std::uint64_t files = 0;  ///< files and symlinks
};

/// kInputsChanged, kIo, kInterrupted (tar_packer.h); the sink's errors.
Result<UploadTotals> send_delta(const UploadRequest& request, const archive::ByteSink& sink);

}  // namespace otto::stage

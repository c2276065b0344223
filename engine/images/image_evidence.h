// What is known of a repo's images on one parent, gathered for the judgement (images/image_plan.h) from probe, memo and
// the parent's own records.
//
// Decides nothing. The parent's records are asked for, in one round trip more, only where the memo knows nothing of an
// image that matters. Borrows everything; call from the thread that owns the memo.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/images/image_inputs.h"
#include "engine/images/image_plan.h"
#include "engine/parent/parent_session.h"
#include "engine/parent/probe.h"
#include "graph/base/result.h"

namespace otto::images {

class ImageEvidenceReader {
 public:
  /// `pull`: base images are judged too.
  ImageEvidenceReader(cache::Database& memo, const workspace::Target& target, const parent::Probe& probe, bool pull)
      : memo_(memo), target_(target), probe_(probe), pull_(pull) {}

  /// Asks the parent for its records of images that the memo does not know there. kConnectionLost, kInterrupted,
  /// kDatabase.
  Result<void> ask_records(const parent::ParentSession& session, const std::vector<ImageInputs>& images);
  /// kDatabase.
  Result<ImageEvidence> evidence_for(const ImageInputs& image);

 private:
  Result<void> take_memo(const ImageInputs& image, ImageEvidence& evidence);
  void take_record(const ImageInputs& image, ImageEvidence& evidence) const;

  cache::Database& memo_;
  const workspace::Target& target_;
  const parent::Probe& probe_;
  const bool pull_;
  std::map<std::string, graph::BuiltFrom> records_;  // by images::record_name
};

}  // namespace otto::images

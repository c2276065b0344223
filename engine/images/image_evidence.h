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
#include "engine/parent/parent.h"
#include "engine/parent/parent_session.h"
#include "graph/base/result.h"

namespace otto::execute {

class ImageEvidenceReader {
 public:
  /// `pull`: base images are judged too.
  ImageEvidenceReader(cache::Database& memo, const Target& target, const docker::Probe& probe, bool pull)
      : memo_(memo), target_(target), probe_(probe), pull_(pull) {}

  /// Asks the parent for its records of images that the memo does not know there. kConnectionLost, kInterrupted,
  /// kDatabase.
  Result<void> ask_records(const ParentSession& parent, const std::vector<inputs::ImageInputs>& images);
  /// kDatabase.
  Result<plan::ImageEvidence> evidence_for(const inputs::ImageInputs& image);

 private:
  Result<void> take_memo(const inputs::ImageInputs& image, plan::ImageEvidence& evidence);
  void take_record(const inputs::ImageInputs& image, plan::ImageEvidence& evidence) const;

  cache::Database& memo_;
  const Target& target_;
  const docker::Probe& probe_;
  const bool pull_;
  std::map<std::string, graph::BuiltFrom> records_;  // by docker::record_name
};

}  // namespace otto::execute

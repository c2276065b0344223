// Edits of contexts, sent to their stages while the parent is still asked what it has.
//
// What an image's context became since its last build here must be brought there, unless somebody else has built the
// image meanwhile; then the stage holds what is on disk now, which is never wrong. Only small edits of contexts that
// were staged before are sent so early, of no hash that was built there before, and nobody at work on the stage is
// waited for. The connection is up; one job at a time does it at once, before the question.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "engine/images/image_inputs.h"
#include "engine/images/image_run.h"
#include "engine/parent/parent_session.h"
#include "engine/parent/staging.h"
#include "graph/base/result.h"

namespace otto::images {

class EarlyStages {
 public:
  /// Begins where something is to be sent. Borrows both; the session must not lose its memory of the parent. kDatabase.
  static Result<std::unique_ptr<EarlyStages>> begin(parent::ParentSession& session, const RepoInputs& images,
                                                    const ImageRunRequest& request);

  struct Brought {
    const Context* context = nullptr;
    parent::StageState state;
  };
  /// Waits. An upload that failed is not among them: it is to be done again, and its error told then.
  std::vector<Brought> take();

 private:
  struct Upload {
    const Context* context = nullptr;
    std::string image;  ///< that it is shown with
    std::string manifest, stamp;
  };
  explicit EarlyStages(parent::ParentSession& session) : session_(session) {}
  Result<void> find(const RepoInputs& images);
  void bring();
  void bring(const Upload& upload);

  parent::ParentSession& session_;
  parent::ParentFacts facts_;
  std::vector<Upload> uploads_;
  std::vector<Brought> brought_;
  std::jthread thread_;  // last: it works on the others
};

}  // namespace otto::images

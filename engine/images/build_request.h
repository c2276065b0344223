// What a parent is asked to build for an image, as far as the image itself says it.
//
// Reads the files of secrets. What hangs on the parent (the stage's stamp, tags of other images, ids of base images)
// and on the run is added by image_run.cc.
#pragma once

#include "engine/images/image_inputs.h"
#include "engine/parent/building.h"
#include "graph/base/result.h"

namespace otto::images {

/// Borrows the image's fingerprint. kIo for the file of a secret that cannot be read.
Result<parent::BuildRequest> request_of(const ImageInputs& image);

}  // namespace otto::images

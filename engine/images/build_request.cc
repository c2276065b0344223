#include "engine/images/build_request.h"

#include <fmt/format.h>

#include "graph/base/whole_file.h"

namespace otto::images {

Result<parent::BuildRequest> request_of(const ImageInputs& image) {
  const config::ImageSettings& settings = *image.settings;
  parent::BuildRequest request;
  request.name = image.name();
  request.tag = image.tag;
  request.latest = image.latest;
  request.dockerfile = image.dockerfile;
  request.dockerfile_name = settings.dockerfile.string();
  request.stage_key = image.context->stage_key;
  request.fingerprint = &image.fingerprint;
  request.build_args = settings.build_args;
  request.build_options = settings.build_options;
  request.build_hints = settings.build_hints;
  request.triggered = image.triggered;
  request.target = settings.target.value_or("");
  request.platform = settings.platform.value_or("");
  for (const auto& [id, secret] : settings.build_secrets) {
    const auto bytes = secret.file.empty() ? secret.value : read_whole_file(secret.file);
    if (!bytes) {
      return make_error(
          ErrorCode::kIo,
          fmt::format("cannot read {}, the secret '{}' of image '{}'", secret.file.string(), id, image.name()),
          "check that it exists and its permissions");
    }
    request.secrets[id] = *bytes;
  }
  return request;
}

}  // namespace otto::images

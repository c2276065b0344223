// Images that compose files build: each service with a `build:` section is an image of the repo, as if declared under
// [[docker.images]].
//
// They join Settings::images when a workspace opens, so that building, staleness, graph and pruning know one kind of
// image. Compose files that cannot be read are no reason to refuse commands that need no image: the error is kept in
// the settings until images are asked for. Must not know parents.
#pragma once

#include <string>

#include "engine/compose/compose_file.h"
#include "engine/config/settings.h"

namespace otto::compose {

/// The image that a service with a `build:` section stands for: `<image>` of `[registry/]<project>-<image>` where its
/// `image:` names one, else the service's name in lower case.
std::string built_image_name(const config::Settings& repo, const ComposeService& service);

/// Adds them to repo.images, or sets repo.images_error. Contacts nothing; reads no file where no `build:` can be.
void add_compose_images(config::Settings& repo, const GetEnv& getenv);

}  // namespace otto::compose

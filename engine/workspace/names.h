// Names that otto gives and reads: host ids of containers, references of images. Tags and projects, which other
// programs may want too, are in otto/names.h. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "otto/names.h"

namespace otto::workspace {

/// "<parent>.<project>.<service>", further replicas "-2", "-3", …; lower case.
std::string container_host_id(std::string_view parent, std::string_view project, std::string_view service,
                              unsigned number);

/// The repository part without registry default, tag and digest: "docker.io/library/x:1" → "x".
struct ParsedReference {
  std::string repository;  ///< "registry.example:5000/team/app", "veggies-base"
  std::string tag;         ///< empty: none
  std::string digest;      ///< "sha256:…" or empty
};
ParsedReference parse_reference(std::string_view reference);

/// NAME of `[registry/]<project>-NAME`, untagged or `:latest`, with or without the registry that the settings name:
/// whether there is an image of that name is not asked. nullopt: another reference.
std::optional<std::string> own_image_name(std::string_view reference, std::string_view registry_url,
                                          std::string_view project);

}  // namespace otto::workspace

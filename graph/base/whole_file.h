// Reads a small file of the repo whole (a Dockerfile, an ignore file, a compose file) in as few system calls as it
// takes: a repo may have a thousand of them. Contexts' files are file_reader.h's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace otto {

/// The file's bytes, through symlinks. nullopt with errno set where it cannot be read; EINVAL: it is no regular file.
std::optional<std::string> read_whole_file(const std::filesystem::path& path);

}  // namespace otto

// Reads a small file whole (configuration, a Dockerfile, a key) in as few system calls as it takes: a repo may have a
// thousand of them. Contexts' files, which are hashed while they are read, are context/file_reader.h's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "graph/base/result.h"

namespace otto {

/// The file's bytes, through symlinks. nullopt with errno set where it cannot be read; EINVAL: it is neither a regular
/// file nor an empty device (/dev/null). Waits for nobody: a FIFO is refused.
/// `room`: bytes of capacity behind the last, for parsers that read beyond the end.
std::optional<std::string> read_whole_file(const std::filesystem::path& path, std::size_t room = 0);

/// The same; kIo with the system's words.
Result<std::string> read_small_file(const std::filesystem::path& path);

}  // namespace otto

// The remote halves of put and get, as POSIX sh for dash, bash and busybox.
//
// put: everything lands in a private folder beside its final place, and is moved from there by rename(2) only after the
// stream's end mark has come, so that a cut transfer leaves nothing under a final name; merging into directories that
// are there never follows a symbolic link below DEST. A device, and a file that can be written to but not replaced, is
// written to once all has come. get: a first line says what comes, then either one file's bytes or one tar stream a
// source. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otto::hosts {

/// Names inside the folder, which are members of the archive too.
inline constexpr std::string_view kTreeRoot = "s";
inline constexpr std::string_view kEndMark = "end";

/// $1 DEST, $2 the source's own name ("" where it gives its contents), $3 "d" where DEST must be a directory, $4 "file"
/// "sparse" (a file) or "tree", $5 size and $6 octal mode of the file, $7 a token nobody can guess. Standard input: the
/// bytes or the tar. For all but "file" the first line of standard output is "holes yes" where tar unpacks holes, and
/// what is sparse then comes as a tar of "s"; else it is "holes no", and the bytes come.
std::string_view put_script();
/// $1 "one", "plain" (one, whose holes need not stay holes) or "many", then the sources. Standard output: a line "file
/// MODE SIZE" and the bytes, or "tree" and, after one line of "f" or "d" a source, the tar streams: of files first,
/// then of directories with "." as their root.
std::string_view get_script();

/// The name that `path` gives to its copy; "" where it stands for its contents ("dir/.", "..", "/").
std::string own_name(std::string_view path);

}  // namespace otto::hosts

#include "engine/parent/lock_script.h"

#include <fmt/format.h>

#include "graph/base/text.h"

namespace otto::parent {

namespace {

// Not `exec 7>>file` at once: a redirection that fails ends dash. Nothing that is waited for in the background may hold
// a lock, so flock itself reads nothing.
constexpr std::string_view kFunctions = R"sh(
otto_lock_room() {
  [ -z "$otto_locked" ] || return 0
  command -v flock >/dev/null 2>&1 || { echo "flock (util-linux) is needed on this host" >&2; return 1; }
  for otto_dir in "${otto_locks%/*}" "$otto_locks"; do
    [ -d "$otto_dir" ] || (umask 077; mkdir -p -- "$otto_dir") 2>/dev/null || :
    [ -d "$otto_dir" ] && [ -O "$otto_dir" ] && [ ! -L "$otto_dir" ] && [ -w "$otto_dir" ] ||
      { echo "the folder for locks, $otto_dir, cannot be made or is somebody else's" >&2; return 1; }
  done
  otto_locked=1
}
otto_state() { printf '%s' "$otto_locks/$1"; }
otto_lock() {
  otto_lock_room && : >>"$otto_locks/$3.lock" || return 1
  eval "exec $1>>\"\$otto_locks/\$3.lock\""
  if ! flock -w 0.3 "-$2" "$1" </dev/null; then
    otto_tell_waiting "$3" "$otto_locks/$3.by" >&2
    flock "-$2" "$1" </dev/null || return 1
  fi
  [ "$2" = s ] || otto_note_holder "$otto_me" "$otto_locks/$3.by" 2>/dev/null || :
}
)sh";

}  // namespace

std::string lock_functions(const ParentFacts& facts) {
  return fmt::format("otto_locks={}\notto_me={}\notto_locked=\n{}{}", text::shell_quote(facts.lock_root),
                     text::shell_quote(own_name()), lock_holder_functions(), kFunctions);
}

std::string lock_name(std::string_view name) {
  std::string safe;
  for (const char c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    safe += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return safe;
}

std::string image_lock(std::string_view tag) {
  const std::size_t colon = tag.rfind(':');
  const bool has_tag = colon != std::string_view::npos && tag.find('/', colon) == std::string_view::npos;
  return "image." + lock_name(tag.substr(0, has_tag ? colon : tag.size()));
}

}  // namespace otto::parent

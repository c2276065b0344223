#include "engine/docker/lock_script.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "graph/base/text.h"

namespace otto::docker {

namespace {

constexpr std::string_view kWaiting = "otto-waiting";

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
    otto_by='' otto_at=''
    { IFS='	' read -r otto_by otto_at <"$otto_locks/$3.by"; } 2>/dev/null || :
    case $otto_at in '' | *[!0-9]*) ;; *) otto_at=$(($(date +%s) - otto_at)) ;; esac
    printf 'otto-waiting\t%s\t%s\t%s\n' "$3" "$otto_by" "$otto_at" >&2
    flock "-$2" "$1" </dev/null || return 1
  fi
  [ "$2" = s ] || printf '%s\t%s\n' "$otto_me" "$(date +%s)" >"$otto_locks/$3.by" || return 1
}
)sh";

}  // namespace

std::string waiting_for(const LockHolder& holder, std::chrono::system_clock::time_point now) {
  if (holder.who.empty()) return "for another otto";
  if (!holder.seconds) return "for " + holder.who;
  const auto since = std::chrono::system_clock::to_time_t(now - std::chrono::seconds(*holder.seconds));
  return fmt::format("for {}, since {:%H:%M:%S}", holder.who, fmt::localtime(since));
}

std::optional<LockHolder> read_waiting(std::string_view line) {
  const std::vector<std::string> fields = text::split(line, '\t');
  if (fields.size() != 4 || fields[0] != kWaiting) return std::nullopt;
  LockHolder holder{text::printable(fields[2]), {}};
  unsigned seconds = 0;
  const char* end = fields[3].data() + fields[3].size();
  const auto [at, failed] = std::from_chars(fields[3].data(), end, seconds);
  if (failed == std::errc() && at == end && !fields[3].empty()) holder.seconds = seconds;
  return holder;
}

std::string own_name() {
  const passwd* user = ::getpwuid(::geteuid());
  std::array<char, 256> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) != 0 || machine[0] == '\0') machine = {'?'};
  return text::printable(
      fmt::format("{}@{}", user != nullptr ? user->pw_name : std::to_string(::geteuid()), machine.data()));
}

std::string lock_functions(const ParentFacts& facts) {
  return fmt::format("otto_locks={}\notto_me={}\notto_locked=\n{}", text::shell_quote(facts.lock_root),
                     text::shell_quote(own_name()), kFunctions);
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

}  // namespace otto::docker

// script(1) takes one command line, so the words are quoted; it runs $SHELL, which must be sh. It waits two seconds
// before it gives in to TERM, so the guard beside it sends HUP, which it does not catch. Background commands of sh get
// /dev/null as input: the descriptors are handed on as 3, 4 and 5.
#include "engine/parent/other_user.h"

#include <algorithm>

namespace otto::parent {

bool changes_user(const std::vector<std::string>& command) {
  return std::any_of(command.begin(), command.end(), [](const std::string& word) {
    const std::string_view name = std::string_view(word).substr(word.rfind('/') + 1);
    return name == "sudo" || name == "doas";
  });
}

std::string_view hangable_function() {
  return R"sh(otto_hangable() {
  otto_line=exec
  for otto_word; do
    otto_quoted=
    while :; do
      case $otto_word in
      *\'*)
        otto_quoted=$otto_quoted${otto_word%%\'*}"'\\''"
        otto_word=${otto_word#*\'}
        ;;
      *) break ;;
      esac
    done
    otto_line="$otto_line '$otto_quoted$otto_word'"
  done
  if [ ${#otto_line} -gt 100000 ] || ! command -v script >/dev/null 2>&1; then
    "$@"
    return
  fi
  sh -c '
    SHELL=/bin/sh script -qec "$1" /dev/null </dev/null >/dev/null 2>&1 &
    trap "kill -s HUP $! 2>/dev/null; exit 143" HUP INT TERM
    wait $!
  ' sh "$otto_line <&3 >&4 2>&5 3<&- 4>&- 5>&-" 3<&0 4>&1 5>&2
}
)sh";
}

}  // namespace otto::parent

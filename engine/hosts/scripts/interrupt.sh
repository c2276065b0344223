# shellcheck shell=sh
# Arguments: SIGNAL SHELL SINCE LAST. Sends INT to the persistent shell SHELL and SIGNAL to what its present command has
# started (since the tick SINCE), and to nothing else: an older direct child of the shell belongs to the background of an
# earlier command. Within one tick of the clock, those up to LAST, the last background process, do.

signal=$1 shell=$2 since=$3 last=$4 hit=' ' all=
for f in /proc/[0-9]*/stat; do
  { read -r stat <"$f"; } 2>/dev/null || continue
  f=${f#/proc/}
  set -- ${stat##*\) }
  all="$all${f%/stat} $2 ${20}
"
done
more=yes
while [ -n "$more" ]; do
  more=
  while read -r pid parent start; do
    case $hit in *" $pid "*) continue ;; esac
    case $hit in
    *" $parent "*) ;;
    *)
      [ "$parent" = "$shell" ] && [ "$start" -ge "$since" ] || continue
      [ "$start" -gt "$since" ] || [ "$pid" -gt "$last" ] || continue
      ;;
    esac
    hit="$hit$pid " more=yes
  done <<END
$all
END
done
kill -s INT "$shell"
[ "$hit" = ' ' ] || kill -s "$signal" $hit
exit 0

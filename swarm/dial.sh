# shellcheck shell=sh
# Passes on to the host's Docker Engine what comes, until the session ends.
#
# Beside an engine that never answers, `docker system dial-stdio` outlives its input, and ignores TERM. So it
# is killed at the end of the session, or of the time where the host isn't told of that end. Where it ends
# first, as without an engine, so does the session: `wait` alone would wait for what feeds it, too.
: "${seconds?}"
command -v timeout >/dev/null || timeout() { shift; "$@"; }
exec 3<&0
over=''
trap 'over=yes' TERM
{ timeout "$seconds" cat <&3; kill -s TERM $$; } 2>/dev/null | {
  exec 4<&0
  ended='' dial=''
  trap 'ended=yes; [ -z "$dial" ] || kill -s KILL "$dial" 2>/dev/null' TERM
  docker system dial-stdio <&4 3<&- 4<&- &
  dial=$!
  [ -z "$ended" ] || kill -s KILL "$dial" 2>/dev/null
  wait "$dial"
  kill -s TERM $$ 2>/dev/null
} &
[ -n "$over" ] || wait "$!"
kill -s TERM "$!" 2>/dev/null

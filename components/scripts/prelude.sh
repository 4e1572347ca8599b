# shellcheck shell=sh
# How every script begins but the one that leaves. `docker system dial-stdio` ignores the TERM by which the
# script's own time ends; KILL it can't. A shell acts on TERM when the command that it waits for has ended, so
# each of them is bounded. Its results come in one line, after the marker of its run.
set -eu
marker=$2
doing=''
say() { doing=$*; echo "$*" >&2; }
trap 'echo "no time is left; it went on ${doing:-at the start}" >&2; exit 124' TERM
docker() { timeout -s KILL 60 docker "$@"; }
result() { printf '%s %s\n' "$marker" "$1"; }
exec 9<"$HOME"
flock -n 9 || say "waiting for an earlier run on this host"
until flock -n 9; do sleep 1; done

# shellcheck shell=sh
# Of a manager: again while it passes; `ask` prints the answer.
. ./passes.sh
patiently() {
  until problem=$("$@" 2>&1 >/dev/null); do
    passes "$problem" || { echo "$problem" >&2; return 1; }
    sleep 0.5
  done
}
ask() {
  until answer=$("$@" 2>/dev/null); do patiently "$@" || return 1; done
  printf '%s\n' "$answer"
}

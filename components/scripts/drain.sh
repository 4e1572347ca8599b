# shellcheck shell=sh
# A node's tasks, and whether they run elsewhere by now.
: "${drain_seconds?}"
. ./nodes.sh
incomplete() {
  listed=$(ask docker service ls --format '{{.Name}} {{.Replicas}}') || return 1
  for name in "$@"; do
    wanted=$(printf '%s\n' "$listed" | sed -n "/^[^ ]* .*completed/d;s|^$name [0-9]*/\([0-9]*\).*|\1|p")
    [ -n "$wanted" ] || continue
    # One by one, for the list's own count has the tasks of nodes that are down.
    states=$(ask docker service ps --filter desired-state=running --format '{{.CurrentState}}' "$name") ||
      return 1
    [ "$(printf '%s\n' "$states" | grep -c '^Running')" -ge "$wanted" ] || printf '%s ' "$name"
  done
}
remaining() {
  states=$(ask docker node ps --format '{{.CurrentState}}' "$node") || { echo "an answer"; return; }
  if printf '%s\n' "$states" | grep -q '^Running'; then echo "tasks on the node"; fi
  # shellcheck disable=SC2086  # a list of words, to be split
  late=$(incomplete $services) || { echo "an answer"; return; }
  for name in $late; do
    case " $before " in *" $name "*) ;; *) echo "$name" ;; esac
  done
}
served() {
  names=$(ask docker node ps --format '{{.Name}}' "$@") || return 1
  printf '%s\n' "$names" | sed 's/[.][^.]*$//' | sort -u | tr '\n' ' '
}
drain() {
  node=$2 before=''
  now=$(entry "$node" '{{.Spec.Availability}}')
  if [ "$now" = drain ]; then
    # Maybe by a drain that ran out of time: whatever had tasks there must be whole now.
    services=$(served "$node")
  else
    services=$(served --filter desired-state=running "$node")
    # shellcheck disable=SC2086  # a list of words, to be split
    before=$(incomplete $services)
    patiently docker node update --availability drain "$node"
  fi
  [ "$drain_seconds" -gt 0 ] || return 0
  say "waiting until the tasks of $1 run elsewhere, $drain_seconds s at most: ${services:-it has none}"
  limit=$(($(date +%s) + drain_seconds))
  while [ -n "$(remaining)" ]; do
    now=$(standing "$node")
    case $now in
      ready*) ;;
      *)
        say "$1 isn't Ready any more, so its tasks can't be moved away in order: start it; or, if it is" \
          "gone for good, put it back into the configuration with lost: true"
        exit 1 ;;
    esac
    if [ "$(date +%s)" -ge "$limit" ]; then
      say "$1 is drained, and after $drain_seconds s this still waits: $(remaining | tr '\n' ' ')-" \
        "make room elsewhere; or go on without: pulumi config set swarm:drainTimeout 0s"
      exit 1
    fi
    sleep 0.3
  done
}

# shellcheck shell=sh
# A node's entry in the swarm. Nothing is said of one that isn't there.
: "${await_seconds?}"
. ./prelude.sh
. ./asking.sh
entry() {
  answer=$(ask docker node inspect --format "$2" "$1" 2>&1) || case $answer in
    *"not found"* | *"o such node"*) return 0 ;;
    *) echo "$answer" >&2; return 1 ;;
  esac
  echo "$answer"
}
standing() { entry "$1" '{{.Status.State}} {{with .ManagerStatus}}{{.Reachability}}{{end}}'; }
role() { entry "$1" '{{if .ManagerStatus}}manager{{else}}worker{{end}}'; }
await() {
  say "waiting until $1 is Ready, $await_seconds s at most"
  limit=$(($(date +%s) + await_seconds))
  while :; do
    now=$(standing "$2")
    case $now in "ready " | "ready reachable") return ;; esac
    if [ "$(date +%s)" -ge "$limit" ]; then
      say "$1 is a member, and for the managers it is ${now:-gone}: restart its Docker Engine, then up" \
        "again. If that is in vain, make doctor tells whether its ports get through"
      exit 1
    fi
    sleep 0.3
  done
}
promote() {
  say "promoting $1"
  patiently docker node promote "$2"
  until [ "$(role "$2")" = manager ]; do sleep 0.3; done
  await "$1" "$2"
}
demote() {
  now=$(role "$2")
  [ "$now" = manager ] || return 0
  say "demoting $1"
  patiently docker node demote "$2"
  until [ "$(role "$2")" = worker ]; do sleep 0.3; done
}
update() {
  say "updating $1"
  node=$2
  shift 2
  patiently docker node update "$@" "$node"
}
remove() {
  now=$(standing "$2")
  [ -n "$now" ] || return 0
  say "removing $1"
  patiently docker node rm --force "$2" || [ -z "$(standing "$2")" ]
}

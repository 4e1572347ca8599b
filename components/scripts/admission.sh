# shellcheck shell=sh
# What comes before a membership, and after it.
. ./prelude.sh
. ./passes.sh
. ./post.sh
. ./membership.sh
. ./remains.sh
check_gossip_port() {
  # With it the host would join without networks.
  tries=0
  while keeps_gossip_port; do
    tries=$((tries + 1))
    [ "$tries" -le 30 ] || {
      say "port 7946 is taken, though the host is in no swarm: restart its Docker Engine"; exit 1; }
    sleep 0.5
  done
}
# `kept` is the ingress of an earlier swarm, which its engine takes away once it has joined. Where it couldn't,
# the host has no routing mesh.
kept=''
await_ingress() {
  tries=0
  while [ -n "$kept" ] && [ "$(ingress)" = "$kept" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 120 ] || {
      say "the network ingress of an earlier swarm is still there: restart its Docker Engine"; exit 1; }
    sleep 0.5
  done
}
becomes_active() {
  say "waiting until the host is an active member"
  known=''
  while :; do
    now=$(docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}}')
    case $now in
      active*) return ;;
      inactive* | error*) return 1 ;;
      "" | " "*) say "its Docker Engine gives no answer"; exit 1 ;;
    esac
    known=$known${now#* }
    sleep 0.3
  done
}
wait_until_active() {
  becomes_active || { say "it isn't: $(swarm Error)"; exit 1; }
  await_ingress
}

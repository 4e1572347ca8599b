# shellcheck shell=sh
# What comes before a membership, and after it.
. ./prelude.sh
. ./passes.sh
. ./post.sh
. ./membership.sh
. ./remains.sh
remains() {
  if keeps_gossip_port; then
    echo "port 7946 is taken, though the host is in no swarm"
  elif networks | grep -qx ingress; then
    echo "the network ingress of an earlier swarm is still there"
  fi
}
check_remains() {
  # With them it would join without networks, or without the routing mesh.
  tries=0
  while found=$(remains) && [ -n "$found" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 30 ] || { say "$found: restart its Docker Engine"; exit 1; }
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
wait_until_active() { becomes_active || { say "it isn't: $(swarm Error)"; exit 1; }; }

# shellcheck shell=sh
# Takes a host out of the swarm in which it is the node of its second argument, and waits until all of it is
# gone. A host that is another node by now is left alone. It doesn't wait for an earlier run: it has to leave
# where one is stuck.
. ./passes.sh
. ./membership.sh
. ./remains.sh
. ./cleanup.sh
node=$2
docker() { timeout -s KILL 60 docker "$@"; }
# A goodbye has to be gossiped within a second, else the engine keeps port 7946 (docs/adr/0006). It is sent
# five times a second to three others at most, and in all four times for each digit of the number of nodes, in
# which those count that left within 30 s. Where fewer others than digits are left, it waits until they don't.
#
# What it looks at first is bounded: a manager whose swarm has no leader gives no answer.
await_others() {
  peers=$(timeout -s KILL 5 docker network inspect --format '{{len .Peers}}' ingress 2>/dev/null) || peers=0
  case $peers in [2-4]) ;; *) return 0 ;; esac
  nodes=$(timeout -s KILL 5 docker info --format '{{.Swarm.Nodes}}' 2>/dev/null) || nodes=0
  if [ "$peers" -le "${#nodes}" ]; then
    echo "waiting for 33 s: of $nodes nodes $peers are left, and its goodbye could get lost" >&2
    sleep 33
  fi
}
# The engine gives itself 15 s for its goodbyes, and may fail for that alone; asked again it finds them said.
leave() {
  await_others
  until said=$(docker swarm leave --force 2>&1); do
    [ "$?" -ne 137 ] || said="its Docker Engine gives no answer"
    case $said in *"not part of a swarm"*) break ;; esac
    passes "$said" || { echo "$said" >&2; exit 1; }
    sleep 1
  done
}
if is_node "$node"; then
  leave
else
  state=$(membership) || exit 1
  if [ "$state" != inactive ]; then
    echo "the host isn't node $node any more, so it stays in the swarm in which it is by now" >&2
    echo "if it is to leave that, run on it: docker swarm leave --force" >&2
    exit 0
  fi
fi
await_cleanup
if keeps_gossip_port; then
  echo "its Docker Engine kept port 7946: restart it before the host joins a swarm again" >&2
fi

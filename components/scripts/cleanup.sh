# shellcheck shell=sh
# Waits until an engine that has left has no tasks and networks of the swarm any more.
#
# Two seconds after a task has ended its engine takes its networks away, one by one, and ends at one that is
# just going by itself: ingress, on a host that is short of processor time (moby/moby, removeNetworks of
# containerAdapter; tried with 26.1). The others stay, with their load balancer's endpoint. `docker network
# rm` takes a manager; `prune` doesn't, and the stack's label tells it which are meant. Ingress itself an
# engine keeps that had to leave before its network agent was ready, for which the removal waits: the next swarm's
# agent lets it go on (moby/moby, setupIngress and AgentInitWait; tried with 26.1).
. ./remains.sh
tasks() { docker ps -aq --filter label=com.docker.swarm.task.id; }
left() { tasks && networks; }
forget() {
  stack=$(docker network inspect --format '{{index .Labels "com.docker.stack.namespace"}}' "$1") || return
  [ -n "$stack" ] || return
  docker network disconnect --force "$1" "$1-endpoint" || true
  docker network prune --force --filter "label=com.docker.stack.namespace=$stack"
}
await_cleanup() {
  rounds=0 alone=0
  while :; do
    there=$(left) || { echo "out of the swarm, but its Docker Engine gives no answer any more" >&2; exit 1; }
    [ -n "$there" ] || return 0
    if [ "$there" = ingress ]; then
      alone=$((alone + 1))
      [ "$alone" -le 40 ] || break
      sleep 0.3
      continue
    fi
    rounds=$((rounds + 1))
    if [ "$rounds" -gt 100 ]; then
      there=$(echo "$there" | tr '\n' ' ')
      echo "out of the swarm, but this is still there: $there- restart its Docker Engine" >&2
      exit 1
    fi
    # What the engine hasn't taken away by itself: a task that was just being made, and networks, in time.
    tasks | xargs -r timeout -s KILL 60 docker rm --force >/dev/null 2>&1 || true
    if [ "$rounds" -gt 15 ]; then
      networks | while read -r name; do forget "$name" >/dev/null 2>&1 || true; done
    fi
    sleep 0.3
  done
  echo "its Docker Engine keeps the network ingress until the host joins a swarm again" >&2
}

# shellcheck shell=sh
# Joins a swarm; prints the node ID. `stale`: the node that the host is now and is to be no more; `pending`:
# it is on its way into this swarm.
#
# After 20 s the engine answers that it goes on by itself. An attempt that then fails of what passes is left
# and made again: this script's own alone, and never one that has a node ID. A manager that has one may count
# in the quorum already.
: "${request?}" "${stale?}" "${pending?}"
. ./admission.sh
state=$(membership)
if [ "$state" != inactive ] && [ -n "$stale" ] && is_node "$stale"; then
  say "leaving a membership that the swarm doesn't know any more"
  docker swarm leave --force >/dev/null
elif [ "$state" != inactive ] && [ -z "$pending" ]; then
  say "the host has come into a swarm since it was probed: run it again"
  exit 1
fi
while :; do
  begun=''
  state=$(membership)
  if [ "$state" = inactive ]; then
    check_gossip_port
    kept=$(ingress)
    say "joining"
    if post /swarm/join "$request"; then begun=yes; fi
    case $answer in
      *"Timeout was reached before node joined"*) begun=yes ;;
      *) if [ -z "$begun" ] && passes "$answer"; then sleep 1; continue; fi ;;
    esac
  fi
  if becomes_active; then await_ingress; break; fi
  why=$(swarm Error)
  if [ -z "$begun" ] || [ -n "$known" ] || ! passes "$why"; then say "it isn't: $why"; exit 1; fi
  say "leaving its own attempt to join, which failed: $why"
  docker swarm leave --force >/dev/null
  sleep 1
done
result "{\"node\": \"$(swarm NodeID)\"}"

# shellcheck shell=sh
# Starts a swarm on a host that is in none; prints its node ID and the cluster's ID.
: "${request?}"
. ./admission.sh
state=$(membership)
if [ "$state" != inactive ]; then
  say "the host has come into a swarm since it was probed: run it again"
  exit 1
fi
check_gossip_port
kept=$(ingress)
say "starting the swarm"
post /swarm/init "$request"
wait_until_active
result "{\"node\": \"$(swarm NodeID)\", \"cluster\": \"$(swarm Cluster.ID)\"}"

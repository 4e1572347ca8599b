# shellcheck shell=sh
# What an engine may keep that left while its peers left, or while it was still being configured: the gossip's
# port 7946, which is 1F0A, and the network ingress, by its ID.
keeps_gossip_port() { grep -qs ':1F0A 0*:0000 0A' /proc/net/tcp /proc/net/tcp6; }
networks() { docker network ls --filter driver=overlay --format '{{.Name}}'; }
ingress() {
  docker network ls --filter driver=overlay --no-trunc --format '{{.Name}} {{.ID}}' | sed -n 's/^ingress //p'
}

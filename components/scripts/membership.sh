# shellcheck shell=sh
# Whether the host is in the swarm as this node. The certificate tells it also where the engine doesn't: in an
# error, or on a manager of a swarm without a leader, which would keep us waiting.
swarm() { docker info --format "{{.Swarm.$1}}"; }
membership() {
  # Docker's client prints an empty word for an engine that it doesn't reach, and may call that a success.
  found=$(swarm LocalNodeState) || found=''
  [ -n "$found" ] || { echo "its Docker Engine gives no answer" >&2; return 1; }
  echo "$found"
}
certified() {
  sed -n '/^-.*END/q;/^[^-]/p' /var/lib/docker/swarm/certificates/swarm-node.crt 2>/dev/null |
    base64 -d 2>/dev/null || true
}
is_node() {
  [ -n "$1" ] || return 1
  certified | grep -qs "$1" || [ "$(swarm NodeID)" = "$1" ]
}

"""The shell texts that run on a host, as pure functions; they need `sh`, flock and Docker. Those that a
manager runs for the swarm are in manager_scripts.py.

A command's line is short and says what it does; its script comes by standard input, where a token
is safe. All are safe to run again, also after being cut off. No wait is without a bound, and what is
waited for is said on standard error.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from shlex import quote

JOIN_SECONDS = 180
LEAVE_SECONDS = 120

PRELUDE = """\
set -eu
doing=''
say() { doing=$*; echo "$*" >&2; }
trap 'echo "no time is left; it went on ${doing:-at the start}" >&2; exit 124' TERM
"""

# In Docker's own words: an election, a change that came in between, a manager that is at a loss or begins,
# a network that loses what is sent while many hosts join.
PASSING = (
    "have a leader",
    "lost leadership",
    "out of sequence",
    "Unavailable",
    "eadline",
    "being prepared",
    "connection error",
    "no route to host",
)
PASSES = f"""\
passes() {{
  case $1 in
    {" | ".join(f'*"{words}"*' for words in PASSING)}) ;;
    *) return 1 ;;
  esac
}}
"""

# Of a manager: again while it passes; `ask` prints the answer.
ASKING = """\
patiently() {
  until problem=$("$@" 2>&1 >/dev/null); do
    passes "$problem" || { echo "$problem" >&2; return 1; }
    sleep 0.5
  done
}
ask() {
  until answer=$("$@" 2>/dev/null); do patiently "$@" || return 1; done
  printf '%s\\n' "$answer"
}
"""

MEMBERSHIP = """\
swarm() { docker info --format "{{.Swarm.$1}}"; }
check_gossip_port() {
  # 7946 is 1F0A. An engine that left while its peers left may keep it, and then joins without networks.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    grep -qs ':1F0A 0*:0000 0A' /proc/net/tcp /proc/net/tcp6 || return 0
    sleep 0.5
  done
  say "port 7946 is taken, though the host is in no swarm: restart its Docker Engine"
  exit 1
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
"""

INIT = """\
if [ "$(swarm LocalNodeState)" = inactive ]; then
  check_gossip_port
  say "starting the swarm"
  docker swarm init $options >/dev/null
fi
wait_until_active
mark
swarm NodeID
swarm Cluster.ID
"""

# The Docker client takes a token by argument only, where every user of the host can read it: so the
# request goes to the Engine's API (POST /swarm/join), written by the shell's own printf.
#
# After 20 s the engine answers that it goes on by itself. An attempt that then fails of what passes is left
# and made again: this script's own alone, and never one that has a node ID. A manager that has one may count
# in the quorum already.
JOIN = """\
case $(swarm LocalNodeState) in
  error) docker swarm leave --force >/dev/null ;;
  active | pending)
    if [ "$(swarm NodeID)" = "$stale" ]; then
      say "leaving a membership that the swarm doesn't know any more"
      docker swarm leave --force >/dev/null
    fi ;;
esac
while :; do
  begun=''
  if [ "$(swarm LocalNodeState)" = inactive ]; then
    check_gossip_port
    say "joining"
    answer=$(printf '%s\\r\\n' 'POST /swarm/join HTTP/1.1' 'Host: docker' 'Connection: close' \\
      'Content-Type: application/json' "Content-Length: ${#request}" '' "$request" |
      docker system dial-stdio)
    case $answer in
      "HTTP/1.1 200"*) begun=yes ;;
      *"Timeout was reached before node joined"*) begun=yes; say "Docker: ${answer##*message}" ;;
      *) say "Docker: ${answer##*message}"; if passes "$answer"; then sleep 1; continue; fi ;;
    esac
  fi
  if becomes_active; then break; fi
  why=$(swarm Error)
  if [ -z "$begun" ] || [ -n "$known" ] || ! passes "$why"; then say "it isn't: $why"; exit 1; fi
  say "leaving its own attempt to join, which failed: $why"
  docker swarm leave --force >/dev/null
  sleep 1
done
swarm NodeID
"""

# What it looks at first is bounded: a manager whose swarm has no leader gives no answer. The engine gives
# itself 15 s for its goodbyes, and may fail for that alone; asked again it finds them said.
#
# A goodbye has to be gossiped within a second, else the engine keeps port 7946 (docs/adr/0006). It is sent
# five times a second to three others at most, and in all four times for each digit of the number of nodes, in
# which those count that left within 30 s. Where fewer others than digits are left, it waits until they don't.
#
# Two seconds after a task has ended its engine takes its networks away, one by one, and ends at one that
# is just going by itself: ingress, on a host that is short of processor time (moby/moby, removeNetworks of
# containerAdapter; tried with 26.1). The others stay, with their load balancer's endpoint. `docker network
# rm` takes a manager; `prune` doesn't, and the stack's label tells it which are meant.
LEAVE = """\
nodes=$(timeout 5 docker info --format '{{.Swarm.Nodes}}' 2>/dev/null) || nodes=0
peers=$(timeout 5 docker network inspect --format '{{len .Peers}}' ingress 2>/dev/null) || peers=0
if [ "${peers:-0}" -gt 1 ] && [ "$peers" -le "${#nodes}" ]; then
  echo "waiting for 33 s: of $nodes nodes $peers are left, and its goodbye could get lost" >&2
  sleep 33
fi
until said=$(docker swarm leave --force 2>&1); do
  case $said in *"not part of a swarm"*) break ;; esac
  passes "$said" || { echo "$said" >&2; exit 1; }
  sleep 1
done
tasks() { docker ps -aq --filter label=com.docker.swarm.task.id; }
networks() { docker network ls --filter driver=overlay --format '{{.Name}}'; }
left() { tasks; networks; }
forget() {
  stack=$(docker network inspect --format '{{index .Labels "com.docker.stack.namespace"}}' "$1") || return
  [ -n "$stack" ] || return
  docker network disconnect --force "$1" "$1-endpoint" || true
  docker network prune --force --filter "label=com.docker.stack.namespace=$stack"
}
rounds=0
while [ -n "$(left)" ]; do
  rounds=$((rounds + 1))
  if [ "$rounds" -gt 100 ]; then
    echo "out of the swarm, but this is still there: $(left | tr "\\n" " ")- restart its Docker Engine" >&2
    exit 1
  fi
  # What the engine hasn't taken away by itself: a task that was just being made, and networks, in time.
  tasks | xargs -r docker rm --force >/dev/null 2>&1 || true
  if [ "$rounds" -gt 15 ]; then
    networks | while read -r name; do forget "$name" >/dev/null 2>&1 || true; done
  fi
  sleep 0.3
done
if grep -qs ':1F0A 0*:0000 0A' /proc/net/tcp /proc/net/tcp6; then
  echo "its Docker Engine kept port 7946: restart it before the host joins a swarm again" >&2
fi
"""


def line(purpose: str, seconds: int) -> str:
    """The command line that runs the script on its standard input: bounded, and one at a time.

    It ends in a random comment, which is a difference wherever the engine doesn't ignore it, so that
    the command runs again (docs/adr/0002). The lock is on a folder that is there anyway.
    """
    return f'timeout {seconds} flock "$HOME" sh -s # {purpose}, run {secrets.token_hex(4)}'


def leave() -> str:
    """The command line that takes a host out of its swarm, and waits until all of it is gone."""
    return f"timeout {LEAVE_SECONDS} sh -c {quote(PASSES + LEAVE)} # leave"


def init(
    mark: str,
    *,
    address: str | None,
    data_path: str | None,
    availability: str,
    pool: str | None,
    data_path_port: int | None,
) -> str:
    """Starts a swarm, unless the host is in one; prints its node ID and the cluster's ID."""
    options = {
        "advertise-addr": address,
        "data-path-addr": data_path,
        "availability": availability,
        "default-addr-pool": pool,
        "default-addr-pool-mask-length": pool and 24,
        "data-path-port": data_path_port,
    }
    given = " ".join(f"--{name}={value}" for name, value in options.items() if value)
    return f"{PRELUDE}{MEMBERSHIP}options={quote(given)}\n{mark}{INIT}"


def join(
    token: str,
    managers: Iterable[str],
    *,
    address: str | None,
    data_path: str | None,
    availability: str,
    stale_id: str | None,
) -> str:
    """Joins the swarm of the managers at these addresses; prints the node ID. Holds the token."""
    request = {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": address or "",
        "DataPathAddr": data_path or "",
        "RemoteAddrs": [f"{manager}:2377" for manager in managers],
        "JoinToken": token,
        "Availability": availability,
    }
    given = f"request={quote(json.dumps(request))}\nstale={quote(stale_id or '-')}\n"
    return f"{PRELUDE}{PASSES}{MEMBERSHIP}{given}{JOIN}"


def mark(project: str, stack: str, label: str) -> str:
    """The function that makes the swarm's mark: a config that tells which stack looks after it."""
    name, text = f"{project}-{stack}", f"looked after by stack {stack} of Pulumi project {project}"
    return (
        f"mark() {{\n  docker config inspect {quote(name)} >/dev/null 2>&1 ||\n"
        f"    printf %s {quote(text)} |\n"
        f"    docker config create --label {quote(f'{label}={project}/{stack}')} {quote(name)} - >/dev/null\n"
        "}\n"
    )

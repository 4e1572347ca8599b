"""The shell texts that run on a host, as pure functions; they need `sh`, flock and Docker. Those that a
manager runs for the swarm are in manager.py.

A command's line is short, and the same to every login shell; its script comes by standard input, where a
token is safe, and prints its results in one line, after a marker that is the run's own. All are safe to run
again, also after being cut off. No wait is without a bound, and what is waited for is said on standard error.
"""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

JOIN_SECONDS = 180
LEAVE_SECONDS = 120
REQUEST_SECONDS = 60  # that an engine may take for one request

# `docker system dial-stdio` ignores the TERM by which the script's own time ends; KILL it can't. A shell
# acts on TERM when the command that it waits for has ended, so each of them is bounded.
PRELUDE = f"""\
set -eu
doing=''
say() {{ doing=$*; echo "$*" >&2; }}
trap 'echo "no time is left; it went on ${{doing:-at the start}}" >&2; exit 124' TERM
docker() {{ timeout -s KILL {REQUEST_SECONDS} docker "$@"; }}
result() {{ printf '%s %s\\n' "$marker" "$1"; }}
exec 9<"$HOME"
flock -n 9 || say "waiting for an earlier run on this host"
until flock -n 9; do sleep 1; done
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

# The Docker client takes a token by argument only, where every user of the host can read it, and no labels
# for a swarm: so requests go to the Engine's API, written by the shell's own printf.
POST = """\
post() {
  answer=$(printf '%s\\r\\n' "POST $1 HTTP/1.1" 'Host: docker' 'Connection: close' \\
    'Content-Type: application/json' "Content-Length: ${#2}" '' "$2" |
    docker system dial-stdio) || true
  case $answer in
    "HTTP/1.1 200"*) return 0 ;;
    "") answer="message its Docker Engine gave no answer" ;;
  esac
  say "Docker: ${answer##*message}"
  return 1
}
"""

# Whether the host is in the swarm as this node. The certificate tells it also where the engine doesn't: in an
# error, or on a manager of a swarm without a leader, which would keep us waiting.
MEMBER = """\
swarm() { docker info --format "{{.Swarm.$1}}"; }
membership() {
  # Docker's client prints an empty word for an engine that it doesn't reach, and may call that a success.
  found=$(swarm LocalNodeState) || found=''
  [ -n "$found" ] || { echo "its Docker Engine gives no answer" >&2; return 1; }
  echo "$found"
}
certified() {
  sed -n '/END/q;/^[^-]/p' /var/lib/docker/swarm/certificates/swarm-node.crt 2>/dev/null |
    base64 -d 2>/dev/null || true
}
is_node() {
  [ -n "$1" ] || return 1
  certified | grep -qs "$1" || [ "$(swarm NodeID)" = "$1" ]
}
"""

# What an engine may keep that left while its peers left, or while it was still being configured: the gossip's
# port 7946, which is 1F0A, and the network ingress.
REMAINS = """\
keeps_gossip_port() { grep -qs ':1F0A 0*:0000 0A' /proc/net/tcp /proc/net/tcp6; }
networks() { docker network ls --filter driver=overlay --format '{{.Name}}'; }
"""

MEMBERSHIP = """\
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
"""

INIT = """\
state=$(membership)
if [ "$state" != inactive ]; then
  say "the host has come into a swarm since it was looked at: run it again"
  exit 1
fi
check_remains
say "starting the swarm"
post /swarm/init "$request"
wait_until_active
result "{\\"node\\": \\"$(swarm NodeID)\\", \\"cluster\\": \\"$(swarm Cluster.ID)\\"}"
"""

# After 20 s the engine answers that it goes on by itself. An attempt that then fails of what passes is left
# and made again: this script's own alone, and never one that has a node ID. A manager that has one may count
# in the quorum already.
JOIN = """\
state=$(membership)
if [ "$state" != inactive ] && [ -n "$stale" ] && is_node "$stale"; then
  say "leaving a membership that the swarm doesn't know any more"
  docker swarm leave --force >/dev/null
elif [ "$state" != inactive ] && [ -z "$pending" ]; then
  say "the host has come into a swarm since it was looked at: run it again"
  exit 1
fi
while :; do
  begun=''
  state=$(membership)
  if [ "$state" = inactive ]; then
    check_remains
    say "joining"
    if post /swarm/join "$request"; then begun=yes; fi
    case $answer in
      *"Timeout was reached before node joined"*) begun=yes ;;
      *) if [ -z "$begun" ] && passes "$answer"; then sleep 1; continue; fi ;;
    esac
  fi
  if becomes_active; then break; fi
  why=$(swarm Error)
  if [ -z "$begun" ] || [ -n "$known" ] || ! passes "$why"; then say "it isn't: $why"; exit 1; fi
  say "leaving its own attempt to join, which failed: $why"
  docker swarm leave --force >/dev/null
  sleep 1
done
result "{\\"node\\": \\"$(swarm NodeID)\\"}"
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
# rm` takes a manager; `prune` doesn't, and the stack's label tells it which are meant. Ingress itself an
# engine may keep until it is restarted: one that had to leave while it was being configured.
LEAVE = """\
node=$2
docker() { timeout -s KILL 60 docker "$@"; }
await_others() {
  peers=$(timeout -s KILL 5 docker network inspect --format '{{len .Peers}}' ingress 2>/dev/null) || peers=0
  case $peers in [2-4]) ;; *) return 0 ;; esac
  nodes=$(timeout -s KILL 5 docker info --format '{{.Swarm.Nodes}}' 2>/dev/null) || nodes=0
  if [ "$peers" -le "${#nodes}" ]; then
    echo "waiting for 33 s: of $nodes nodes $peers are left, and its goodbye could get lost" >&2
    sleep 33
  fi
}
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
tasks() { docker ps -aq --filter label=com.docker.swarm.task.id; }
left() { tasks && networks; }
forget() {
  stack=$(docker network inspect --format '{{index .Labels "com.docker.stack.namespace"}}' "$1") || return
  [ -n "$stack" ] || return
  docker network disconnect --force "$1" "$1-endpoint" || true
  docker network prune --force --filter "label=com.docker.stack.namespace=$stack"
}
rounds=0 alone=0
while :; do
  there=$(left) || { echo "out of the swarm, but its Docker Engine gives no answer any more" >&2; exit 1; }
  [ -n "$there" ] || break
  if [ "$there" = ingress ]; then
    alone=$((alone + 1))
    [ "$alone" -le 40 ] || break
    sleep 0.3
    continue
  fi
  rounds=$((rounds + 1))
  if [ "$rounds" -gt 100 ]; then
    there=$(echo "$there" | tr "\\n" " ")
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
if [ -n "$there" ]; then
  echo "its Docker Engine kept the network ingress: restart it before the host joins a swarm again" >&2
fi
if keeps_gossip_port; then
  echo "its Docker Engine kept port 7946: restart it before the host joins a swarm again" >&2
fi
"""


LEAVING = PASSES + MEMBER + REMAINS + LEAVE


def line(purpose: str, seconds: int) -> str:
    """The command line that runs the script on its standard input, bounded. Its last word is the marker of
    this run, after which results come; being random it is a difference wherever the engine doesn't ignore
    it, so that the command runs again (docs/adr/0002)."""
    return f"timeout {seconds} sh -s {shlex.quote(purpose)} {secrets.token_hex(8)}"


def given(body: str, **values: str) -> str:
    """A script that knows these values as variables, and its marker."""
    header = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    return f"marker=$2\n{header}{body}"


def result(line_: str, stdout: str) -> dict[str, Any]:
    """What a script printed as its result, by the command line that ran it; nothing where it printed none.
    A login shell may have printed anything before, a line without an end, too."""
    marker = line_.rpartition(" ")[2]
    said = stdout.rpartition(f"{marker} ")[2] if marker and f"{marker} " in stdout else "{}"
    return dict(json.loads(said.splitlines()[0]))


def leave(node_id: str) -> str:
    """The command line of `LEAVING`: it takes a host out of the swarm in which it is this node, and waits
    until all of it is gone. A host that is another node by now is left alone."""
    return f"timeout {LEAVE_SECONDS} sh -s leave {shlex.quote(node_id)}"


def init(
    labels: Mapping[str, str],
    *,
    address: str | None,
    data_path: str | None,
    availability: str,
    pool: str | None,
    data_path_port: int | None,
) -> str:
    """Starts a swarm that carries these labels from the start, on a host that is in none; prints its node
    ID and the cluster's ID."""
    request = {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": address or "",
        "DataPathAddr": data_path or "",
        "DataPathPort": data_path_port or 0,
        "DefaultAddrPool": [pool] if pool else [],
        "SubnetSize": 24 if pool else 0,
        "Availability": availability,
        "Spec": {"Labels": dict(labels)},
    }
    return given(PRELUDE + PASSES + POST + MEMBER + REMAINS + MEMBERSHIP + INIT, request=json.dumps(request))


def join(
    token: str,
    managers: Iterable[str],
    *,
    address: str | None,
    data_path: str | None,
    availability: str,
    stale_id: str | None,
    pending: bool,
) -> str:
    """Joins the swarm of the managers at these addresses; prints the node ID. Holds the token. `stale_id` is
    the node that the host is now and is to be no more; `pending`: it is on its way into this swarm."""
    request = {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": address or "",
        "DataPathAddr": data_path or "",
        "RemoteAddrs": [f"{manager}:2377" for manager in managers],
        "JoinToken": token,
        "Availability": availability,
    }
    return given(
        PRELUDE + PASSES + POST + MEMBER + REMAINS + MEMBERSHIP + JOIN,
        request=json.dumps(request),
        stale=stale_id or "",
        pending="yes" if pending else "",
    )

"""Every shell text that runs on a host, as pure functions; they need `sh`, flock and Docker.

A command's line is short and says what it does; its script comes by standard input, where a token
is safe. All are safe to run again, also after being cut off. No wait is without a bound, and what is
waited for is said on standard error.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from shlex import quote

from components.plan import Task

JOIN_SECONDS = 180
LEAVE_SECONDS = 120
TOKENS_SECONDS = 60
CONVERGENCE_SECONDS = 600
SETTLE_SECONDS = 300

PRELUDE = """\
set -eu
say() { echo "$*" >&2; }
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
wait_until_active() {
  say "waiting until the host is an active member"
  while :; do
    case $(swarm LocalNodeState) in
      active) return ;;
      inactive | error) say "it isn't: $(swarm Error)"; exit 1 ;;
      "") say "its Docker Engine gives no answer"; exit 1 ;;
    esac
    sleep 0.3
  done
}
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
JOIN = """\
case $(swarm LocalNodeState) in
  error) docker swarm leave --force >/dev/null ;;
  active)
    if [ "$(swarm NodeID)" = "$stale" ]; then
      say "leaving a membership that the swarm doesn't know any more"
      docker swarm leave --force >/dev/null
    fi ;;
esac
if [ "$(swarm LocalNodeState)" = inactive ]; then
  check_gossip_port
  say "joining"
  answer=$(printf '%s\\r\\n' 'POST /swarm/join HTTP/1.1' 'Host: docker' 'Connection: close' \\
    'Content-Type: application/json' "Content-Length: ${#request}" '' "$request" |
    docker system dial-stdio)
  case $answer in
    "HTTP/1.1 200"*) ;;
    *) say "Docker: ${answer##*message}" ;;
  esac
fi
wait_until_active
swarm NodeID
"""

# Without a look at the state before it: that blocks on a manager whose swarm has no leader.
LEAVE = """\
said=$(docker swarm leave --force 2>&1) || case $said in
  *"not part of a swarm"*) ;;
  *) echo "$said" >&2; exit 1 ;;
esac
tasks() { docker ps -aq --filter label=com.docker.swarm.task.id; }
networks() { docker network ls --filter driver=overlay --format '{{.Name}}'; }
left() { tasks; networks; }
rounds=0
while [ -n "$(left)" ]; do
  rounds=$((rounds + 1))
  if [ "$rounds" -gt 100 ]; then
    echo "out of the swarm, but this is still there: $(left | tr "\\n" " ")- restart its Docker Engine" >&2
    exit 1
  fi
  # What the engine hasn't taken away by itself: a task or network that was just being made.
  tasks | xargs -r docker rm --force >/dev/null 2>&1 || true
  networks | while read -r name; do echo y | docker network rm "$name" >/dev/null 2>&1 || true; done
  sleep 0.3
done
"""

MANAGER = """\
entry() { docker node inspect --format "$2" "$1" 2>/dev/null || true; }
standing() { entry "$1" '{{.Status.State}} {{with .ManagerStatus}}{{.Reachability}}{{end}}'; }
role() { entry "$1" '{{if .ManagerStatus}}manager{{else}}worker{{end}}'; }
await() {
  say "waiting until $1 is Ready"
  while :; do
    case $(standing "$2") in "ready " | "ready reachable") return ;; esac
    sleep 0.3
  done
}
promote() {
  say "promoting $1"
  docker node promote "$2" >/dev/null
  until [ "$(role "$2")" = manager ]; do sleep 0.3; done
  await "$1" "$2"
}
demote() {
  [ "$(role "$2")" = manager ] || return 0
  say "demoting $1"
  docker node demote "$2" >/dev/null
  until [ "$(role "$2")" = worker ]; do sleep 0.3; done
}
update() {
  say "updating $1"
  node=$2
  shift 2
  docker node update "$@" "$node" >/dev/null
}
swarm() {
  say "updating the swarm's settings"
  shift 2
  docker swarm update "$@" >/dev/null
}
whole() {
  docker service ls --format '{{.Name}} {{.Replicas}}' | while read -r name count _; do
    case " $* " in *" $name "*) [ "${count%/*}" -ge "${count#*/}" ] || echo "$name" ;; esac
  done
}
drain() {
  services=$(docker node ps --filter desired-state=running --format '{{.Name}}' "$2" |
    sed 's/[.][^.]*$//' | sort -u | tr '\\n' ' ')
  docker node update --availability drain "$2" >/dev/null
  say "waiting until the tasks of $1 run elsewhere: ${services:-it has none}"
  while docker node ps --format '{{.CurrentState}}' "$2" | grep -q '^Running'; do sleep 0.3; done
  until [ -z "$(whole $services)" ]; do sleep 0.3; done
}
remove() {
  [ -n "$(standing "$2")" ] || return 0
  say "removing $1"
  docker node rm --force "$2" >/dev/null
}
"""

TOKENS = """\
manager=$(docker swarm join-token -q manager)
worker=$(docker swarm join-token -q worker)
printf '{"manager": "%s", "worker": "%s"}\\n' "$manager" "$worker"
"""

SETTLE = """\
state() { docker service inspect --format '{{with .UpdateStatus}}{{.State}}{{end}}' "$1"; }
count() { docker service ls --filter "name=$1" --format '{{.Name}} {{.Replicas}}' | sed -n "s/^$1 //p"; }
failures() { docker service ps --format '{{.CurrentState}}' "$1" | grep -cE '^(Failed|Rejected)' || true; }
give_up() {
  say "service $1 doesn't settle: $2; its tasks:"
  docker service ps --no-trunc --format '{{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}' "$1" |
    grep -v ': Running' | head -n 5 >&2
  say "its last log lines:"
  timeout 10 docker service logs --tail 10 "$1" >&2 2>&1 || true
  exit 1
}
settle() {
  before=$(failures "$1") said='' whole=0 left=$((seconds * 2))
  while [ "$whole" -lt 3 ]; do
    state=$(state "$1") count=$(count "$1")
    case $state in paused | rollback_*) give_up "$1" "its update is $state" ;; esac
    if [ "$(($(failures "$1") - before))" -ge 3 ]; then give_up "$1" "$count tasks run"; fi
    counted=${count%% *}
    if [ "$state" != updating ] && [ "${counted%/*}" -ge "${counted#*/}" ]; then
      whole=$((whole + 1))
    else
      whole=0
      [ "$said" = "$state $count" ] || say "waiting for $1: $count tasks run ${state:+($state)}"
      said="$state $count"
    fi
    left=$((left - 1))
    [ "$left" -gt 0 ] || give_up "$1" "$count tasks run after $seconds s"
    sleep 0.5
  done
}
"""


def line(purpose: str, seconds: int) -> str:
    """The command line that runs the script on its standard input: bounded, and one at a time.

    It ends in a random comment, which is a difference wherever the engine doesn't ignore it, so that
    the command runs again (docs/adr/0002). The lock is on a folder that is there anyway.
    """
    return f'timeout {seconds} flock "$HOME" sh -s # {purpose}, run {secrets.token_hex(4)}'


def leave() -> str:
    """The command line that takes a host out of its swarm, and waits until all of it is gone."""
    return f"timeout {LEAVE_SECONDS} sh -c {quote(LEAVE)} # leave"


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
    return f"{PRELUDE}{MEMBERSHIP}{given}{JOIN}"


def tokens(evictions: Iterable[Task]) -> str:
    """Removes entries that stand in the way of joins; prints the tokens as JSON, by role."""
    return PRELUDE + MANAGER + render(evictions, {}) + TOKENS


def convergence(mark: str, work: Iterable[Task], node_ids: Mapping[str, str]) -> str:
    """Does the work; `node_ids` are those of the nodes that joined in this run, by name."""
    return PRELUDE + MANAGER + mark + render(work, node_ids)


def settle(services: Iterable[str]) -> str:
    """Waits until each service has its tasks and its update is complete, or says why it hasn't."""
    calls = "".join(f"settle {quote(service)}\n" for service in services)
    return f"{PRELUDE}seconds={SETTLE_SECONDS}\n{SETTLE}{calls}"


def mark(project: str, stack: str, label: str) -> str:
    """The function that makes the swarm's mark: a config that tells which stack looks after it."""
    name, text = f"{project}-{stack}", f"looked after by stack {stack} of Pulumi project {project}"
    return (
        f"mark() {{\n  docker config inspect {quote(name)} >/dev/null 2>&1 ||\n"
        f"    printf %s {quote(text)} |\n"
        f"    docker config create --label {quote(f'{label}={project}/{stack}')} {quote(name)} - >/dev/null\n"
        "}\n"
    )


def render(work: Iterable[Task], node_ids: Mapping[str, str]) -> str:
    """A line of shell per task: its verb, the node's name, its ID, the arguments."""
    return "".join(
        " ".join(
            (
                task.verb,
                *map(
                    quote,
                    (task.name, task.node_id or node_ids.get(task.name, "-"), *task.arguments),
                ),
            )
        )
        + "\n"
        for task in work
    )

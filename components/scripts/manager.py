"""The shell texts that a live manager runs for the whole swarm, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from shlex import quote

from components.scripts.host import ASKING, PASSES, POST, PRELUDE, given
from swarm.decide.plan import Task

TOKENS_SECONDS = 120
CONVERGENCE_SECONDS = 600  # and the drains' own time
AWAIT_SECONDS = 120  # until a node that is a member is Ready

MANAGER = """\
claim() {
  say "labeling the swarm as this stack's"
  until post "/swarm/update?version=$3" "$4"; do
    case $answer in
      *"out of sequence"*) say "the swarm was changed since it was looked at: run it again"; exit 1 ;;
    esac
    passes "$answer" || exit 1
    sleep 0.5
  done
  shift 4
  for mark in "$@"; do patiently docker config rm "$mark"; done
}
entry() {
  answer=$(ask docker node inspect --format "$2" "$1" 2>&1) || case $answer in
    *"not found"* | *"o such node"*) return 0 ;;
    *) echo "$answer" >&2; return 1 ;;
  esac
  echo "$answer"
}
standing() { entry "$1" '{{.Status.State}} {{with .ManagerStatus}}{{.Reachability}}{{end}}'; }
role() { entry "$1" '{{if .ManagerStatus}}manager{{else}}worker{{end}}'; }
await() {
  say "waiting until $1 is Ready, $await_seconds s at most"
  limit=$(($(date +%s) + await_seconds))
  while :; do
    now=$(standing "$2")
    case $now in "ready " | "ready reachable") return ;; esac
    if [ "$(date +%s)" -ge "$limit" ]; then
      say "$1 is a member, and for the managers it is ${now:-gone}: restart its Docker Engine, then up" \
        "again. If that is in vain, make doctor tells whether its ports get through"
      exit 1
    fi
    sleep 0.3
  done
}
promote() {
  say "promoting $1"
  patiently docker node promote "$2"
  until [ "$(role "$2")" = manager ]; do sleep 0.3; done
  await "$1" "$2"
}
demote() {
  now=$(role "$2")
  [ "$now" = manager ] || return 0
  say "demoting $1"
  patiently docker node demote "$2"
  until [ "$(role "$2")" = worker ]; do sleep 0.3; done
}
update() {
  say "updating $1"
  node=$2
  shift 2
  patiently docker node update "$@" "$node"
}
swarm() {
  say "updating the swarm's settings"
  shift 2
  patiently docker swarm update "$@"
}
incomplete() {
  listed=$(ask docker service ls --format '{{.Name}} {{.Replicas}}') || return 1
  for name in "$@"; do
    wanted=$(printf '%s\\n' "$listed" | sed -n "/^[^ ]* .*completed/d;s|^$name [0-9]*/\\([0-9]*\\).*|\\1|p")
    [ -n "$wanted" ] || continue
    # One by one, for the list's own count has the tasks of nodes that are down.
    states=$(ask docker service ps --filter desired-state=running --format '{{.CurrentState}}' "$name") ||
      return 1
    [ "$(printf '%s\\n' "$states" | grep -c '^Running')" -ge "$wanted" ] || printf '%s ' "$name"
  done
}
remaining() {
  states=$(ask docker node ps --format '{{.CurrentState}}' "$node") || { echo "an answer"; return; }
  if printf '%s\\n' "$states" | grep -q '^Running'; then echo "tasks on the node"; fi
  late=$(incomplete $services) || { echo "an answer"; return; }
  for name in $late; do
    case " $before " in *" $name "*) ;; *) echo "$name" ;; esac
  done
}
served() {
  names=$(ask docker node ps --format '{{.Name}}' "$@") || return 1
  printf '%s\\n' "$names" | sed 's/[.][^.]*$//' | sort -u | tr '\\n' ' '
}
drain() {
  node=$2 before=''
  now=$(entry "$node" '{{.Spec.Availability}}')
  if [ "$now" = drain ]; then
    # Maybe by a drain that ran out of time: whatever had tasks there must be whole now.
    services=$(served "$node")
  else
    services=$(served --filter desired-state=running "$node")
    before=$(incomplete $services)
    patiently docker node update --availability drain "$node"
  fi
  [ "$drain_seconds" -gt 0 ] || return 0
  say "waiting until the tasks of $1 run elsewhere, $drain_seconds s at most: ${services:-it has none}"
  limit=$(($(date +%s) + drain_seconds))
  while [ -n "$(remaining)" ]; do
    now=$(standing "$node")
    case $now in
      ready*) ;;
      *)
        say "$1 isn't Ready any more, so its tasks can't be moved away in order: start it; or, if it is" \\
          "gone for good, put it back into the configuration with lost: true"
        exit 1 ;;
    esac
    if [ "$(date +%s)" -ge "$limit" ]; then
      say "$1 is drained, and after $drain_seconds s this still waits: $(remaining | tr '\\n' ' ')-" \\
        "make room elsewhere; or go on without: pulumi config set swarm:drainTimeout 0s"
      exit 1
    fi
    sleep 0.3
  done
}
remove() {
  now=$(standing "$2")
  [ -n "$now" ] || return 0
  say "removing $1"
  patiently docker node rm --force "$2" || [ -z "$(standing "$2")" ]
}
"""

TOKENS = """\
say "reading the tokens"
manager=$(ask docker swarm join-token -q manager)
worker=$(ask docker swarm join-token -q worker)
result "{\\"manager\\": \\"$manager\\", \\"worker\\": \\"$worker\\"}"
"""


def tokens(evictions: Iterable[Task], drain_seconds: int) -> str:
    """Labels the swarm, and removes entries that stand in the way of joins; gives the tokens, by role."""
    return _manager(render(evictions, {}) + TOKENS, drain_seconds)


def convergence(work: Iterable[Task], node_ids: Mapping[str, str], drain_seconds: int) -> str:
    """Does the work; `node_ids` are those of the nodes that joined in this run, by name."""
    return _manager(render(work, node_ids), drain_seconds)


def _manager(work: str, drain_seconds: int) -> str:
    return given(
        PRELUDE + PASSES + ASKING + POST + MANAGER + work,
        await_seconds=str(AWAIT_SECONDS),
        drain_seconds=str(drain_seconds),
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

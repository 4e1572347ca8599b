"""The shell text by which a manager waits until the services of a stack have settled, or says why not.

Settled: every wanted task runs, or has ended well where it isn't to be started again, and no update is
under way; all of it for STEADY_SECONDS, for what is about to crash runs for a moment, too. The newest task
of each slot counts: the numbers of `docker service ls` have the tasks of nodes that are down.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from shlex import quote

from components.scripts.host import ASKING, PASSES, PRELUDE, given
from swarm.declare.compose import Service, Update
from swarm.declare.compose.values import NANOSECONDS, nanoseconds

START_SECONDS = 30  # that an update's next tasks get to start, beside the delay between them
REPORT_SHARE = 5  # a fifth more, to gather what is to be said,
REPORT_SECONDS = 60  # and this at least: it takes as long for services that get little time
STEADY_SECONDS = 5  # as the Docker client asks of a new service
UNPLACED_SECONDS = 40  # without a node for a task, though the nodes are Ready
WIDEST = 300  # characters of a line that tells what services say
FAILURES = 5  # of one slot's tasks, one after the other: more of the same won't help

# A line per service, then one per task, the newest of a slot first. Prints for each service that hasn't
# settled a line `waits` or `fails`, its name and why; and at last `runs` with the tasks that run.
JUDGE = r"""
BEGIN { FS = OFS = "\t" }
$1 == "service" { names[++count] = $2; want[$2] = $3; restart[$2] = $4; update[$2] = $5; said[$2] = $6; next }
$2 in newest { next }
{
  newest[$2] = service = $2
  sub(/[.][^.]*$/, "", service)
  state = $6
  sub(/ .*/, "", state)
  alive = $5 == "Running" || $5 == "Ready"
  if (!alive && $7 ~ /no longer meets constraints/) next  # it isn't wanted there any more
  over = !alive && (state == "Failed" || state == "Rejected")
  complete = !alive && state == "Complete" && restart[service] ~ /none|on-failure/
  if (want[service] == "global" && (alive || over || complete)) nodes[service]++
  if ($5 == "Running" && state == "Running" || complete) { have[service]++; runs = runs " " $3 }
  if (over) why[service] = ", a task failed and isn't started again"
  else if (index(failing, " " $2 " ")) why[service] = ", its tasks keep failing"
  if (alive && $7 ~ /no suitable node/) unplaced[service] = ", no suitable node for a task"
}
END {
  for (at = 1; at <= count; at++) {
    name = names[at]
    wanted = (want[name] == "global" ? nodes[name] : want[name]) + 0
    lacks = have[name] + 0 < wanted
    tasks = have[name] + 0 "/" wanted " tasks run"
    rolled_back = update[name] == "rollback_completed" && index(changed, " " name " ")
    if (update[name] ~ /paused/ || rolled_back) print "fails", name, tasks ", " update[name] ": " said[name]
    else if (lacks && name in why) print "fails", name, tasks why[name]
    else if (update[name] ~ /updating|rollback_started/)
      print "waits", name, tasks ", " update[name] unplaced[name]
    else if (lacks) print "waits", name, tasks unplaced[name]
  }
  print "runs", runs
}
"""

# Of a service's slots without a running task the newest, or the one before it that tells an error; where
# all of them run, the errors of those before. Prints a task's ID, - where it has no output, and words.
TELL = r"""
BEGIN { FS = OFS = "\t" }
$1 == "task" && index($2, name ".") == 1 {
  gsub(/^"(\\")?|(\\")?"$/, "", $7)
  gsub(/\\"/, "\"", $7)
  words = $2 ($4 == "" ? "" : " on " $4) ": " $6 ($7 == "" ? "" : ": " $7)
  line = ($6 ~ /^(Failed|Starting|Running|Complete)/ ? $3 : "-") OFS "  " words
  if (!($2 in newest)) { newest[$2] = line; slots[++count] = $2; runs[$2] = $5 $6 ~ /^RunningRunning/ }
  if ($7 != "" && !($2 in error)) error[$2] = line
}
END {
  for (running = 0; running <= 1 && !shown; running++)
    for (at = 1; at <= count; at++) {
      slot = slots[at]
      line = slot in error ? error[slot] : running ? "" : newest[slot]
      if (runs[slot] == running && line != "" && shown++ < 3) print line
    }
}
"""

# What services say goes into logs, which terminals and CI systems read: `harmless` lets through no escape
# sequence and nothing but ASCII (a plugin takes UTF-8 alone, and services write anything), in short lines.
# `##` begins a pipeline's command anywhere in a line, `::` where it begins, and no service's words do.
SETTLE = r"""
look() {
  ask docker service inspect --format "$of_services" "$@" &&
    ask docker service ps --no-trunc --format "$of_tasks" "$@"
}
failures() { printf '%s\n' "$seen" | awk -F '\t' '$6 ~ /^(Failed|Rejected)/ { print $2, $3 }' | sort -u; }
failing_slots() {
  printf '%s\n' "$failed" | grep -vxF -e "$before" | cut -d ' ' -f 1 | sort | uniq -c |
    awk -v most="$failures" '$1 >= most { printf " %s ", $2 }'
}
harmless() {
  LC_ALL=C sed -e "s/$escape\\[[0-?]*[ -\\/]*[@-~]//g" -e "s/$return\$//" |
    LC_ALL=C tr -c '\11\12\40-\176' '?' | cut -c "-$widest" |
    sed -e :again -e 's/##/# #/' -e 't again'
}
report() {
  printf '%s\n' "$verdict" | grep -v '^runs' | while read -r kind name why; do
    case $kind in fails) kind="doesn't settle" ;; *) kind="hasn't settled" ;; esac
    echo "service $name $kind after $((now - began)) s: $why"
    tasks=$(printf '%s\n' "$seen" | awk -v name="$name" "$tell")
    printf '%s\n' "$tasks" | cut -f 2
    task=$(printf '%s\n' "$tasks" | cut -f 1 | grep -v -m 1 -e '^-' -e '^$') || continue
    lines=$(timeout -s KILL 10 docker service logs --raw --tail 5 "$task" 2>&1) || true
    [ -n "$lines" ] || continue
    echo "  its last lines, in its own words:"
    printf '%s\n' "$lines" | sed 's/^/    | /'
  done | harmless >&2
}
settle() {
  began=$(date +%s) last='' running='' took=0
  seen=$(look "$@")
  before=$(failures) failed=$before
  while :; do
    failed=$({ printf '%s\n' "$failed"; failures; } | sort -u)
    verdict=$(printf '%s\n' "$seen" | awk -v changed=" $changed " -v failing="$(failing_slots)" "$judge")
    now=$(date +%s)
    [ "$running" = "${verdict##*runs}" ] || steady=$now running=${verdict##*runs}
    if [ "$verdict" != "$last" ]; then
      since=$now last=$verdict
      late=$(printf '%s\n' "$verdict" |
        awk -F '\t' '$1 == "waits" { printf "%s%s: %s", between, $2, $3; between = "; " }')
      [ -z "$late" ] || say "waiting for $late"
    fi
    [ "$((now - since))" -lt "$unplaced" ] ||
      verdict=$(printf '%s\n' "$verdict" | sed '/no suitable node/s/^waits/fails/')
    case $verdict in
      fails* | *"
fails"*) report; exit 1 ;;
      waits*)
        [ "$((now - began))" -lt "$seconds" ] || {
          report
          say "that is all the time that there was; for more: pulumi config set swarm:settleTimeout 20m"
          exit 1
        } ;;
      *) [ "$((now - steady))" -lt "$steadily" ] || return 0 ;;
    esac
    # On a slow manager, which a look takes seconds of: as long without one.
    [ "$took" -gt 0 ] || took=0.5
    sleep "$took"
    asked=$(date +%s)
    seen=$(look "$@")
    took=$(($(date +%s) - asked))
  done
}
"""

SERVICE_FIELDS = (
    "{{.Spec.Name}}",
    "{{with .Spec.Mode.Replicated}}{{.Replicas}}{{else}}global{{end}}",
    "{{with .Spec.TaskTemplate.RestartPolicy}}{{.Condition}}{{end}}",
    "{{with .UpdateStatus}}{{.State}}{{end}}",
    "{{with .UpdateStatus}}{{.Message}}{{end}}",
)
TASK_FIELDS = (
    "{{.Name}}",
    "{{.ID}}",
    "{{.Node}}",
    "{{.DesiredState}}",
    "{{.CurrentState}}",
    '{{printf "%q" .Error}}',
)  # which may have lines


def limit(services: Iterable[Service], nodes: int, seconds: int) -> int:
    """The seconds that services get to settle: those given, and more, the more rounds their longest update
    takes. `nodes`: how many run a task of a global service."""
    rounds = [0.0]
    for service in services:
        update, tasks = service.update or Update(), nodes if service.replicas is None else service.replicas
        if update.parallelism and tasks:  # 0: all at once
            between = nanoseconds(update.delay) / NANOSECONDS["s"] + START_SECONDS
            rounds.append((math.ceil(tasks / update.parallelism) - 1) * between)
    return seconds + math.ceil(max(rounds))


def bound(seconds: int) -> int:
    """The seconds after which the script is ended that gives services so many to settle."""
    return seconds + max(REPORT_SECONDS, seconds // REPORT_SHARE)


def settle(services: Collection[str], changed: Collection[str], seconds: int) -> str:
    """Waits until the services have settled, or says for each why it hasn't: its tasks, their nodes,
    states and errors, and the last lines of their output. `changed` are those of this run, in which a
    rollback is a failure; another's is of an earlier day."""
    values = {
        "seconds": seconds,
        "steadily": STEADY_SECONDS,
        "unplaced": UNPLACED_SECONDS,
        "failures": FAILURES,
        "changed": " ".join(changed),
        "of_services": '{{"\\t"}}'.join(("service", *SERVICE_FIELDS)),
        "of_tasks": '{{"\\t"}}'.join(("task", *TASK_FIELDS)),
        "widest": WIDEST,
        "escape": "\x1b",
        "return": "\r",
        "judge": JUDGE,
        "tell": TELL,
    }
    call = f"settle {' '.join(map(quote, services))}\n" if services else ""
    texts = {name: str(value) for name, value in values.items()}
    return given(PRELUDE + PASSES + ASKING + SETTLE + call, **texts)

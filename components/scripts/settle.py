"""The script by which a manager waits until the services of a stack have settled, or says why not.

Settled: every wanted task runs, or has ended well where it isn't to be started again, and no update is
under way; all of it for STEADY_SECONDS, for what is about to crash runs for a moment, too. The newest task
of each slot counts: the numbers of `docker service ls` have the tasks of nodes that are down.
"""

from __future__ import annotations

from collections.abc import Collection

from components.scripts.host import SCRIPTS
from swarm.script import program, render

STEADY_SECONDS = 5  # as the Docker client asks of a new service
UNPLACED_SECONDS = 40  # without a node for a task, though the nodes are Ready
WIDEST = 300  # characters of a line that tells what services say
FAILURES = 5  # of one slot's tasks, one after the other: more of the same won't help

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


def settle(services: Collection[str], changed: Collection[str], seconds: int) -> str:
    """Waits until the services have settled, or says for each why it hasn't: its tasks, their nodes,
    states and errors, and the last lines of their output. `changed` are those of this run, in which a
    rollback is a failure; another's is of an earlier day."""
    return render(
        SCRIPTS / "settle.sh",
        [("settle", *services)] if services else [],
        seconds=seconds,
        steadily=STEADY_SECONDS,
        unplaced=UNPLACED_SECONDS,
        failures=FAILURES,
        changed=" ".join(changed),
        of_services='{{"\\t"}}'.join(("service", *SERVICE_FIELDS)),
        of_tasks='{{"\\t"}}'.join(("task", *TASK_FIELDS)),
        widest=WIDEST,
        escape="\x1b",
        carriage="\r",
        judge=program(SCRIPTS / "judge.awk"),
        tell=program(SCRIPTS / "tell.awk"),
    )

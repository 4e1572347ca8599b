"""The arithmetic of the managers' majority, before and after every step. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swarm.decide.actions import Nodes
from swarm.decide.plan import Step, Task
from swarm.declare.settings import Settings
from swarm.observe.model import Cluster

RECOVERY = (
    "Start them again. If they are gone for good, run on one that is left: "
    "docker swarm init --force-new-cluster --advertise-addr ITS_ADDRESS"
)


def quorum(
    settings: Settings,
    nodes: Nodes,
    cluster: Cluster,
    evictions: Iterable[Task],
    work: Iterable[Task],
) -> Iterator[str]:
    """Goes through evictions, joins and work, step by step; refuses the first after which too few
    managers are left for a majority."""
    silent = {plan.node_id for plan in nodes.values() if plan.step in (Step.UNREACHABLE, Step.LOST)}
    managers = {
        one.id: one.ready and one.id not in silent
        for one in cluster.entries.values()
        if one.role == "manager"
    }
    joins = (
        Task("promote", node.name)
        for node in settings.nodes
        if node.manager and nodes[node.name].step is Step.JOIN
    )
    reachable, needed = sum(managers.values()), len(managers) // 2 + 1
    if reachable < needed:
        entries = [cluster.entries[one] for one, takes_part in managers.items() if not takes_part]
        declared = {plan.node_id for plan in nodes.values()}
        missing = ", ".join(
            sorted(one.name + ("" if one.id in declared else " (not declared)") for one in entries)
        )
        yield (
            f"of {len(managers)} managers {reachable} can be reached, and {needed} are needed for a "
            f"majority. Missing: {missing}. {RECOVERY}"
        )
        return
    for task in (*evictions, *joins, *work):
        if task.verb == "promote":
            managers[task.node_id or task.name] = True
        elif task.verb in ("demote", "remove"):
            managers.pop(str(task.node_id), None)
        else:
            continue
        reachable, needed = sum(managers.values()), len(managers) // 2 + 1
        if reachable < needed:
            yield (
                f"`{task.verb} {task.name}` would leave {len(managers)} managers of which {reachable} can "
                f"be reached, and {needed} are needed for a majority. Bring managers back first."
            )
            return

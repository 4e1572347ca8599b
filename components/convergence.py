"""What a manager has to do so that the swarm's list of nodes is as declared.

Pure: tasks in the order in which they are safe, and the arithmetic of the quorum over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from components.observation import NAME_LABEL, Cluster, Entry, Host
from components.plan import NodePlan, Step, Task
from components.settings import Node, Settings

Nodes = Mapping[str, NodePlan]


def entry_of(node: Node, host: Host | None, cluster: Cluster | None) -> Entry | None:
    """The node's entry: by its host's own word, else by our label, else by its address."""
    entries = cluster.entries if cluster else {}
    if host and host.node_id in entries:
        return entries[host.node_id]
    named = [entry for entry in entries.values() if _is_of(entry, node)]
    return next(iter(sorted(named, key=lambda entry: not entry.ready)), None)


def _is_of(entry: Entry, node: Node) -> bool:
    name = entry.labels.get(NAME_LABEL)
    return name == node.name if name else entry.address == node.address


def evictions(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> tuple[Task, ...]:
    """Entries that managers left behind which are to join anew: they count against the quorum, so
    they go before the joins."""
    stale = _stale(settings, nodes, cluster)
    return tuple(
        task
        for name, entry in stale
        if entry.role == "manager"
        for task in (Task("demote", name, entry.id), Task("remove", name, entry.id))
    )


def work(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> tuple[Task, ...]:
    """What is to be done after the joins: arrivals, roles up, settings, roles down, departures."""
    return (
        *_mark(settings, nodes, cluster),
        *_arrivals(settings, nodes, cluster),
        *_roles("promote", settings, nodes, cluster),
        *_updates(settings, nodes, cluster),
        *_swarm(settings, cluster),
        *_roles("demote", settings, nodes, cluster),
        *_departures(settings, nodes, cluster),
        *(
            Task("remove", name, entry.id)
            for name, entry in _stale(settings, nodes, cluster)
            if entry.role == "worker"
        ),
    )


def _stale(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[tuple[str, Entry]]:
    """Entries of our nodes whose host is another member by now, or none."""
    for node in settings.nodes:
        plan = nodes[node.name]
        if plan.step in (Step.JOIN, Step.IN_PLACE, Step.INIT):
            for entry in cluster.entries.values() if cluster else ():
                taken = entry.id in {other.node_id for other in nodes.values()}
                labelled = NAME_LABEL in entry.labels
                if _is_of(entry, node) and not taken and (labelled or not entry.ready):
                    yield node.name, entry


def _mark(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    """A swarm that is taken over gets our mark; one that we start gets it with the init."""
    starts = any(plan.step is Step.INIT for plan in nodes.values())
    if cluster and not starts and f"{settings.project}/{settings.stack}" not in cluster.marks:
        yield Task("mark", settings.stack)


def _known(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[tuple[Node, Entry]]:
    for node in settings.nodes:
        plan = nodes[node.name]
        if cluster and plan.node_id and not node.lost:
            yield node, cluster.entries[plan.node_id]


def _arrivals(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    waiting = {
        node.name
        for node, entry in _known(settings, nodes, cluster)
        if nodes[node.name].step is Step.IN_PLACE and not entry.ready
    }
    for node in settings.nodes:
        if nodes[node.name].step in (Step.JOIN, Step.INIT) or node.name in waiting:
            yield Task("await", node.name, nodes[node.name].node_id)


def _roles(verb: str, settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    for node, entry in _known(settings, nodes, cluster):
        wanted = {"promote": "worker", "demote": "manager"}[verb]
        differs = entry.role == wanted and node.manager == (verb == "promote")
        if differs and nodes[node.name].step is not Step.UNREACHABLE:
            yield Task(verb, node.name, entry.id)


def _updates(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    """Availability and labels. A node's labels are those declared, and our own: any other is drift."""
    entries = {node.name: entry for node, entry in _known(settings, nodes, cluster)}
    for node in settings.nodes:
        plan, entry = nodes[node.name], entries.get(node.name)
        if not entry and plan.step not in (Step.JOIN, Step.INIT):
            continue
        wanted = {**node.labels, NAME_LABEL: node.name}
        have = entry.labels if entry else {}
        arguments = [
            *(f"--label-add={key}={val}" for key, val in wanted.items() if have.get(key) != val),
            *(f"--label-rm={key}" for key in have if key not in wanted),
        ]
        if entry is None or entry.availability != node.availability:
            arguments.append(f"--availability={node.availability}")
        if arguments:
            yield Task("update", node.name, plan.node_id, tuple(arguments))


def _swarm(settings: Settings, cluster: Cluster | None) -> Iterator[Task]:
    limit, expiry = settings.task_history_limit, settings.certificate_expiry
    arguments = []
    if limit is not None and (not cluster or cluster.task_history_limit != limit):
        arguments.append(f"--task-history-limit={limit}")
    if expiry is not None and (not cluster or cluster.certificate_expiry != expiry):
        arguments.append(f"--cert-expiry={expiry}s")
    if arguments:
        yield Task("swarm", settings.stack, arguments=tuple(arguments))


def _departures(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    """Nodes that left the configuration are emptied first; lost ones have nothing left to empty."""
    for name, entry in _leavers(settings, nodes, cluster):
        lost = name in nodes
        verbs = [] if lost else ["drain"]
        verbs += ["demote"] if entry.role == "manager" else []
        yield from (Task(verb, name, entry.id) for verb in (*verbs, "remove"))


def _leavers(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[tuple[str, Entry]]:
    declared = {node.name: node for node in settings.nodes}
    for entry in cluster.entries.values() if cluster else ():
        name = entry.labels.get(NAME_LABEL)
        if name and name not in declared:
            yield name, entry
    for name, plan in nodes.items():
        if cluster and plan.step is Step.LOST and plan.node_id:
            yield name, cluster.entries[plan.node_id]


def refusals(settings: Settings, nodes: Nodes, cluster: Cluster) -> Iterator[str]:
    """A node that left the configuration can be emptied only while it is Ready."""
    for name, entry in _leavers(settings, nodes, cluster):
        if name not in nodes and not entry.ready:
            yield (
                f"{name}: taken out of the configuration while it is {entry.state}, so its tasks "
                "can't be moved away in order. Start it; or, if it is gone for good, put it back "
                "with `lost: true`."
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
        yield (
            f"of {len(managers)} managers {reachable} can be reached, and {needed} are needed for a "
            "majority. Bring managers back first."
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

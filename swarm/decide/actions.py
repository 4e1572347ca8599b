"""What a manager has to do so that the swarm's list of nodes is as declared.

Pure: tasks in the order in which they are safe, and the arithmetic of the quorum over them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from swarm.decide.ownership import Known, is_claimed, is_labelled
from swarm.decide.plan import NodePlan, Step, Task
from swarm.declare.labels import EDGE_LABEL, NAME_LABEL, OWNER_LABEL, STACK_LABEL
from swarm.declare.settings import Node, Settings
from swarm.observe.model import Cluster, Entry, Host

Nodes = Mapping[str, NodePlan]


def owner_labels(settings: Settings, known: Known) -> dict[str, str]:
    """The labels by which a swarm is this stack's."""
    return {STACK_LABEL: settings.mark, OWNER_LABEL: known.owner}


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


def moved(node: Node, host: Host) -> bool:
    """Whether a member that is to be a manager is declared at another address than the one that it
    tells the others. Managers keep that address for good: it has to join anew. Of a worker nobody needs it.
    """
    return node.manager and bool(host.address) and node.advertised not in (None, host.address)


def evictions(settings: Settings, known: Known, nodes: Nodes, cluster: Cluster | None) -> tuple[Task, ...]:
    """What goes before the joins: our labels on a swarm that lacks them, so that nothing is done to one that
    doesn't say whose it is; entries of managers that are to join anew, for they count against the quorum;
    and those that hosts are still members by, whose tasks are moved away first."""
    tasks = list(_claim(settings, known, cluster))
    for name, entry in _stale(settings, nodes, cluster):
        lives = entry.ready and nodes[name].stale_id == entry.id
        verbs = ["drain"] if lives else []
        verbs += ["demote"] if entry.role == "manager" else []
        tasks += [Task(verb, name, entry.id) for verb in (*verbs, "remove")] if verbs else []
    return tuple(tasks)


def work(settings: Settings, known: Known, nodes: Nodes, cluster: Cluster | None) -> tuple[Task, ...]:
    """What is to be done after the joins: arrivals, roles up, settings, roles down, departures."""
    evicted = {task.node_id for task in evictions(settings, known, nodes, cluster)}
    return (
        *_arrivals(settings, nodes, cluster),
        *_roles("promote", settings, nodes, cluster),
        *_updates(settings, known, nodes, cluster),
        *_swarm(settings, cluster),
        *_roles("demote", settings, nodes, cluster),
        *_departures(settings, known, nodes, cluster),
        *(
            Task("remove", name, entry.id)
            for name, entry in _stale(settings, nodes, cluster)
            if entry.id not in evicted
        ),
    )


def _stale(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[tuple[str, Entry]]:
    """Entries of our nodes whose host is another member by now, or none, or is to leave and join anew."""
    for node in settings.nodes:
        plan = nodes[node.name]
        if plan.step in (Step.JOIN, Step.IN_PLACE, Step.INIT):
            for entry in cluster.entries.values() if cluster else ():
                taken = entry.id in {other.node_id for other in nodes.values()}
                labelled = NAME_LABEL in entry.labels
                gone = _is_of(entry, node) and not taken and (labelled or not entry.ready)
                if gone or entry.id == plan.stale_id:
                    yield node.name, entry


def _claim(settings: Settings, known: Known, cluster: Cluster | None) -> Iterator[Task]:
    """A swarm that is taken over, or that an earlier program has marked, gets our labels; one that we start
    has them from the start."""
    if cluster and not is_claimed(settings, known, cluster):
        labels = {**cluster.labels, **owner_labels(settings, known)}
        request = json.dumps({**cluster.spec, "Labels": labels})
        arguments = (str(cluster.version), request, *cluster.marks)
        yield Task("claim", settings.stack, None, arguments, f"label the swarm as {settings.mark}'s")


def _there(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[tuple[Node, Entry]]:
    for node in settings.nodes:
        plan = nodes[node.name]
        if cluster and plan.node_id and not node.lost:
            yield node, cluster.entries[plan.node_id]


def _arrivals(settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    waiting = {
        node.name
        for node, entry in _there(settings, nodes, cluster)
        if nodes[node.name].step is Step.IN_PLACE and not entry.ready
    }
    for node in settings.nodes:
        if nodes[node.name].step in (Step.JOIN, Step.INIT) or node.name in waiting:
            yield Task("await", node.name, nodes[node.name].node_id)


def _roles(verb: str, settings: Settings, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    for node, entry in _there(settings, nodes, cluster):
        wanted = {"promote": "worker", "demote": "manager"}[verb]
        differs = entry.role == wanted and node.manager == (verb == "promote")
        if differs and nodes[node.name].step is not Step.UNREACHABLE:
            yield Task(verb, node.name, entry.id)


def _updates(settings: Settings, known: Known, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    """Availability and labels. A node's labels are those declared, and our own: any other is drift."""
    entries = {node.name: entry for node, entry in _there(settings, nodes, cluster)}
    for node in settings.nodes:
        plan, entry = nodes[node.name], entries.get(node.name)
        if not entry and plan.step not in (Step.JOIN, Step.INIT):
            continue
        wanted = {**node.labels, NAME_LABEL: node.name, OWNER_LABEL: known.owner}
        if settings.edge and node.name in settings.edge.nodes:
            wanted[EDGE_LABEL] = "yes"
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
    heartbeat = settings.dispatcher_heartbeat
    arguments = []
    if limit is not None and (not cluster or cluster.task_history_limit != limit):
        arguments.append(f"--task-history-limit={limit}")
    if expiry is not None and (not cluster or cluster.certificate_expiry != expiry):
        arguments.append(f"--cert-expiry={expiry}s")
    if heartbeat is not None and (not cluster or cluster.dispatcher_heartbeat != heartbeat):
        arguments.append(f"--dispatcher-heartbeat={heartbeat}s")
    if arguments:
        yield Task("swarm", settings.stack, arguments=tuple(arguments))


def _departures(settings: Settings, known: Known, nodes: Nodes, cluster: Cluster | None) -> Iterator[Task]:
    """Nodes that left the configuration are emptied first; lost ones have nothing left to empty."""
    for name, entry in _leavers(settings, known, nodes, cluster):
        lost = name in nodes
        verbs = [] if lost else ["drain"]
        verbs += ["demote"] if entry.role == "manager" else []
        yield from (Task(verb, name, entry.id) for verb in (*verbs, "remove"))


def _leavers(
    settings: Settings, known: Known, nodes: Nodes, cluster: Cluster | None
) -> Iterator[tuple[str, Entry]]:
    declared = {node.name: node for node in settings.nodes}
    for entry in cluster.entries.values() if cluster else ():
        name = entry.labels.get(NAME_LABEL)
        if name and name not in declared and is_labelled(known, entry):
            yield name, entry
    for name, plan in nodes.items():
        if cluster and plan.step is Step.LOST and plan.node_id:
            yield name, cluster.entries[plan.node_id]


def strangers(settings: Settings, known: Known, nodes: Nodes, cluster: Cluster | None) -> Iterator[Entry]:
    """Nodes of our swarm that nobody declares, and of which the user hasn't said that they may stay."""
    ours = {plan.node_id for plan in nodes.values()} | set(settings.other_nodes)
    ours |= {entry.id for _, entry in _stale(settings, nodes, cluster)}
    for entry in cluster.entries.values() if cluster else ():
        if not ours & {entry.id, entry.hostname} and not is_labelled(known, entry):
            yield entry


def warnings(settings: Settings, cluster: Cluster | None) -> Iterator[str]:
    """What the declared managers can't survive, and which services lack tasks while nodes are down."""
    managers = sum(node.manager and not node.lost for node in settings.nodes)
    if managers == 1:
        yield (
            "one manager survives the loss of none: while it is down nothing is rescheduled and nothing can "
            "be changed, and if it is gone for good so is the swarm. Declare three"
        )
    elif managers % 2 == 0:
        yield (
            f"{managers} managers survive the loss of {(managers - 1) // 2}, as {managers - 1} do; "
            "an odd number is better"
        )
    stacks = {stack.name for stack in settings.stacks}
    if not cluster or not cluster.missing:
        return
    for service in cluster.services:
        if service.stack in stacks and service.running < service.desired:
            yield (
                f"{service.name}: {service.running} of {service.desired} tasks run while this takes no part: "
                f"{', '.join(one.name for one in cluster.missing)}"
            )


def refusals(settings: Settings, known: Known, nodes: Nodes, cluster: Cluster) -> Iterator[str]:
    """A node that left the configuration can be emptied only while it is Ready."""
    for name, entry in _leavers(settings, known, nodes, cluster):
        if name not in nodes and not entry.ready:
            yield (
                f"{name}: taken out of the configuration while it is {entry.state}, so its tasks "
                "can't be moved away in order. Start it; or, if it is gone for good, put it back "
                "with `lost: true`."
            )

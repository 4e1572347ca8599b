"""What a manager has to do so that the swarm's list of nodes is as declared: tasks in a safe order. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from swarm.decide.ownership import owner_labels
from swarm.decide.plan import Action, Nodes, Roster, Step
from swarm.decide.world import World
from swarm.declare.labels import EDGE_LABEL, NAME_LABEL, OWNER_LABEL
from swarm.declare.settings import Node
from swarm.observe.model import SwarmNode


def evictions(world: World, nodes: Nodes, roster: Roster) -> tuple[Action, ...]:
    """What goes before the joins: our labels on a swarm that lacks them, so that nothing is done to one that
    doesn't say whose it is; entries of managers that are to join anew, for they count against the quorum;
    and those that hosts are still members by, whose tasks are moved away first."""
    actions = list(_claim(world))
    for name, entry in roster.stale:
        lives = entry.ready and nodes[name].stale_id == entry.id
        if lives or entry.role == "manager":
            actions += _removal(name, entry, drained=lives)
    return tuple(actions)


def work(world: World, nodes: Nodes, roster: Roster, evicted: Collection[Action]) -> tuple[Action, ...]:
    """What is to be done after the joins: arrivals, roles up, settings, roles down, departures."""
    gone = {action.node_id for action in evicted}
    return (
        *_arrivals(world, nodes),
        *_roles("promote", world, nodes),
        *_updates(world, nodes),
        *_swarm(world),
        *_roles("demote", world, nodes),
        *_departures(nodes, roster),
        *(Action("remove", name, entry.id) for name, entry in roster.stale if entry.id not in gone),
    )


def _removal(name: str, entry: SwarmNode, *, drained: bool) -> Iterator[Action]:
    verbs = (*(["drain"] if drained else []), *(["demote"] if entry.role == "manager" else []), "remove")
    yield from (Action(verb, name, entry.id) for verb in verbs)


def _claim(world: World) -> Iterator[Action]:
    """A swarm that is taken over, or that an earlier program has marked, gets our labels; one that we start
    has them from the start."""
    if world.cluster and not world.claimed:
        labels = {**world.cluster.labels, **owner_labels(world.settings, world.known)}
        request = json.dumps({**world.cluster.spec, "Labels": labels})
        arguments = (str(world.cluster.version), request, *world.cluster.label_configs)
        words = f"label the swarm as {world.settings.owner_label}'s"
        yield Action("claim", world.settings.stack, None, arguments, words)


def _there(world: World, nodes: Nodes) -> Iterator[tuple[Node, SwarmNode]]:
    for node in world.settings.nodes:
        node_id = nodes[node.name].node_id
        if node_id and not node.lost:
            yield node, world.entries[node_id]


def _arrivals(world: World, nodes: Nodes) -> Iterator[Action]:
    for node in world.settings.nodes:
        plan = nodes[node.name]
        late = plan.step is Step.IN_PLACE and not world.entries[plan.node_id or ""].ready
        if late or plan.step in (Step.JOIN, Step.INIT):
            yield Action("await", node.name, plan.node_id)


def _roles(verb: str, world: World, nodes: Nodes) -> Iterator[Action]:
    role = {"promote": "worker", "demote": "manager"}[verb]
    for node, entry in _there(world, nodes):
        differs = entry.role == role and node.manager == (verb == "promote")
        if differs and nodes[node.name].step is not Step.UNREACHABLE:
            yield Action(verb, node.name, entry.id)


def _updates(world: World, nodes: Nodes) -> Iterator[Action]:
    """Availability and labels, of members and of those that are about to be."""
    entries = {node.name: entry for node, entry in _there(world, nodes)}
    for node in world.settings.nodes:
        plan, entry = nodes[node.name], entries.get(node.name)
        if entry or plan.step in (Step.JOIN, Step.INIT):
            arguments = _labels(world, node, entry)
            if entry is None or entry.availability != node.availability:
                arguments.append(f"--availability={node.availability}")
            if arguments:
                yield Action("update", node.name, plan.node_id, tuple(arguments))


def labels(world: World, node: Node) -> dict[str, str]:
    """A node's labels: those declared, and our own."""
    edge = world.settings.edge
    own = {EDGE_LABEL: "yes"} if edge and node.name in edge.nodes else {}
    return {**node.labels, NAME_LABEL: node.name, OWNER_LABEL: world.known.owner, **own}


def _labels(world: World, node: Node, entry: SwarmNode | None) -> list[str]:
    """What makes them so: any other is drift."""
    wanted = labels(world, node)
    have = entry.labels if entry else {}
    return [
        *(f"--label-add={key}={value}" for key, value in wanted.items() if have.get(key) != value),
        *(f"--label-rm={key}" for key in have if key not in wanted),
    ]


def _swarm(world: World) -> Iterator[Action]:
    """The swarm's settings, where one is declared and differs."""
    options = {
        "task_history_limit": "--task-history-limit={}",
        "certificate_expiry": "--cert-expiry={}s",
        "dispatcher_heartbeat": "--dispatcher-heartbeat={}s",
    }
    arguments = []
    for name, option in options.items():
        declared = getattr(world.settings, name)
        if declared is not None and not (world.cluster and getattr(world.cluster, name) == declared):
            arguments.append(option.format(declared))
    if arguments:
        yield Action("swarm", world.settings.stack, arguments=tuple(arguments))


def _departures(nodes: Nodes, roster: Roster) -> Iterator[Action]:
    """Nodes that left the configuration are emptied first; lost ones have nothing left to empty."""
    for name, entry in roster.leavers:
        yield from _removal(name, entry, drained=name not in nodes)

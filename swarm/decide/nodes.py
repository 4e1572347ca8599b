"""A step for each node, and who is who in the swarm's list. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from swarm.decide.ownership import Standing, is_labelled
from swarm.decide.plan import NodePlan, Nodes, Order, Roster, Step
from swarm.decide.world import World
from swarm.declare.labels import NAME_LABEL
from swarm.declare.settings import Node
from swarm.observe.model import Host, SwarmNode


def steps(world: World) -> dict[str, NodePlan]:
    """What becomes of each node's membership."""
    return {node.name: _step(world, node) for node in world.settings.nodes}


def _step(world: World, node: Node) -> NodePlan:
    host = world.observation.get(node.name)
    entry = _entry(world, node, host)
    entry_id = entry.id if entry else None
    if node.lost or host is None:
        return NodePlan(Step.LOST, entry_id, retained=True)
    if host.problem or host.leaderless:
        return NodePlan(Step.UNREACHABLE if entry else Step.ABSENT, entry_id)
    standing = world.standings[node.name]
    if standing is Standing.NONE:
        return NodePlan(Step.JOIN if world.cluster or node != world.settings.leader else Step.INIT)
    if world.cluster is None or standing is not Standing.OURS:
        return NodePlan(Step.FOREIGN)
    if host.node_id not in world.entries or host.state == "error":
        return NodePlan(Step.JOIN, stale_id=host.node_id or None, pending=host.state == "pending")
    if world.claimed and moved(node, host):
        return NodePlan(Step.JOIN, stale_id=host.node_id)
    return NodePlan(Step.IN_PLACE, host.node_id)


def _entry(world: World, node: Node, host: Host | None) -> SwarmNode | None:
    """The node's entry: by its host's own word, else by our label, else by its address."""
    if host and host.node_id in world.entries:
        return world.entries[host.node_id]
    named = [entry for entry in world.entries.values() if _is_of(entry, node)]
    return next(iter(sorted(named, key=lambda entry: not entry.ready)), None)


def _is_of(entry: SwarmNode, node: Node) -> bool:
    name = entry.labels.get(NAME_LABEL)
    return name == node.name if name else entry.address == node.address


def moved(node: Node, host: Host) -> bool:
    """Whether a member that is to be a manager is declared at another address than the one that it
    tells the others. Managers keep that address for good: it has to join anew. Of a worker nobody needs it.
    """
    return node.manager and bool(host.address) and node.advertised not in (None, host.address)


def control(world: World, nodes: Nodes) -> str | None:
    """A manager that stays one; the leader where possible, which spares a hop."""
    if world.cluster is None:
        leader = world.settings.leader.name
        return leader if nodes[leader].step is Step.INIT else None
    live = [node.name for node in world.settings.nodes if node.manager and _shows(world, nodes, node)]
    return min(live, key=lambda name: not world.entries[nodes[name].node_id or ""].leader, default=None)


def _shows(world: World, nodes: Nodes, node: Node) -> bool:
    """Whether the node's host is a manager that shows our swarm."""
    host = world.observation.get(node.name)
    seen = host.cluster if host else None
    return bool(nodes[node.name].node_id and seen and world.cluster and seen.id == world.cluster.id)


def order(world: World, nodes: Nodes) -> Order:
    """The nodes in the order in which they join. One of which nothing is known isn't declared; one that the
    state has is: it would be deleted otherwise, and so dialed. A leader joins as a manager where the swarm
    lives without it."""
    declared = [
        node
        for node in sorted(world.settings.nodes, key=lambda node: node.role != "leader")
        if nodes[node.name].step is not Step.ABSENT or node.name in world.known.node_ids
    ]
    starters = [node for node in declared if node.role == "leader" and nodes[node.name].step is not Step.JOIN]
    return Order(
        tuple(starters),
        tuple(node for node in declared if node.manager and node not in starters),
        tuple(node for node in declared if not node.manager),
    )


def roster(world: World, nodes: Nodes) -> Roster:
    """Who is who in the swarm's list, beside the declared nodes in their places."""
    stale = tuple(_stale(world, nodes))
    known = {plan.node_id for plan in nodes.values()} | {entry.id for _, entry in stale}
    strangers = (
        entry
        for entry in world.entries.values()
        if not {entry.id, entry.hostname} & set(world.settings.other_nodes)
        and entry.id not in known
        and not is_labelled(world.known, entry)
    )
    return Roster(stale, tuple(_leavers(world, nodes)), tuple(strangers))


def _stale(world: World, nodes: Nodes) -> Iterator[tuple[str, SwarmNode]]:
    """Entries of our nodes whose host is another member by now, or none, or is to leave and join anew."""
    taken = {plan.node_id for plan in nodes.values()}
    for node in world.settings.nodes:
        plan = nodes[node.name]
        if plan.step in (Step.JOIN, Step.IN_PLACE, Step.INIT):
            for entry in world.entries.values():
                forgotten = NAME_LABEL in entry.labels or not entry.ready
                gone = _is_of(entry, node) and entry.id not in taken and forgotten
                if gone or entry.id == plan.stale_id:
                    yield node.name, entry


def _leavers(world: World, nodes: Nodes) -> Iterator[tuple[str, SwarmNode]]:
    for entry in world.entries.values():
        name = entry.labels.get(NAME_LABEL)
        if name and name not in nodes and is_labelled(world.known, entry):
            yield name, entry
    for name, plan in nodes.items():
        if plan.step is Step.LOST and plan.node_id:
            yield name, world.entries[plan.node_id]

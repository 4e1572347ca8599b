"""What is to be done: a pure function from what is declared, known and observed.

Which swarm is ours is in ownership.py. Here each node gets a step; what a manager has to do then is in
actions.py, what speaks against it in refusals.py and preflight.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swarm.decide import actions, preflight, quorum, refusals
from swarm.decide.ownership import Known, Standing, is_claimed, is_ours, our_cluster, standing
from swarm.decide.plan import NodePlan, Plan, Step
from swarm.declare.compose import Stack
from swarm.declare.settings import Node, Settings
from swarm.observe.model import Cluster, Host, Observation


def decide(settings: Settings, known: Known, observation: Observation, stacks: Sequence[Stack] = ()) -> Plan:
    """The plan for the nodes, with what the stacks ask of them."""
    cluster, refused = our_cluster(settings, known, observation)
    if cluster is None and not refused:
        refused = list(refusals.leaderless(observation))
    standings = {name: standing(known, cluster, observation, host) for name, host in observation.items()}
    nodes = {
        node.name: _plan_node(settings, known, node, observation.get(node.name), cluster, standings)
        for node in settings.nodes
    }
    refused += refusals.of_nodes(settings, observation, nodes, cluster, standings)
    starts = any(plan.step is Step.INIT for plan in nodes.values())
    refused += refusals.of_start(settings, known, observation) if starts else ()
    evictions = actions.evictions(settings, known, nodes, cluster)
    work = actions.work(settings, known, nodes, cluster)
    control = _control(settings, observation, nodes, cluster)
    pool = preflight.address_pool(settings, observation)
    if cluster:
        refused += preflight.changed_for_good(settings, cluster)
        refused += actions.refusals(settings, known, nodes, cluster)
        refused += quorum.quorum(settings, nodes, cluster, evictions, work)
        refused += refusals.of_strangers(settings, known, nodes, cluster)
    refused += preflight.missing(stacks, cluster)
    if not control and not refused:
        refused.append(
            "no manager answers that is to stay one. Declare one of the live managers as a manager."
        )
    return Plan(
        nodes=nodes,
        known=known,
        control=control,
        cluster=cluster,
        address_pool=pool,
        evictions=evictions,
        work=work,
        warnings=(
            *preflight.warnings(settings, known, observation, nodes, cluster, stacks),
            *actions.warnings(settings, cluster),
        ),
        refusals=(*refused, *preflight.refusals(settings, observation, starts=cluster is None)),
    )


def give_up(settings: Settings, known: Known, observation: Observation) -> Plan:
    """The plan for destroying: every host that answers and is known to be in our swarm leaves it; the
    warnings list the others. Nothing is refused, and what is to be taken over isn't ours yet."""
    cluster, _ = our_cluster(settings, known, observation)
    cluster = cluster if cluster and is_ours(settings, known, cluster) else None
    nodes, warnings = {}, []
    for node in settings.nodes:
        step, why = _farewell(known, cluster, observation, observation.get(node.name))
        host = observation.get(node.name)
        stays = step is not Step.IN_PLACE
        node_id = host.node_id if host and not stays else None
        nodes[node.name] = NodePlan(step, node_id, retained=stays, without=_unmade(known, node))
        if stays:
            warnings.append(
                f"{node.name} ({node.host}) was not made to leave its swarm: {why}. If it comes back as a "
                "member of this one, run on it: docker swarm leave --force"
            )
    return Plan(nodes, known, warnings=tuple(warnings))


def _unmade(known: Known, node: Node) -> tuple[str, ...]:
    """The commands of a node that the state doesn't have. A destroy makes none; if they were declared, the
    engine would skip them with all that comes after, and dial hosts that it is told not to."""
    return tuple(kind for kind in ("membership", "departure") if f"{node.name}-{kind}" not in known.commands)


def _farewell(
    known: Known, cluster: Cluster | None, observation: Observation, host: Host | None
) -> tuple[Step, str]:
    """What becomes of a host when all is destroyed, and why it isn't made to leave."""
    if host is None:
        return Step.LOST, "declared as lost"
    if host.problem:
        return Step.UNREACHABLE, host.problem
    what = standing(known, cluster, observation, host)
    if what in (Standing.OURS, Standing.NONE):
        return Step.IN_PLACE, ""
    return Step.FOREIGN, f"{what}" if what is Standing.FOREIGN else f"{what} to be ours"


def _plan_node(
    settings: Settings,
    known: Known,
    node: Node,
    host: Host | None,
    cluster: Cluster | None,
    standings: Mapping[str, Standing],
) -> NodePlan:
    entry = actions.entry_of(node, host, cluster)
    entry_id = entry.id if entry else None
    if node.lost or host is None:
        return NodePlan(Step.LOST, entry_id, retained=True)
    if host.problem or host.leaderless:
        return NodePlan(Step.UNREACHABLE if entry else Step.ABSENT, entry_id)
    what = standings[node.name]
    if what is Standing.NONE:
        return NodePlan(Step.JOIN if cluster or node != settings.leader else Step.INIT)
    if cluster is None or what is not Standing.OURS:
        return NodePlan(Step.FOREIGN)
    if host.node_id in cluster.entries and host.state != "error":
        claimed = is_claimed(settings, known, cluster)
        if claimed and actions.moved(node, host):
            return NodePlan(Step.JOIN, stale_id=host.node_id)
        return NodePlan(Step.IN_PLACE, host.node_id)
    return NodePlan(Step.JOIN, stale_id=host.node_id or None, pending=host.state == "pending")


def _control(
    settings: Settings,
    observation: Observation,
    nodes: dict[str, NodePlan],
    cluster: Cluster | None,
) -> str | None:
    """A manager that stays one; the leader where possible, which spares a hop."""
    if cluster is None:
        return settings.leader.name if nodes[settings.leader.name].step is Step.INIT else None
    live = [
        node.name
        for node in settings.nodes
        if node.manager
        and nodes[node.name].node_id
        and (host := observation.get(node.name))
        and (host.cluster and host.cluster.id == cluster.id)
    ]
    leads = {entry.id: entry.leader for entry in cluster.entries.values()}
    return min(live, key=lambda name: not leads[nodes[name].node_id or ""], default=None)

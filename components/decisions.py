"""What is to be done: a pure function from what is declared and what is observed.

It finds our swarm among what the hosts are in, and gives each node a step. What a manager has to do
then is in convergence.py, what speaks against it in preflight.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from components import convergence, preflight
from components.compose import Stack
from components.observation import NAME_LABEL, Cluster, Host, Observation
from components.plan import NodePlan, Plan, Step
from components.settings import Node, Settings


def decide(settings: Settings, observation: Observation, stacks: Sequence[Stack] = ()) -> Plan:
    """The plan for the nodes, with what the stacks ask of them."""
    cluster, refusals = _our_cluster(settings, observation)
    nodes = {
        node.name: _plan_node(settings, node, observation.get(node.name), cluster) for node in settings.nodes
    }
    refusals += _refused_nodes(settings, observation, nodes, cluster)
    evictions = convergence.evictions(settings, nodes, cluster)
    work = convergence.work(settings, nodes, cluster)
    control = _control(settings, observation, nodes, cluster)
    pool = preflight.address_pool(settings, observation)
    if cluster:
        refusals += preflight.changed_for_good(settings, cluster)
        refusals += convergence.refusals(settings, nodes, cluster)
        refusals += convergence.quorum(settings, nodes, cluster, evictions, work)
    refusals += preflight.missing(stacks, cluster)
    if not control and not refusals:
        refusals.append(
            "no manager answers that is to stay one. Declare one of the live managers as a manager."
        )
    return Plan(
        nodes=nodes,
        control=control,
        cluster=cluster,
        address_pool=pool,
        evictions=evictions,
        work=work,
        warnings=(
            *preflight.warnings(settings, observation, nodes, cluster, stacks),
            *convergence.warnings(settings, cluster),
        ),
        refusals=(*refusals, *preflight.refusals(settings, observation, starts=cluster is None)),
    )


def give_up(settings: Settings, observation: Observation) -> Plan:
    """The plan for destroying: every host that answers and isn't in another swarm is to leave; the
    warnings list the others. Nothing is refused."""
    nodes, warnings = {}, []
    for node in settings.nodes:
        host = observation.get(node.name)
        if host is None:
            step, why = Step.LOST, "declared as lost"
        elif host.problem:
            step, why = Step.UNREACHABLE, host.problem
        elif _elsewhere(settings, host, observation):
            step, why = Step.FOREIGN, "in another swarm"
        else:
            step, why = Step.IN_PLACE, ""
        nodes[node.name] = NodePlan(step, host.node_id if host else None)
        if step is not Step.IN_PLACE:
            warnings.append(
                f"{node.name} ({node.host}) was not made to leave its swarm: {why}. If it comes back as a "
                "member of this one, run on it: docker swarm leave --force"
            )
    return Plan(nodes, warnings=tuple(warnings))


def _elsewhere(settings: Settings, host: Host, observation: Observation) -> bool:
    """Whether a host is in a swarm that can be told not to be ours."""
    if host.cluster:
        marked = settings.mark in host.cluster.marks
        return not (marked or host.cluster.bare or settings.adopt)
    managers = [one for one in observation.values() if one.manager]
    foreign = [one for one in managers if one.cluster and _elsewhere(settings, one, observation)]
    ours = {address for one in managers if one not in foreign for address in one.managers}
    theirs = {address for one in foreign for address in one.managers}
    known = set(host.managers)
    return bool(known and not known & ours and (ours or known & theirs))


def _our_cluster(settings: Settings, observation: Observation) -> tuple[Cluster | None, list[str]]:
    """The swarm that is ours, None where none is to be seen; and why it can't be told."""
    clusters = {host.cluster.id: host.cluster for host in observation.values() if host.cluster}
    ours = [cluster for cluster in clusters.values() if settings.mark in cluster.marks]
    found = ours or list(clusters.values())
    if len(found) > 1:
        where = "; ".join(f"{one.id} ({_hosts_of(one, observation)})" for one in found)
        return None, [f"the hosts are in {len(found)} swarms: {where}. Leave it to one of them."]
    if not found:
        return None, _leaderless(observation)
    cluster = found[0]
    if ours or settings.adopt or _own_interrupted_init(settings, observation, cluster):
        return cluster, []
    owner = f"it belongs to {', '.join(cluster.marks)}" if cluster.marks else "it isn't marked as ours"
    return cluster, [
        f"{_hosts_of(cluster, observation)}: in swarm {cluster.id} already, and {owner}. "
        "To take that swarm over: pulumi config set swarm:adopt true. To have its hosts for a swarm of "
        "ours, run on each of them: docker swarm leave --force"
    ]


def _hosts_of(cluster: Cluster, observation: Observation) -> str:
    return ", ".join(
        name for name, host in observation.items() if host.cluster and host.cluster.id == cluster.id
    )


def _own_interrupted_init(settings: Settings, observation: Observation, cluster: Cluster) -> bool:
    leader = observation.get(settings.leader.name)
    alone = len(cluster.entries) == 1 and cluster.bare
    return bool(alone and leader and leader.node_id in cluster.entries)


def _leaderless(observation: Observation) -> list[str]:
    """Members without a leader to be seen: the one case in which a second swarm could be made."""
    managers = [name for name, host in observation.items() if host.leaderless]
    if managers:
        return [
            f"{', '.join(managers)}: in a swarm that has no leader, so more than half of its managers "
            f"can't be reached. {convergence.RECOVERY}; or, to begin anew, on every host that is left: "
            "docker swarm leave --force"
        ]
    members = {name: host for name, host in observation.items() if host.member}
    return [
        f"{name}: in a swarm whose managers ({', '.join(host.managers) or 'unknown'}) give no answer. "
        "Start them again; if that swarm is gone for good, run on it: docker swarm leave"
        for name, host in members.items()
    ]


def _plan_node(settings: Settings, node: Node, host: Host | None, cluster: Cluster | None) -> NodePlan:
    entry = convergence.entry_of(node, host, cluster)
    entry_id = entry.id if entry else None
    if node.lost or host is None:
        return NodePlan(Step.LOST, entry_id)
    if host.problem or host.leaderless:
        return NodePlan(Step.UNREACHABLE if entry else Step.ABSENT, entry_id)
    if cluster is None:
        starts = node == settings.leader and not host.member
        return NodePlan(Step.INIT if starts else Step.FOREIGN if host.member else Step.JOIN)
    if host.node_id in cluster.entries and host.state != "error":
        marked = settings.mark in cluster.marks
        if marked and convergence.moved(node, host):
            return NodePlan(Step.JOIN, stale_id=host.node_id)
        completes = node == settings.leader and not marked and not settings.adopt
        return NodePlan(Step.INIT if completes else Step.IN_PLACE, host.node_id)
    if host.state == "active" and not _knew(host, cluster):
        return NodePlan(Step.FOREIGN)
    return NodePlan(Step.JOIN, stale_id=host.node_id or None)


def _knew(host: Host, cluster: Cluster) -> bool:
    """Whether the host was a member of this swarm: a worker knows no cluster ID, but managers."""
    if host.cluster:
        return host.cluster.id == cluster.id
    return bool({entry.address for entry in cluster.entries.values()} & set(host.managers))


def _refused_nodes(
    settings: Settings,
    observation: Observation,
    nodes: dict[str, NodePlan],
    cluster: Cluster | None,
) -> list[str]:
    refusals = []
    for node in settings.nodes:
        step, host = nodes[node.name].step, observation.get(node.name)
        if step is Step.ABSENT and host and host.leaderless and cluster:
            refusals.append(
                f"{node.name} ({node.host}): in a swarm that has no leader and isn't {cluster.id}, ours. "
                "Run on it: docker swarm leave --force"
            )
        if step is Step.ABSENT and host and host.answers and not cluster:
            refusals.append(
                f"{node.name} ({node.host}): {host.problem}, so it may be in a swarm. Make its engine "
                "answer, or take it out of the configuration."
            )
        elif step is Step.ABSENT and host and host.problem and not settings.allow_unreachable:
            refusals.append(
                f"{node.name} ({node.host}): {host.problem}. Start it; or go on without it: "
                "pulumi config set swarm:allowUnreachable true"
            )
        if step is Step.ABSENT and node.role == "leader" and settings.allow_unreachable and not cluster:
            refusals.append(f"{node.name}: is to start the swarm and gives no answer. Start it.")
        if step is Step.FOREIGN and host and cluster:
            whose = f"swarm {host.cluster.id}" if host.cluster else "the swarm of managers "
            whose += "" if host.cluster else ", ".join(host.managers)
            refusals.append(
                f"{node.name} ({node.host}): in {whose}, and ours is {cluster.id}. "
                f"Run on it: docker swarm leave{' --force' if host.manager else ''}"
            )
        taken_over = cluster and settings.mark not in cluster.marks
        if host and taken_over and step is Step.IN_PLACE and convergence.moved(node, host):
            refusals.append(
                f"{node.name} ({node.host}): the swarm that is taken over reaches this manager at "
                f"{host.address}. Declare that: advertiseAddress: {host.address}"
            )
        if host and host.state == "locked":
            refusals.append(f"{node.name}: its swarm is locked. Run on it: docker swarm unlock")
        entry = cluster.entries.get(host.node_id) if host and cluster else None
        called = entry.labels.get(NAME_LABEL, node.name) if entry else node.name
        if called != node.name:
            refusals.append(
                f"{node.name} ({node.host}): the swarm knows this machine as {called}. A name can't "
                f"be changed: take {called} out of the configuration, pulumi up, then add {node.name}."
            )
    return refusals


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

"""What is refused of hosts and nodes, with the remedy. Pure; what makes a host unfit is in preflight.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swarm.decide import actions, quorum
from swarm.decide.ownership import Known, Standing
from swarm.decide.plan import NodePlan, Step
from swarm.declare.labels import NAME_LABEL
from swarm.declare.settings import Node, Settings
from swarm.observe.model import Cluster, Host, Observation

Nodes = Mapping[str, NodePlan]


def leaderless(observation: Observation) -> Iterator[str]:
    """Members without a leader to be seen: the one case in which a second swarm could be made."""
    managers = [name for name, host in observation.items() if host.leaderless]
    if managers:
        yield (
            f"{', '.join(managers)}: in a swarm that has no leader, so more than half of its managers "
            f"can't be reached. {quorum.RECOVERY}; or, to begin anew, on every host that is left: "
            "docker swarm leave --force"
        )
        return
    for name, host in observation.items():
        if host.state == "locked":
            yield _locked(name)
        elif host.member:
            yield (
                f"{name}: in a swarm whose managers ({', '.join(host.managers) or 'unknown'}) give no "
                "answer. Start them again; if that swarm is gone for good, run on it: docker swarm leave"
            )


def of_nodes(
    settings: Settings,
    observation: Observation,
    nodes: Nodes,
    cluster: Cluster | None,
    standings: Mapping[str, Standing],
) -> Iterator[str]:
    """What speaks against going on with each node."""
    for node in settings.nodes:
        step, host = nodes[node.name].step, observation.get(node.name)
        if host is None:
            continue
        if host.refuses and node.name not in settings.unreachable:
            yield f"{_where(node)}: {_refusing(host)}"
        elif step is Step.ABSENT:
            yield from _absent(settings, node, host, cluster)
        if cluster and step is Step.FOREIGN:
            yield f"{_where(node)}: {_foreign(host, cluster, standings[node.name])}"
        elif cluster and host.state == "locked":
            yield _locked(node.name)
        elif cluster and step is Step.IN_PLACE:
            yield from _in_place(node, host, cluster)


def _locked(name: str) -> str:
    return f"{name}: its swarm is locked. Run on it: docker swarm unlock"


def _where(node: Node) -> str:
    return f"{node.name} ({node.host})"


def _refusing(host: Host) -> str:
    """A host that turns us away is no silent one: whatever it is, it may live."""
    remedy = (
        "Find out whether that is the same machine before anything else: compare the key with the host's "
        "own console, and only then put the new one into knownHostsFile"
        if host.alarming
        else "Correct the way to it, or its rights"
    )
    return f"it refuses us: {host.problem}. {remedy}; or go on without it: name it in swarm:unreachable."


def _absent(settings: Settings, node: Node, host: Host, cluster: Cluster | None) -> Iterator[str]:
    if host.leaderless and cluster:
        yield (
            f"{_where(node)}: in a swarm that has no leader and isn't known to be {cluster.id}, ours. "
            f"{_farewell('docker swarm leave --force')}"
        )
    elif host.problem and host.answers and not cluster and node.name not in settings.unreachable:
        yield (
            f"{_where(node)}: {host.problem}, so it may be in a swarm. Make its engine "
            "answer, or take it out of the configuration."
        )
    elif host.problem and node.role == "leader" and not cluster:
        yield f"{_where(node)}: is to start the swarm and gives no answer: {host.problem}. Start it."
    elif host.problem and node.name not in settings.unreachable:
        without = "pulumi config set swarm:allowUnreachable true"
        if not cluster:
            at = len(settings.unreachable)
            without = f"pulumi config set --path 'swarm:unreachable[{at}]' {node.name}"
        if not cluster or not settings.allow_unreachable:
            yield f"{_where(node)}: {host.problem}. Start it; or go on without it: {without}"


def _foreign(host: Host, cluster: Cluster, what: Standing) -> str:
    if what is Standing.UNKNOWN:
        return (
            f"{what}, and may be another's than {cluster.id}, ours. Wait until its engine is active. "
            f"{_farewell('docker swarm leave --force')}"
        )
    if host.state == "locked":
        return (
            f"in a locked swarm that isn't known to be {cluster.id}, ours. Unlock it to see whose it is "
            "(run on it: docker swarm unlock), or take it out of the configuration"
        )
    whose = f"swarm {host.cluster.id}" if host.cluster else "the swarm of managers "
    whose += "" if host.cluster else ", ".join(host.managers) or "that it doesn't name"
    if host.state == "error":
        whose += f", with an error ({host.error or 'that its engine has no words for'})"
    force = " --force" if host.manager or host.state == "error" else ""
    return f"in {whose}, and ours is {cluster.id}. {_farewell(f'docker swarm leave{force}')}"


def _farewell(command: str) -> str:
    """The milder remedy first: the swarm may be somebody's."""
    return f"Take it out of the configuration; or, if that swarm may lose it, run on it: {command}"


def _in_place(node: Node, host: Host, cluster: Cluster) -> Iterator[str]:
    if actions.moved(node, host):
        yield (
            f"{_where(node)}: the swarm that is taken over reaches this manager at "
            f"{host.address}. Declare that: advertiseAddress: {host.address}"
        )
    called = cluster.entries[host.node_id].labels.get(NAME_LABEL, node.name)
    if called != node.name:
        yield (
            f"{_where(node)}: the swarm knows this machine as {called}. A name can't "
            f"be changed: take {called} out of the configuration, pulumi up, then add {node.name}."
        )


def of_start(settings: Settings, known: Known, observation: Observation) -> Iterator[str]:
    """A swarm is never started while one that this stack has made may live somewhere."""
    declared = {node.name: node for node in settings.nodes}
    for name in known.node_ids:
        host, node = observation.get(name), declared.get(name)
        if node is None:
            yield (
                f"{name}: the state knows it as a node of this stack's swarm, it isn't declared any more, "
                "and that swarm isn't to be seen, so it may live there. Put it back into the configuration; "
                "with lost: true if it is gone for good"
            )
        elif host and host.problem:
            yield (
                f"{_where(node)}: the state knows it as a node of this stack's swarm, which isn't to be "
                f"seen, so it may live there: {host.problem}. Start it; or, if it is gone for good, declare "
                "it lost: true"
            )


def of_strangers(settings: Settings, known: Known, nodes: Nodes, cluster: Cluster) -> Iterator[str]:
    """Managers that nobody declares: they see every secret, and count for the majority."""
    for entry in actions.strangers(settings, known, nodes, cluster):
        if entry.role == "manager":
            yield (
                f"{entry.hostname} ({entry.id}, {entry.address}): a manager of our swarm that nobody "
                "declares: it sees every secret, and counts for the majority. Declare it; or demote and "
                f"remove it (docker node demote {entry.id}; docker node rm {entry.id}); or let it stay: "
                f"pulumi config set --path 'swarm:otherNodes[{len(settings.other_nodes)}]' {entry.hostname}"
            )

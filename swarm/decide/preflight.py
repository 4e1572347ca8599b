"""What speaks against going on, or should be known before it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network

from swarm.decide import actions, health
from swarm.decide.ownership import Known
from swarm.decide.plan import NodePlan, Step
from swarm.declare.compose import Stack
from swarm.declare.ordering import owners
from swarm.declare.settings import Settings
from swarm.finding import Finding, Verdict, summed
from swarm.observe.model import Cluster, Observation

MAKING = {
    "network": "docker network create --driver overlay {}",
    "secret": "docker secret create {} FILE",
    "config": "docker config create {} FILE",
}
POOLS = [IPv4Network(f"10.{second}.0.0/16") for second in (20, 40, 60, 80, 120, 160, 200, 240)]


def common(observation: Observation) -> Iterator[Finding]:
    """What previews and the doctor both check."""
    yield from health.engines(observation)
    yield from health.clocks(observation)
    yield from health.tools(observation)
    yield from health.cut_off(observation)
    yield from health.memberships(observation)
    yield from health.live_restores(observation)
    yield from health.overlay(observation)
    yield from health.vxlan(observation)
    yield from health.disks(observation)
    yield from health.clones(observation)
    yield from health.hostnames(observation)


def address_pool(settings: Settings, observation: Observation) -> str | None:
    """The pool for a swarm's overlay networks: as declared, else the first that is off every host's
    networks. Docker's own default, 10.0.0.0/8, swallows the answers of hosts in 10.0.0.0/24."""
    if settings.address_pool:
        return str(settings.address_pool)
    taken = [network for host in observation.values() for network in health.networks(host)]
    free = (pool for pool in POOLS if not any(pool.overlaps(network) for network in taken))
    return next((str(pool) for pool in free), None)


def refusals(settings: Settings, observation: Observation, *, starts: bool) -> Iterator[str]:
    """What can't work, by host; `starts` tells whether a swarm is to be started."""
    found = list(common(observation))
    if starts and settings.address_pool:
        found += health.pools(settings.address_pool, observation, starts=True)
    if settings.stacks or settings.edge:
        found += health.noise(observation, [node.name for node in settings.nodes if node.manager])
    yield from (str(one) for one in summed(found) if one.verdict is Verdict.FAILED)
    if starts and not address_pool(settings, observation):
        yield "no address pool is free on every host. Choose one: pulumi config set swarm:addressPool"


def missing(stacks: Sequence[Stack], cluster: Cluster | None) -> Iterator[str]:
    """What stacks need that none of them makes, and the swarm hasn't."""
    made = owners(stacks)
    for stack in stacks:
        needed = {
            "network": [one.full for one in stack.networks if one.external and one.full not in made],
            "secret": [one.external for one in stack.secrets if one.external],
            "config": stack.external_configs,
        }
        for kind, names in needed.items():
            there = getattr(cluster, f"{kind}s", {})
            for name in (name for name in names if name not in there):
                yield (
                    f"stack {stack.name} needs the external {kind} {name}, which the swarm doesn't have. "
                    f"Make it there, on a manager: {MAKING[kind].format(name)}"
                )


def changed_for_good(settings: Settings, cluster: Cluster) -> Iterator[str]:
    """What is fixed at the init and declared otherwise now."""
    pairs = {
        "addressPool": (settings.address_pool and str(settings.address_pool), cluster.address_pool),
        "dataPathPort": (settings.data_path_port, cluster.data_path_port),
    }
    for key, (declared, actual) in pairs.items():
        if declared is not None and declared != actual:
            yield (
                f"swarm:{key} {declared}: the swarm was started with {actual}, which can't be changed. "
                f"Set it to that; or destroy and make the swarm anew."
            )


def warnings(
    settings: Settings,
    known: Known,
    observation: Observation,
    nodes: Mapping[str, NodePlan],
    cluster: Cluster | None,
    stacks: Sequence[Stack],
) -> Iterator[str]:
    """What works but should be known."""
    for name, plan in nodes.items():
        host = observation.get(name)
        allowed = plan.step is Step.ABSENT and (
            name in settings.unreachable or (settings.allow_unreachable and cluster is not None)
        )
        if host and (plan.step is Step.UNREACHABLE or allowed):
            yield f"{name} {plan.step}: {host.problem or 'its swarm has no leader there'}"
    yield from (str(one) for one in common(observation) if one.verdict is Verdict.WARNING)
    without = [name for name, host in observation.items() if not host.problem and not host.ip_vs]
    ports = sorted(port for stack in stacks for port in stack.mesh_ports)
    if ports and without:
        where = "any host" if len(without) == len(observation) else ", ".join(without)
        yield (
            f"no IP_VS in the kernel of {where}: ports published through the routing mesh "
            f"({', '.join(map(str, ports))}) don't answer there; those in host mode do"
        )
    yield from _leaving(settings, known)
    yield from _strangers(settings, known, nodes, cluster, stacks)


def _leaving(settings: Settings, known: Known) -> Iterator[str]:
    """Nodes that the state has and nobody declares: their hosts are dialed when all else is done."""
    declared = {node.name for node in settings.nodes}
    for name in known.node_ids:
        if name not in declared:
            yield (
                f"{name} was taken out of the configuration: its host is made to leave the swarm. If that "
                "host is gone for good, put it back with lost: true, pulumi up, then take it out"
            )


def _strangers(
    settings: Settings,
    known: Known,
    nodes: Mapping[str, NodePlan],
    cluster: Cluster | None,
    stacks: Sequence[Stack],
) -> Iterator[str]:
    """What is in our swarm, or among a stack's services, and nobody declares."""
    for entry in actions.strangers(settings, known, nodes, cluster):
        if entry.role != "manager":
            yield (
                f"{entry.hostname} ({entry.id}) is {entry.state}, and no node of this stack: nobody declares "
                f"it. Declare it, remove it, or let it stay: swarm:otherNodes"
            )
    declared = {stack.full(service.name) for stack in stacks for service in stack.services}
    names = {stack.name for stack in stacks}
    for service in cluster.services if cluster else ():
        if service.stack in names and service.name not in declared | known.services:
            yield f"{service.name}: a service in the namespace of stack {service.stack} that no file declares"

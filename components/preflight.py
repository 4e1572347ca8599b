"""What speaks against going on, or should be known before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network

from components.observation import NAME_LABEL, Cluster, Observation
from components.plan import NodePlan, Step
from components.settings import Settings

POOLS = [IPv4Network(f"10.{second}.0.0/16") for second in (20, 40, 60, 80, 120, 160, 200, 240)]
OLDEST_ENGINE = (20, 10)  # the first whose API counts a service's tasks
SKEW_WARNED, SKEW_REFUSED = 10, 1800  # seconds; certificates of a join are valid from an hour ago


def subnets(observation: Observation) -> Iterator[tuple[str, IPv4Network]]:
    """Every host's networks, with the host's name."""
    for name, host in observation.items():
        for route in host.routes:
            destination = route.split()[0]
            if destination[:1].isdigit():
                yield name, IPv4Network(destination, strict=False)


def address_pool(settings: Settings, observation: Observation) -> str | None:
    """The pool for a swarm's overlay networks: as declared, else the first that is off every host's
    networks. Docker's own default, 10.0.0.0/8, swallows the answers of hosts in 10.0.0.0/24."""
    if settings.address_pool:
        return str(settings.address_pool)
    taken = [network for _, network in subnets(observation)]
    free = (pool for pool in POOLS if not any(pool.overlaps(network) for network in taken))
    return next((str(pool) for pool in free), None)


def refusals(settings: Settings, observation: Observation, *, starts: bool) -> Iterator[str]:
    """What can't work, by host; `starts` tells whether a swarm is to be started."""
    for name, host in observation.items():
        if host.engine and version(host.engine) < OLDEST_ENGINE:
            yield f"{name}: Docker Engine {host.engine} is older than 20.10. Upgrade it."
        if abs(host.skew) > SKEW_REFUSED:
            yield (
                f"{name}: its clock is {host.skew:+.0f} s from here, and certificates would not be "
                "valid. Set its clock (chrony or systemd-timesyncd)."
            )
    if starts and settings.address_pool:
        for name, network in subnets(observation):
            if settings.address_pool.overlaps(network):
                yield (
                    f"swarm:addressPool {settings.address_pool}: overlaps {network}, a network of "
                    f"{name}, and answers would be lost. Choose another, or leave it out."
                )
    if starts and not address_pool(settings, observation):
        yield "no address pool is free on every host. Choose one: pulumi config set swarm:addressPool"


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
    observation: Observation,
    nodes: Mapping[str, NodePlan],
    cluster: Cluster | None,
    mesh_ports: Iterable[int],
) -> Iterator[str]:
    """What works but should be known."""
    for name, plan in nodes.items():
        host = observation.get(name)
        allowed = plan.step is Step.ABSENT and settings.allow_unreachable
        if host and (plan.step is Step.UNREACHABLE or allowed):
            yield f"{name} {plan.step}: {host.problem or 'its swarm has no leader there'}"
    managers = sum(node.manager and not node.lost for node in settings.nodes)
    if managers % 2 == 0:
        yield (
            f"{managers} managers survive the loss of {(managers - 1) // 2}, as {managers - 1} do; "
            "an odd number is better"
        )
    versions = {host.engine for host in observation.values() if host.engine}
    if len({version(one)[:1] for one in versions}) > 1:
        yield f"Docker Engines of different major versions: {', '.join(sorted(versions))}"
    for name, host in observation.items():
        if SKEW_WARNED < abs(host.skew) <= SKEW_REFUSED:
            yield f"{name}: its clock is {host.skew:+.0f} s from here"
    without = [name for name, host in observation.items() if not host.problem and not host.ip_vs]
    ports = sorted(mesh_ports)
    if ports and without:
        where = "any host" if len(without) == len(observation) else ", ".join(without)
        yield (
            f"no IP_VS in the kernel of {where}: ports published through the routing mesh "
            f"({', '.join(map(str, ports))}) don't answer there; those in host mode do"
        )
    ours = {plan.node_id for plan in nodes.values()}
    for entry in cluster.entries.values() if cluster else ():
        if entry.id not in ours and NAME_LABEL not in entry.labels and not entry.ready:
            yield f"{entry.hostname} ({entry.id}) is {entry.state}, and no node of this stack"


def version(text: str) -> tuple[int, ...]:
    """(26, 1, 5) for 26.1.5+dfsg1."""
    digits = text.split("+")[0].split("-")[0].split(".")
    return tuple(int(part) for part in digits if part.isdigit())

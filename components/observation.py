"""What is: the words in which hosts and the swarm are described. look.py fills them in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

NAME_LABEL = "swarm.pulumi.node"
STACK_LABEL = "swarm.pulumi.stack"
NAMESPACE_LABEL = "com.docker.stack.namespace"
BOOT_SECONDS = 180


@dataclass(frozen=True)
class Entry:
    """A node as the managers list it."""

    id: str
    hostname: str
    role: str  # manager or worker
    state: str  # ready, down, unknown or disconnected
    availability: str
    address: str
    labels: Mapping[str, str]
    leader: bool = False
    reachable: bool = True  # as a manager, by the others

    @property
    def ready(self) -> bool:
        """Whether it takes part, in its role."""
        return self.state == "ready" and (self.role == "worker" or self.reachable)


@dataclass(frozen=True)
class Service:
    """A service as the managers list it, with its tasks counted."""

    id: str
    name: str
    stack: str | None
    image: str
    running: int
    desired: int
    update: str | None = None  # completed, updating, paused, rollback_...

    @property
    def settled(self) -> bool:
        """Whether its tasks run, and no update is under way or stuck."""
        moving = self.update in ("updating", "paused", "rollback_started", "rollback_paused")
        # More than desired: tasks of a node that is down count until the managers give them up.
        return self.running >= self.desired and not moving


@dataclass(frozen=True)
class Cluster:
    """A swarm as one of its managers shows it."""

    id: str
    entries: Mapping[str, Entry]  # by node ID
    services: tuple[Service, ...] = ()
    marks: tuple[str, ...] = ()  # `project/stack` of the programs that look after it
    bare: bool = False  # without services, secrets or configs
    address_pool: str | None = None
    data_path_port: int | None = None
    task_history_limit: int | None = None
    certificate_expiry: int | None = None  # seconds


@dataclass(frozen=True)
class Host:
    """What one host says of itself."""

    name: str
    problem: str | None = None  # why nothing more is known of it
    answers: bool = False  # SSH does, so that the problem is its engine's
    late: bool = False  # its engine took the request, and is at a loss for an answer
    age: float = float("inf")  # seconds since it was started
    leaderless: bool = False  # a manager of a swarm that has no leader now
    engine: str = ""
    state: str = "inactive"  # of its membership: inactive, pending, active, error or locked
    node_id: str = ""
    manager: bool = False
    managers: tuple[str, ...] = ()  # addresses of the managers it knows, without ports
    cluster: Cluster | None = None  # where it is a manager of a swarm that has a leader
    routes: tuple[str, ...] = ()
    ip_vs: bool = False
    skew: float = 0.0  # its clock against ours, seconds

    @property
    def member(self) -> bool:
        """Whether it is in a swarm, or on the way."""
        return self.state not in ("inactive", "")


Observation = Mapping[str, Host]  # by node name


def under_way(observation: Observation, stacks: Collection[str]) -> Iterator[str]:
    """What is about to change by itself, in words: a host that boots, an election, a node that comes
    back, tasks of our stacks that start. Who decides in the midst of it takes for drift what isn't."""
    clusters = {host.cluster.id: host.cluster for host in observation.values() if host.cluster}
    waiting: dict[str, list[str]] = {}
    for host in observation.values():
        if host.late or (host.problem and host.age < BOOT_SECONDS):
            waiting.setdefault(str(host.problem), []).append(host.name)
        if host.leaderless:
            waiting.setdefault("in a swarm without a leader", []).append(host.name)
        for cluster in clusters.values():
            entry = cluster.entries.get(host.node_id)
            if entry and host.state == "active" and not entry.ready:
                waiting.setdefault("not Ready yet", []).append(host.name)
    yield from (f"{', '.join(names)}: {why}" for why, names in waiting.items())
    for cluster in clusters.values():
        for service in cluster.services:
            if service.stack in stacks and service.running < service.desired:
                yield f"{service.name}: {service.running} of {service.desired} tasks run"

"""What is: the words in which hosts and the swarm are described. probe.py fills them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swarm.declare.labels import NAME_LABEL

VXLAN_IDS = "com.docker.network.driver.overlay.vxlanid_list"  # that the swarm gave an overlay network
KEY_CHANGED = "its host key has CHANGED"
# In the words of OpenSSH, of Docker's client where the user may not use the engine, and of the probe.
REFUSING = ("permission denied", "host key", "too many authentication failures", "its login shell")


@dataclass(frozen=True)
class SwarmNode:
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
    def name(self) -> str:
        """As we call it, or its hostname where it isn't ours."""
        return self.labels.get(NAME_LABEL, self.hostname)

    @property
    def ready(self) -> bool:
        """Whether it takes part, in its role."""
        return self.state == "ready" and (self.role == "worker" or self.reachable)


@dataclass(frozen=True)
class Service:
    """A service as the managers list it, with its tasks counted: among those that run are those, too, that
    have ended well and aren't to be started again."""

    id: str
    name: str
    stack: str | None
    image: str
    running: int
    desired: int
    update: str | None = None  # completed, updating, paused, rollback_...

    @property
    def moving(self) -> bool:
        """Whether an update is under way, or stuck."""
        return self.update in ("updating", "paused", "rollback_started", "rollback_paused")

    @property
    def settled(self) -> bool:
        """Whether its tasks run, and no update is under way or stuck."""
        # More than desired: those that an update is about to end.
        return self.running >= self.desired and not self.moving


@dataclass(frozen=True)
class SwarmObject:
    """A network, secret or config as the managers list it."""

    id: str
    options: Mapping[str, str] = field(default_factory=dict)  # of a network's driver
    gateways: Mapping[str, str] = field(default_factory=dict)  # of a network, by subnet


@dataclass(frozen=True)
class Cluster:
    """A swarm as one of its managers shows it."""

    id: str
    entries: Mapping[str, SwarmNode]  # by node ID
    complete: bool = True  # services and the rest are told, too
    index: int = 0  # of the newest of its nodes' versions: how far its manager has come
    services: tuple[Service, ...] = ()
    networks: Mapping[str, SwarmObject] = field(default_factory=dict)  # by name, as the next two
    secrets: Mapping[str, SwarmObject] = field(default_factory=dict)
    configs: Mapping[str, SwarmObject] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # its own
    spec: Mapping[str, Any] = field(default_factory=dict)  # as the Engine's API has it
    version: int = 0  # of the spec
    # `project/stack` by configs of that label: of programs before there was an owner label.
    label_configs: Mapping[str, str] = field(default_factory=dict)
    address_pool: str | None = None
    data_path_port: int | None = None
    task_history_limit: int | None = None
    certificate_expiry: int | None = None  # seconds
    dispatcher_heartbeat: int | None = None  # seconds

    @property
    def missing(self) -> list[SwarmNode]:
        """The nodes that are to run tasks and take no part, by name: services may lack tasks because of
        them."""
        entries = [one for one in self.entries.values() if one.availability == "active" and not one.ready]
        return sorted(entries, key=lambda one: one.name)


@dataclass(frozen=True)
class Host:
    """What one host says of itself."""

    name: str
    problem: str | None = None  # why nothing more is known of it
    answers: bool = False  # SSH does, so that the problem is its engine's
    late: bool = False  # its engine took the request, and is at a loss for an answer
    age: float = float("inf")  # seconds since it was started
    engine_age: float = float("inf")  # since its engine was
    leaderless: bool = False  # a manager of a swarm that has no leader now
    cut_off: bool = False  # that manager, while the others have a leader and don't reach it
    engine: str = ""
    state: str = "inactive"  # of its membership: inactive, pending, active, error or locked
    error: str = ""  # of its membership, in its engine's words
    node_id: str = ""
    manager: bool = False
    address: str = ""  # that it tells the other nodes, while it is a member
    cluster_id: str = ""  # that its certificate tells, where it may be read
    managers: tuple[str, ...] = ()  # addresses of the managers it knows, without ports
    manager_ids: tuple[str, ...] = ()  # their node IDs, of those that it has met
    cluster: Cluster | None = None  # where it is a manager of a swarm that has a leader
    routes: tuple[str, ...] = ()
    kernel: Mapping[str, str] = field(default_factory=dict)  # yes, no or unknown, by module
    ip_vs: bool = False
    skew: float = 0.0  # its clock against ours, seconds at least
    engine_id: str = ""
    hostname: str = ""
    live_restore: bool = False
    data_root: str = ""  # the folder of its engine's images and volumes
    free: int | None = None  # bytes there, where it is the usual folder
    lacks: tuple[str, ...] = ()  # programs that an up needs
    noise: str = ""  # the last line that is printed there before a command's own

    @property
    def member(self) -> bool:
        """Whether it is in a swarm, or on the way."""
        return self.state not in ("inactive", "")

    @property
    def alarming(self) -> bool:
        """Whether its host key is another one than before."""
        return bool(self.problem and KEY_CHANGED in self.problem)

    @property
    def refuses(self) -> bool:
        """Whether it turns us away, which isn't silence: it lives, and may be a member."""
        return bool(self.problem and any(words in self.problem.lower() for words in REFUSING))

    @property
    def leads(self) -> bool:
        """Whether it is the leader in its own view."""
        entry = self.cluster.entries.get(self.node_id) if self.cluster else None
        return bool(entry and entry.leader)


Observation = Mapping[str, Host]  # by node name


def views(observation: Observation) -> dict[str, Cluster]:
    """Each swarm that is seen, once, by its ID: as its leader has it, or else the manager that has come
    farthest. A manager that is cut off from the others keeps an old view for a while."""
    hosts = [host for host in observation.values() if host.cluster]
    hosts.sort(key=lambda host: (host.leads, host.cluster.index if host.cluster else 0))
    return {host.cluster.id: host.cluster for host in hosts if host.cluster}  # the last one counts

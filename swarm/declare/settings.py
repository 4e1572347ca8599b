"""What is declared, as plain data. load.py reads and checks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

NAMESPACE = "swarm:"


@dataclass(frozen=True)
class Ssh:
    """How a host is reached; `proxy` is jumped over on the way."""

    user: str
    port: int
    private_key_file: Path
    known_hosts_file: Path
    proxy: Proxy | None = None
    connect_timeout: int = 4  # seconds

    @property
    def look_timeout(self) -> int:
        """Seconds that a host gets to tell how it is, the connection included."""
        return 2 * self.connect_timeout


@dataclass(frozen=True)
class Proxy:
    """A jump host."""

    host: str
    ssh: Ssh


@dataclass(frozen=True)
class Node:
    """A declared node: its name is its identity, its host may change."""

    name: str
    host: str
    role: str  # leader, manager or worker
    availability: str  # active, pause or drain
    ssh: Ssh
    labels: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False
    advertise_address: str | None = None
    data_path_address: str | None = None

    @property
    def manager(self) -> bool:
        """Whether it is to be a manager; the leader is one."""
        return self.role != "worker"

    @property
    def advertised(self) -> str | None:
        """The address that it tells the other nodes; None lets its engine find it."""
        return self.advertise_address or (self.host if is_address(self.host) else None)

    @property
    def address(self) -> str:
        """Where the other nodes reach it."""
        return self.advertise_address or self.host


@dataclass(frozen=True)
class Deployment:
    """A stack of services: its name, its Compose file, the variables to fill in there, the stacks that
    are whole before it, the paths in the file whose keys aren't supported and may be left out, and when
    its images' tags are looked up in their registries."""

    name: str
    compose: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    ignore_unsupported: tuple[str, ...] = ()
    resolve_images: str = "changed"  # always, changed or never


@dataclass(frozen=True)
class Edge:
    """The load balancer in front: HAProxy's image, the names of the nodes that run it, and for each port
    that it listens on the published one that it asks the nodes on."""

    image: str
    nodes: tuple[str, ...]
    ports: Mapping[int, int]
    mode: str = "http"  # or tcp


@dataclass(frozen=True)
class Settings:
    """All that is declared; where None is allowed it means: the engine's own value stays."""

    project: str
    stack: str
    nodes: tuple[Node, ...]
    stacks: tuple[Deployment, ...] = ()
    edge: Edge | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # contents by name
    address_pool: IPv4Network | None = None
    data_path_port: int | None = None
    task_history_limit: int | None = None
    certificate_expiry: int | None = None  # seconds
    dispatcher_heartbeat: int | None = None  # seconds
    drain_timeout: int = 300  # seconds; 0 waits for no task
    settle_timeout: int = 300  # seconds
    parallel: int | None = None  # hosts that are looked at at a time; None: all
    adopt: bool = False
    allow_unreachable: bool = False
    unreachable: tuple[str, ...] = ()  # nodes that may be silent while the swarm is started
    other_nodes: tuple[str, ...] = ()  # host names or IDs of nodes that nobody declares and that may stay

    @property
    def mark(self) -> str:
        """What a swarm carries that is looked after by this stack."""
        return f"{self.project}/{self.stack}"

    @property
    def leader(self) -> Node:
        """The node that starts the swarm; any manager may lead later."""
        return next(node for node in self.nodes if node.role == "leader")

    def node(self, name: str | None) -> Node:
        """The node of that name; the leader where there is no name."""
        return next((node for node in self.nodes if node.name == name), self.leader)


def is_address(host: str) -> bool:
    """Whether it is written as an address, rather than as a name."""
    return re.fullmatch(r"[0-9.]+", host) is not None

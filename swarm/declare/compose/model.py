"""Stacks as declared: small and typed. components/ makes resources of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swarm.declare.settings import Node


@dataclass(frozen=True)
class Port:
    """A published port: on every node (ingress) or on those that run a task (host)."""

    target: int
    published: int | None = None  # None: the swarm chooses
    protocol: str = "tcp"
    mode: str = "ingress"


@dataclass(frozen=True)
class Update:
    """How a service's tasks are replaced by new ones, or by the ones before. Durations are Go's."""

    parallelism: int = 1
    delay: str = "0s"
    failure_action: str = "pause"
    monitor: str = "5s"
    max_failure_ratio: str = "0.0"
    order: str = "stop-first"


@dataclass(frozen=True)
class Restart:
    """What becomes of a task that has ended. Said even where it is the engine's default: an update that
    leaves it out would replace the tasks."""

    condition: str = "any"
    delay: str = "5s"
    max_attempts: int = 0
    window: str = "0s"


@dataclass(frozen=True)
class Resources:
    """What a task may use, or is promised: billionths of a processor, and octets. 0: not said."""

    cpus: int = 0
    memory: int = 0


@dataclass(frozen=True)
class Healthcheck:
    """How a container is found to work; 0 and 0s leave it to the image."""

    test: tuple[str, ...] = ()
    interval: str = "0s"
    timeout: str = "0s"
    start_period: str = "0s"
    retries: int = 0


@dataclass(frozen=True)
class Logging:
    """Where the output of containers goes."""

    driver: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Volume:
    """A named volume; a node makes it when a task there first mounts it."""

    name: str  # Docker's
    external: bool = False
    driver: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mount:
    """A place in a container's file tree that is kept elsewhere."""

    type: str  # volume, bind or tmpfs
    target: str
    source: str = ""  # a path on the node; a volume has its own name
    volume: Volume | None = None  # None: one without a name, new for every task
    read_only: bool = False
    propagation: str | None = None
    nocopy: bool = False
    size: int | None = None  # octets


@dataclass(frozen=True)
class Attachment:
    """A service on a network, by the network's name in the file."""

    network: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A secret or config that a service's containers have as a file."""

    source: str
    target: str
    uid: str = "0"
    gid: str = "0"
    mode: int = 0o444


@dataclass(frozen=True)
class Network:
    """An overlay network. An external one is another stack's, or made by hand."""

    name: str
    full: str  # Docker's name
    external: bool = False
    attachable: bool = False
    internal: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """A secret or a config: what tasks are given to read as a file. Never shown."""

    name: str
    content: bytes = field(default=b"", repr=False)
    external: str | None = None  # Docker's name of one that is there already
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """A service as declared. Defaults are Docker's."""

    name: str
    image: str
    replicas: int | None = 1  # None: global, a task on every node that fits
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # of the service
    container_labels: Mapping[str, str] = field(default_factory=dict)
    hostname: str | None = None
    user: str | None = None
    working_dir: str | None = None
    init: bool | None = None
    read_only: bool = False
    stop_signal: str | None = None
    stop_grace_period: str = "10s"
    healthcheck: Healthcheck | None = None
    hosts: tuple[tuple[str, str], ...] = ()  # name and address
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    networks: tuple[Attachment, ...] = ()
    ports: tuple[Port, ...] = ()
    endpoint_mode: str = "vip"
    secrets: tuple[Reference, ...] = ()
    configs: tuple[Reference, ...] = ()
    constraints: tuple[str, ...] = ()
    spread: str | None = None  # over the values of this
    max_replicas: int = 0  # per node; 0: any number
    limits: Resources | None = None
    reservations: Resources | None = None
    restart: Restart = Restart()
    update: Update | None = None
    rollback: Update | None = None
    logging: Logging | None = None


@dataclass(frozen=True)
class Stack:
    """A stack as declared; names are those in the file, Docker's carry the stack's in front."""

    name: str
    services: tuple[Service, ...] = ()
    networks: tuple[Network, ...] = ()
    secrets: tuple[File, ...] = ()
    configs: tuple[File, ...] = ()
    depends_on: tuple[str, ...] = ()  # stacks that are whole before it is touched
    resolve_images: str = "changed"  # always, changed or never

    def full(self, name: str) -> str:
        """The name that Docker knows a service by; secrets and configs have a suffix too."""
        return f"{self.name}_{name}"

    @property
    def external_configs(self) -> list[str]:
        """Docker's names of the configs that are to be there already."""
        return [one.external for one in self.configs if one.external]

    @property
    def mesh_ports(self) -> list[int]:
        """The ports that are published on every node, those aside that the swarm chooses."""
        ports = (port for service in self.services for port in service.ports)
        return [port.published for port in ports if port.mode == "ingress" and port.published]

    def endpoints(self, nodes: Sequence[Node]) -> list[dict[str, str]]:
        """Where the published ports answer. In host mode that is only where a task runs, and the
        swarm may move it: the address is left to the reader. A port that the swarm chooses is too."""
        first = nodes[0].host
        return [
            {
                "service": self.full(service.name),
                "mode": port.mode,
                "address": f"{first if port.mode == 'ingress' else 'NODE'}:{port.published or 'PORT'}",
            }
            for service in self.services
            for port in service.ports
        ]

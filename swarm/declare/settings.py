"""What is declared, as plain data: each field has its key, its rule and its default. load.py reads it.

docs/configuration.md says what the keys mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path

from swarm.declare import setting_rules as rules
from swarm.declare.keys import camel_cased, key
from swarm.declare.rules import anything, boolean, distinct, image, items, number, one_of, strings

NAMESPACE = "swarm:"
PLAIN = "on one line, without a quotation mark or ${"


@camel_cased
class Ssh:
    """How a host is reached; `proxy` is jumped over on the way."""

    user: str = key(rules.user, default="root")
    port: int = key(rules.PORT, default=22)
    private_key_file: Path = key(rules.ssh_path, f"must be the path of a private key, {PLAIN}", kw_only=True)
    known_hosts_file: Path = key(
        rules.ssh_path, f"must be the path of a known_hosts file, {PLAIN}", kw_only=True
    )
    connect_timeout: int = key(  # seconds
        rules.duration("1s to 1m, such as 20s", 1, 60), default=4
    )
    proxy: Proxy | None = key(anything, "must be a mapping with a host", default=None)

    @property
    def probe_timeout(self) -> int:
        """Seconds that a host gets to tell how it is, the connection included."""
        return 2 * self.connect_timeout


@camel_cased
class Proxy:
    """A jump host. Its mapping has the keys of Ssh, too."""

    host: str = key(rules.hostname)
    ssh: Ssh


@camel_cased
class Node:
    """A declared node: its name is its identity, its host may change."""

    name: str = key(rules.name)
    host: str = key(rules.hostname)
    role: str = key(one_of("leader", "manager", "worker"))
    labels: Mapping[str, str] = key(rules.labels, default_factory=dict)
    # Left out it is drain for managers and active for workers.
    availability: str = key(one_of("active", "pause", "drain"), default="")
    lost: bool = key(boolean, default=False)
    ssh: Ssh = key(anything, "must be a mapping", kw_only=True)
    advertise_address: str | None = key(rules.address, default=None)
    data_path_address: str | None = key(rules.address, default=None)

    def __post_init__(self) -> None:
        usual = "drain" if self.manager else "active"
        object.__setattr__(self, "availability", self.availability or usual)

    @property
    def manager(self) -> bool:
        """Whether it is to be a manager; the leader is one."""
        return self.role != "worker"

    @property
    def advertised(self) -> str | None:
        """The address that it tells the other nodes; None lets its engine find it."""
        return self.advertise_address or (self.host if rules.is_address(self.host) else None)

    @property
    def address(self) -> str:
        """Where the other nodes reach it."""
        return self.advertise_address or self.host


@camel_cased
class StackConfig:
    """A stack of services: its name, its Compose files, the variables to fill in there, the stacks that
    are whole before it, the paths in the file whose keys aren't supported and may be left out, and when
    its images' tags are looked up in their registries; and the folder on the nodes to which relative paths of
    bind mounts are."""

    name: str = key(rules.name)
    compose: tuple[Path, ...] = key(rules.paths)
    variables: Mapping[str, str] = key(
        strings, "must be a mapping of names to texts", default_factory=dict, hidden=True
    )
    env_file: Path | None = key(  # variables, under those
        rules.path, "must be the path of a file with lines NAME=VALUE", default=None
    )
    depends_on: tuple[str, ...] = key(distinct, "must be a list of names of stacks, each once", default=())
    ignore_unsupported: tuple[str, ...] = key(
        distinct, "must be a list of paths in the Compose file", default=()
    )
    resolve_images: str = key(one_of("always", "changed", "never"), default="changed")
    folder: str = key(rules.node_folder, default="")


@camel_cased
class Edge:
    """The load balancer in front: HAProxy's image, the names of the nodes that run it, and for each port
    that it listens on the published one that it asks the nodes on."""

    image: str = key(image, "must be an image of HAProxy, with its tag")
    nodes: tuple[str, ...] = key(rules.chosen)
    ports: Mapping[int, int] = key(rules.ports, hidden=True)
    mode: str = key(one_of("http", "tcp"), default="http")


@camel_cased
class Settings:
    """All that is declared; where None is allowed it means: the engine's own value stays."""

    project: str
    stack: str
    nodes: tuple[Node, ...] = key(items, "must be a list of nodes", default=())
    stacks: tuple[StackConfig, ...] = key(items, "must be a list of stacks", default=())
    edge: Edge | None = key(anything, "must be a mapping", default=None)
    secrets: Mapping[str, str] = key(  # contents by name
        rules.contents, default_factory=dict, hidden=True
    )
    address_pool: IPv4Network | None = key(rules.pool, default=None)
    data_path_port: int | None = key(number(1024, 49151, "a port"), default=None)
    task_history_limit: int | None = key(number(0, 1000), default=None)
    certificate_expiry: int | None = key(  # seconds
        rules.duration("1h or more, such as 2160h", 3600), default=None
    )
    dispatcher_heartbeat: int | None = key(  # seconds
        rules.duration("1s to 1m, such as 15s", 1, 60), default=None
    )
    drain_timeout: int = key(  # seconds
        rules.duration("24h or less, such as 5m; 0s waits for none", 0, 86400), default=300
    )
    settle_timeout: int = key(  # seconds
        rules.duration("1s to 24h, such as 5m", 1, 86400), default=300
    )
    # Hosts that are probed at a time; None: all.
    parallel: int | None = key(number(1, 1000, "a number of hosts"), default=None)
    adopt: bool = key(boolean, default=False)
    allow_unreachable: bool = key(boolean, default=False)
    # Nodes that may be silent while the swarm is started.
    unreachable: tuple[str, ...] = key(distinct, "must be a list of names of nodes, each once", default=())
    # Host names or IDs of nodes that nobody declares and that may stay.
    other_nodes: tuple[str, ...] = key(rules.other_nodes, default=())

    @property
    def owner_label(self) -> str:
        """What a swarm carries that is looked after by this stack."""
        return f"{self.project}/{self.stack}"

    @property
    def leader(self) -> Node:
        """The node that starts the swarm; any manager may lead later."""
        return next(node for node in self.nodes if node.role == "leader")

    def node(self, name: str | None) -> Node:
        """The node of that name; the leader where there is no name."""
        return next((node for node in self.nodes if node.name == name), self.leader)

"""What the fakes are about: engines, the swarms that they are in, and the words in which an engine refuses.

Plain data, so that a copy of the world is a picture of that moment. What an engine's node is to the others
(Ready, down, reachable) isn't stored: it follows from how its engine is.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
LEADERLESS = (
    "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers "
    "are online. Make sure more than half of the managers are online."
)
LOCKED = (
    "Swarm is encrypted and needs to be unlocked before it can be used. "
    'Please use "docker swarm unlock" to unlock it.'
)

NO_MEMBER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node '
    "to swarm and try again."
)
WORKER = (
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please "
    "run this command on a manager node or promote the current node to a manager."
)


def word(length: int = 25) -> str:
    """An ID, or a part of a token, as SwarmKit makes them."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def moment() -> str:
    """The time as the Engine's API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime())


class RefusedError(Exception):
    """An engine's answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


def default_spec() -> dict[str, Any]:
    """A swarm's settings as `docker swarm init` leaves them."""
    return {
        "Name": "default",
        "Labels": {},
        "Orchestration": {"TaskHistoryRetentionLimit": 5},
        "Raft": {
            "SnapshotInterval": 10000,
            "KeepOldSnapshots": 0,
            "LogEntriesForSlowFollowers": 500,
            "ElectionTick": 10,
            "HeartbeatTick": 1,
        },
        "Dispatcher": {"HeartbeatPeriod": 5 * 10**9},
        "CAConfig": {"NodeCertExpiry": 90 * 24 * 3600 * 10**9},
        "TaskDefaults": {},
        "EncryptionConfig": {"AutoLockManagers": False},
    }


def empty_spec() -> dict[str, Any]:
    """Settings that say nothing."""
    return {
        "Name": "default",
        "Labels": {},
        "Orchestration": {"TaskHistoryRetentionLimit": 0},
        "Raft": {"KeepOldSnapshots": 0, "ElectionTick": 0, "HeartbeatTick": 0},
        "Dispatcher": {},
        "CAConfig": {},
        "TaskDefaults": {},
        "EncryptionConfig": {"AutoLockManagers": False},
    }


@dataclass
class Node:
    """A node as the managers list it; `engine` is its host's name, None where nobody runs it any more."""

    id: str
    engine: str | None
    hostname: str
    address: str
    role: str  # manager or worker
    availability: str = "active"
    labels: dict[str, str] = field(default_factory=dict)
    index: int = 0
    state: str | None = None  # where it isn't what its engine makes of it


@dataclass
class Swarm:
    """A swarm: what all of its managers would tell."""

    id: str = field(default_factory=word)
    spec: dict[str, Any] = field(default_factory=default_spec)
    index: int = 10  # of its own settings
    raft: int = 10  # of the newest change of anything
    nodes: dict[str, Node] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    pool: str = "10.0.0.0/8"
    data_path_port: int = 4789
    leader: str | None = None  # node ID
    leaderless: bool = False  # because the test wants it so
    objects: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in ("services", "configs", "secrets", "networks")}
    )

    def __post_init__(self) -> None:
        root = word(50)
        self.tokens = {role: f"SWMTKN-1-{root}-{word()}" for role in ("Worker", "Manager")}

    def change(self) -> int:
        """The index of one more change."""
        self.raft += 1
        return self.raft

    def node(self, reference: str) -> Node:
        """The node of an ID or hostname."""
        for one in self.nodes.values():
            if reference in (one.id, one.hostname):
                return one
        raise RefusedError(404, f"node {reference} not found")

    @property
    def managers(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.role == "manager"]


@dataclass
class Engine:
    """One host's Docker Engine. `state` is what it says of its membership, which `swarm_id` and `node_id`
    are, known to it or not."""

    name: str
    address: str
    id: str = field(default_factory=lambda: "-".join(secrets.token_hex(4) for _ in range(4)))
    state: str = "inactive"  # pending, active, error, locked
    error: str = ""
    swarm_id: str | None = None
    node_id: str = ""
    knows_itself: bool = True  # while it is pending: its node ID
    knows_managers: bool = True
    certified: bool = True  # by a certificate that can be read on its disk
    # Managers, of a swarm that is gone or was never found: node ID and address.
    remembered: list[tuple[str, str]] = field(default_factory=list)
    up: bool = True
    cut_off: bool = False  # from the other nodes; SSH gets through
    live_restore: bool = False
    view: World | None = None  # what it tells as a manager, where that is a stale one


@dataclass
class World:
    """All engines by name, and all swarms by ID."""

    engines: dict[str, Engine] = field(default_factory=dict)
    swarms: dict[str, Swarm] = field(default_factory=dict)

    def swarm_of(self, engine: Engine) -> Swarm | None:
        """The swarm that an engine is in, whatever it says of it."""
        return self.swarms.get(engine.swarm_id or "")

    def alive(self, node: Node) -> bool:
        """Whether the node's engine takes part, by that very membership."""
        engine = self.engines.get(node.engine or "")
        mine = engine is not None and engine.node_id == node.id
        return bool(mine and engine and engine.up and engine.state == "active" and not engine.cut_off)

    def state_of(self, node: Node) -> str:
        """What the managers list: ready, down, unknown."""
        return node.state or ("ready" if self.alive(node) else "down")

    def has_leader(self, swarm: Swarm) -> bool:
        """Whether more than half of the managers take part."""
        alive = sum(map(self.alive, swarm.managers))
        return not swarm.leaderless and 2 * alive > len(swarm.managers)

    def leader(self, swarm: Swarm) -> Node | None:
        """The manager that leads: the one that did, while it takes part."""
        alive = [node for node in swarm.managers if self.alive(node)]
        if not self.has_leader(swarm):
            return None
        leader = next((node for node in alive if node.id == swarm.leader), alive[0])
        swarm.leader = leader.id
        return leader

    def manages(self, engine: Engine) -> bool:
        """Whether an engine is an active manager."""
        swarm = self.swarm_of(engine)
        node = swarm.nodes.get(engine.node_id) if swarm else None
        return bool(engine.state == "active" and node and node.role == "manager")

    def led(self, engine: Engine) -> Swarm:
        """The swarm that an engine manages, with a leader that it reaches; refuses as the engine does."""
        swarm = self.swarm_of(engine)
        if engine.state == "locked":
            raise RefusedError(503, LOCKED)
        if engine.state in ("inactive", "error"):
            raise RefusedError(503, NO_MEMBER)
        if swarm is None or not self.manages(engine):
            raise RefusedError(503, WORKER)
        if engine.cut_off or not self.has_leader(swarm):
            raise RefusedError(500, LEADERLESS)
        return swarm

    def at(self, address: str) -> Engine | None:
        """The engine at an address, with or without a port."""
        host = address.partition(":")[0]
        return next((one for one in self.engines.values() if one.address == host), None)

    def managers_known_to(self, engine: Engine) -> list[tuple[str, str]]:
        """The managers that an engine knows of, those that are down too: node ID and address."""
        swarm = self.swarm_of(engine)
        if engine.state not in ("active", "pending") or not engine.knows_managers:
            return []
        if swarm is None:
            return engine.remembered
        return [(node.id, f"{node.address}:2377") for node in swarm.managers]

"""What changes an engine's membership: init, join, leave; and what a manager changes in its swarm."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tests.fakes.model import Engine, Node, RefusedError, Swarm, World, default_spec, empty_spec, word

EXISTS = (
    'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.'
)
NOT_PART = "This node is not part of a swarm"
JOIN_TIMEOUT = (
    "Timeout was reached before node joined. The attempt to join the swarm will continue in the background. "
    'Use the "docker info" command to see the current swarm status of your node.'
)
NOBODY_LISTENS = (
    "rpc error: code = Unavailable desc = connection error: "
    'desc = "transport: Error while dialing: dial tcp {}: connect: connection refused"'
)
LOCKED_LEAVE = (
    "Swarm is encrypted and locked. Please unlock it first or use `--force` to ignore this message."
)
NOBODYS = "nobody's"  # the swarm of an engine that goes on dialling
SEQUENCE = "rpc error: code = Unknown desc = update out of sequence"
WRONG_TOKEN = "rpc error: code = InvalidArgument desc = A valid join token is necessary to join this cluster"
LAST_MANAGER = (
    "You are attempting to leave the swarm on a node that is participating as a manager. Removing the last "
    "manager erases all current state of the swarm. Use `--force` to ignore this message. "
)
MANAGER_LEAVES = (
    "You are attempting to leave the swarm on a node that is participating as a manager. The only way to "
    "restore a swarm that has lost consensus is to reinitialize it with `--force-new-cluster`. Use `--force` "
    "to suppress this message."
)


def init(world: World, engine: Engine, body: Mapping[str, Any]) -> str:
    """Starts a swarm; the new node's ID."""
    if engine.swarm_id:
        raise RefusedError(503, EXISTS)
    spec = merged(default_spec(), body.get("Spec") or {})
    swarm = Swarm(spec=spec, data_path_port=body.get("DataPathPort") or 4789)
    swarm.pool = (body.get("DefaultAddrPool") or [swarm.pool])[0]
    world.swarms[swarm.id] = swarm
    key = word()
    ingress = {"Name": "ingress", "Driver": "overlay", "Scope": "swarm", "Ingress": True}
    swarm.objects["networks"][key] = {"Id": key, **ingress}
    swarm.leader = admit(swarm, engine, "manager", body)
    return engine.node_id


def join(world: World, engine: Engine, body: Mapping[str, Any]) -> None:
    """Joins the swarm of the managers at RemoteAddrs; pending where none of them answers."""
    if engine.swarm_id:
        raise RefusedError(503, EXISTS)
    token, addresses = body["JoinToken"], body["RemoteAddrs"]
    swarm = _swarm_at(world, addresses)
    if swarm is None and any(world.at(address) for address in addresses):
        raise RefusedError(503, NOBODY_LISTENS.format(addresses[-1]))
    if swarm is None:
        engine.swarm_id, engine.state, engine.knows_itself = NOBODYS, "pending", False
        engine.remembered = [("", address) for address in addresses]
        raise RefusedError(503, JOIN_TIMEOUT)
    admit(swarm, engine, _role_by(token, swarm), body)


def _swarm_at(world: World, addresses: list[str]) -> Swarm | None:
    for address in addresses:
        manager = world.at(address)
        if manager and manager.up and not manager.cut_off and world.manages(manager):
            swarm = world.swarm_of(manager)
            if swarm and world.has_leader(swarm):
                return swarm
    return None


def _role_by(token: str, swarm: Swarm) -> str:
    """The role that a token gives; a swarm's tokens begin with its certificates' fingerprint."""
    for role, right in swarm.tokens.items():
        if token == right:
            return role.lower()
        if token.rpartition("-")[0] == right.rpartition("-")[0]:
            continue
        if token.count("-") != 3:
            raise RefusedError(500, "invalid join token")
        expected = hashlib.sha256(token.encode()).hexdigest()
        raise RefusedError(500, f"remote CA does not match fingerprint. Expected: {expected}")
    raise RefusedError(400, WRONG_TOKEN)


def admit(swarm: Swarm, engine: Engine, role: str, body: Mapping[str, Any]) -> str:
    """Makes the engine a node of the swarm; its ID."""
    node = Node(word(), engine.name, engine.name, body.get("AdvertiseAddr") or engine.address, role)
    node.address = node.address.partition(":")[0]
    node.availability = body.get("Availability") or "active"
    node.index = swarm.change()
    swarm.nodes[node.id] = node
    engine.swarm_id, engine.node_id, engine.state, engine.error = swarm.id, node.id, "active", ""
    engine.knows_itself = engine.knows_managers = engine.certified = True
    return node.id


def leave(world: World, engine: Engine, *, force: bool) -> None:
    """Ends a membership; with its last manager a swarm is gone, and all that is in it."""
    swarm = world.swarm_of(engine)
    if not engine.swarm_id:
        raise RefusedError(503, NOT_PART)
    if engine.state == "locked" and not force:
        raise RefusedError(503, LOCKED_LEAVE)
    if swarm and world.manages(engine) and not force:
        raise RefusedError(503, LAST_MANAGER if len(swarm.managers) == 1 else MANAGER_LEAVES)
    engine.swarm_id, engine.node_id, engine.state, engine.error, engine.view = None, "", "inactive", "", None
    if swarm and not any(_is_member(world, node) for node in swarm.managers):
        for one in world.engines.values():
            if one.swarm_id == swarm.id:
                one.remembered = world.managers_known_to(one)
        del world.swarms[swarm.id]


def _is_member(world: World, node: Node) -> bool:
    """Whether its host has that membership still, in whatever state."""
    engine = world.engines.get(node.engine or "")
    return engine is not None and engine.node_id == node.id


def update(swarm: Swarm, query: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """The swarm's own settings and tokens. What the settings don't say is empty then, not as before."""
    if query.get("version") != str(swarm.index):
        raise RefusedError(500, SEQUENCE)
    swarm.spec = {**empty_spec(), **body, "Name": "default", "Labels": body.get("Labels") or {}}
    for role in swarm.tokens:
        if query.get(f"rotate{role}Token") in ("1", "true"):
            swarm.tokens[role] = f"{swarm.tokens[role].rpartition('-')[0]}-{word()}"
    swarm.index = swarm.change()


def merged(spec: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """As an init merges settings into the defaults: what is empty or absent stays."""
    values = {key: value for key, value in changes.items() if value not in (None, 0, "", {})}
    sections = {
        key: merged(spec.get(key) or {}, value)
        for key, value in values.items()
        if isinstance(value, dict) and key != "Labels"
    }
    return {**spec, **values, **sections}


def update_node(world: World, swarm: Swarm, reference: str, version: str, body: Mapping[str, Any]) -> None:
    """A node's role, availability and labels."""
    node = swarm.node(reference)
    if version != str(node.index):
        raise RefusedError(500, SEQUENCE)
    role = body.get("Role") or node.role
    if role == "worker" and [one.id for one in swarm.managers] == [node.id]:
        last = "attempting to demote the last manager of the swarm"
        raise RefusedError(400, f"rpc error: code = FailedPrecondition desc = {last}")
    node.role, node.availability = role, body.get("Availability") or node.availability
    node.labels = dict(body.get("Labels") or {})
    node.index = swarm.change()
    world.leader(swarm)


def remove_node(world: World, swarm: Swarm, reference: str, *, force: bool) -> None:
    """Takes a node out of the list. Its engine isn't told: it stays a member for itself."""
    node = swarm.node(reference)
    if node.role == "manager":
        why = (
            f"node {node.id} is a cluster manager and is a member of the raft cluster. "
            "It must be demoted to worker before removal"
        )
    elif world.state_of(node) == "ready" and not force:
        why = f"node {node.id} is not down and can't be removed"
    else:
        del swarm.nodes[node.id]
        return
    raise RefusedError(400, f"rpc error: code = FailedPrecondition desc = {why}")

"""The JSON in which the Engine's API tells of engines, nodes, swarms and tasks
(https://docs.docker.com/reference/api/engine/)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from tests.fakes.model import LOCKED, Engine, Node, RefusedError, Swarm, World

VERSION, API_VERSION = "26.1.5+dfsg1", "1.45"
MADE = "2026-11-01T10:00:00.000000000Z"


def info(world: World, engine: Engine) -> dict[str, Any]:
    """What `docker info` shows."""
    return {
        "ID": engine.id,
        "Name": engine.name,
        "ServerVersion": VERSION,
        "LiveRestoreEnabled": engine.live_restore,
        "DockerRootDir": "/var/lib/fake",
        "Swarm": membership(world, engine),
    }


def membership(world: World, engine: Engine) -> dict[str, Any]:
    """An engine's own word on its membership: of an error it knows no more than the error."""
    swarm, manages = world.swarm_of(engine), world.manages(engine)
    known = engine.state == "active" or (engine.state == "pending" and engine.knows_itself)
    managers = [{"NodeID": key, "Addr": at} for key, at in world.managers_known_to(engine)]
    told = {
        "NodeID": engine.node_id if known else "",
        "NodeAddr": engine.address if engine.state != "inactive" else "",
        "LocalNodeState": engine.state,
        "ControlAvailable": manages,
        "Error": LOCKED if engine.state == "locked" else engine.error,
        "RemoteManagers": managers or None,
    }
    if swarm and manages:
        told |= {"Nodes": len(swarm.nodes), "Managers": len(swarm.managers), "Cluster": cluster(swarm)}
    return told


def certificate(engine: Engine) -> str:
    """As much of a node's certificate as its subject is: the swarm, the role, the node."""
    names = {0x0A: engine.swarm_id or "", 0x0B: "swarm-worker", 0x03: engine.node_id}
    attributes = [
        bytes((0x06, 3, 0x55, 4, kind, 0x13, len(name))) + name.encode() for kind, name in names.items()
    ]
    text = base64.encodebytes(b"".join(attributes)).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


def cluster(swarm: Swarm) -> dict[str, Any]:
    """A swarm's own object."""
    return {
        "ID": swarm.id,
        "Version": {"Index": swarm.index},
        "CreatedAt": MADE,
        "UpdatedAt": MADE,
        "Spec": swarm.spec,
        "TLSInfo": {},
        "RootRotationInProgress": False,
        "DefaultAddrPool": [swarm.pool],
        "SubnetSize": 24,
        "DataPathPort": swarm.data_path_port,
    }


def node(world: World, swarm: Swarm, one: Node) -> dict[str, Any]:
    """A node as the managers list it."""
    told = {
        "ID": one.id,
        "Version": {"Index": one.index},
        "CreatedAt": MADE,
        "UpdatedAt": MADE,
        "Spec": {"Labels": one.labels, "Role": one.role, "Availability": one.availability},
        "Description": {
            "Hostname": one.hostname,
            "Platform": {"Architecture": "x86_64", "OS": "linux"},
            "Resources": {"NanoCPUs": 2 * 10**9, "MemoryBytes": 4 * 10**9},
            "Engine": {"EngineVersion": VERSION},
            "TLSInfo": {},
        },
        "Status": {"State": world.state_of(one), "Addr": one.address},
    }
    if one.role == "manager":
        reachable = "reachable" if world.alive(one) else "unreachable"
        leads = {"Leader": True} if world.leader(swarm) is one else {}
        told["ManagerStatus"] = {**leads, "Reachability": reachable, "Addr": f"{one.address}:2377"}
    return told


def tasks(world: World, swarm: Swarm) -> Iterator[dict[str, Any]]:
    """The tasks that services have as things are: one a slot, at once on a node that takes it, never moved
    where it needn't be. Those of before are forgotten."""
    able = [
        one for one in swarm.nodes.values() if one.availability == "active" and world.state_of(one) == "ready"
    ]
    for service in swarm.objects["services"].values():
        mode = service["Spec"].get("Mode") or {}
        if "Global" in mode:
            yield from (_task(service, None, one) for one in able)
            continue
        for slot in range(1, mode.get("Replicated", {}).get("Replicas", 1) + 1):
            ranked = sorted(able, key=lambda one: _id(service["ID"], slot, one.id))
            yield _task(service, slot, ranked[0] if ranked else None)


def _id(*parts: object) -> str:
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:25]


def _task(service: dict[str, Any], slot: int | None, on: Node | None) -> dict[str, Any]:
    where = {"NodeID": on.id} if on else {}
    status: dict[str, Any] = {"Timestamp": MADE, "State": "running", "ContainerStatus": {}}
    if not on:
        status |= {"State": "pending", "Err": "no suitable node"}
    return {
        "ID": _id(service["ID"], slot, on and on.id),
        "Version": {"Index": 1},
        "CreatedAt": MADE,
        "UpdatedAt": MADE,
        "Spec": service["Spec"]["TaskTemplate"],
        "ServiceID": service["ID"],
        **({"Slot": slot} if slot else {}),
        **where,
        "Status": status,
        "DesiredState": "running",
    }


def service(world: World, swarm: Swarm, one: dict[str, Any]) -> dict[str, Any]:
    """A service, with its tasks counted."""
    own = [task for task in tasks(world, swarm) if task["ServiceID"] == one["ID"]]
    running = sum(task["Status"]["State"] == "running" for task in own)
    return {**one, "ServiceStatus": {"RunningTasks": running, "DesiredTasks": len(own), "CompletedTasks": 0}}


def found(kind: str, objects: dict[str, dict[str, Any]], reference: str) -> dict[str, Any]:
    """The object of an ID or name."""
    for key, one in objects.items():
        if reference in (key, name_of(one)):
            return one
    raise RefusedError(404, f"{kind.removesuffix('s')} {reference} not found")


def name_of(one: dict[str, Any]) -> str:
    """A network's name stands at its top, that of all else in its specification."""
    return str(one["Name"] if "Name" in one else one["Spec"]["Name"])


def id_of(one: dict[str, Any]) -> str:
    """Of all objects only networks write it otherwise."""
    return str(one["Id"] if "Id" in one else one["ID"])

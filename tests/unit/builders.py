"""Short ways to say what is declared and what is observed.

A node's name tells its part: m1 is the leader, m2, m3 are managers, w1, w2 workers. Its address, the
ID of its entry and the rest follow from the name, so that a test says only what is unusual.
"""

import base64
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from swarm.decide.ownership import Known
from swarm.decide.plan import Action, Plan
from swarm.declare.labels import NAME_LABEL, OWNER_LABEL, STACK_LABEL
from swarm.declare.settings import Node, Settings, Ssh
from swarm.finding import Finding
from swarm.observe.model import Cluster, Host, Observation, SwarmNode

MARK, OWNER = "swarm/lab", "0123456789abcdef"
KNOWN = Known(OWNER)  # by a state that has nothing but the owner's ID
SSH = Ssh(private_key_file=Path("/keys/id"), known_hosts_file=Path("/keys/known_hosts"))


def address(name: str) -> str:
    return f"10.0.0.{ {'m': 10, 'w': 20}[name[0]] + int(name[1:]) }"


def node(name: str, role: str = "", **changes: Any) -> Node:
    role = role or ("leader" if name == "m1" else {"m": "manager", "w": "worker"}[name[0]])
    availability = "active" if role == "worker" else "drain"
    return replace(Node(name, address(name), role, availability=availability, ssh=SSH), **changes)


def declared(names: str, *changed: Node, pool: str | None = None, **more: Any) -> Settings:
    """Settings of these nodes, those given in full taking the places of their names."""
    full: dict[str, Node] = {one.name: one for one in changed}
    return Settings(
        "swarm",
        "lab",
        tuple(full.pop(name) if name in full else node(name) for name in names.split())
        + tuple(full.values()),
        address_pool=IPv4Network(pool) if pool else None,
        **more,
    )


def entry(name: str, **changes: Any) -> SwarmNode:
    """A node as our own earlier run left it in the swarm."""
    manager = name[0] == "m"
    return replace(
        SwarmNode(
            id=f"id-{name}",
            hostname=name,
            role="manager" if manager else "worker",
            state="ready",
            availability="drain" if manager else "active",
            address=address(name),
            labels={NAME_LABEL: name, OWNER_LABEL: OWNER},
            leader=name == "m1",
        ),
        **changes,
    )


def down(name: str, **changes: Any) -> SwarmNode:
    return entry(name, **{"state": "down", "reachable": False, **changes})


def cluster(names: str, *changed: SwarmNode, **more: Any) -> Cluster:
    """Our swarm with these nodes, the entries given in full taking the places of theirs."""
    entries = {f"id-{name}": entry(name) for name in names.split()}
    entries |= {one.id: one for one in changed}
    usual = {
        "labels": {STACK_LABEL: MARK, OWNER_LABEL: OWNER},
        "spec": {"Name": "default", "Labels": {}},
        "version": 10,
        "label_configs": {},
        "address_pool": "10.20.0.0/16",
        "data_path_port": 4789,
        "task_history_limit": 5,
        "certificate_expiry": 7_776_000,
        "dispatcher_heartbeat": 5,
    }
    return Cluster(**{"id": "ours", "entries": entries, **usual, **more})


def idle(name: str, **changes: Any) -> Host:
    """A host that answers and is in no swarm."""
    return replace(Host(name, engine="26.1.5+dfsg1", ip_vs=True, routes=("10.0.0.0/24 dev eth0",)), **changes)


def silent(name: str) -> Host:
    return Host(name, problem="it gave no answer within 8 s")


def stuck(name: str, **changes: Any) -> Host:
    """A host whose SSH answers and whose engine doesn't."""
    return replace(Host(name, problem="its Docker Engine gave no answer within 8 s", answers=True), **changes)


def leaderless(name: str, **changes: Any) -> Host:
    """A manager whose swarm has no leader; who it is only its certificate tells."""
    return replace(Host(name, state="active", manager=True, leaderless=True), **changes)


def member(name: str, swarm: Cluster, node_id: str = "", **changes: Any) -> Host:
    """A host that is a node of the swarm, and shows the swarm where it is a manager."""
    node_id = node_id or f"id-{name}"
    known = swarm.entries.get(node_id)
    manager = bool(known and known.role == "manager")
    return idle(
        name,
        **{
            "state": "active",
            "node_id": node_id,
            "manager": manager,
            "address": known.address if known else "",
            "managers": tuple(one.address for one in swarm.entries.values() if one.role == "manager"),
            "manager_ids": tuple(one.id for one in swarm.entries.values() if one.role == "manager"),
            "cluster": swarm if manager else None,
            **changes,
        },
    )


def observed(settings: Settings, swarm: Cluster | None, *special: Host) -> Observation:
    """All hosts as the swarm's list has them (silent where it has them down), but for special ones."""
    hosts = {}
    for one in settings.nodes:
        if not one.lost:
            known = swarm.entries.get(f"id-{one.name}") if swarm else None
            if swarm and known:
                hosts[one.name] = member(one.name, swarm) if known.ready else silent(one.name)
            else:
                hosts[one.name] = idle(one.name)
    return hosts | {host.name: host for host in special}


def texts(findings: Iterable[Finding]) -> list[str]:
    """What is shown of findings."""
    return [str(one) for one in findings]


def told(plan: Plan) -> list[str]:
    """A plan's warnings, but for the one of every swarm whose only manager is m1."""
    return [one for one in texts(plan.warnings) if not one.startswith("one manager ")]


def lines(actions: tuple[Action, ...]) -> list[str]:
    """Actions as lines: verb, node, ID of its entry (- where it joins in this run), arguments; in words where
    the arguments are no words."""
    return [
        one.words or " ".join((one.verb, one.name, one.node_id or "-", *one.arguments)) for one in actions
    ]


def labelled(name: str) -> str:
    """The arguments by which a node gets our labels."""
    return f"--label-add={NAME_LABEL}={name} --label-add={OWNER_LABEL}={OWNER}"


def arrival(name: str, node_id: str = "-") -> list[str]:
    """The tasks for a node that joins: waited for, then labelled and given its availability."""
    availability = "drain" if name[0] == "m" else "active"
    return [
        f"await {name} {node_id}",
        f"update {name} {node_id} {labelled(name)} --availability={availability}",
    ]


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    return bytes((tag, size) if size < 128 else (tag, 0x82, size >> 8, size & 255)) + body


def _name(text_tag: int, **attributes: str) -> bytes:
    kinds = {"common": 3, "organization": 10, "unit": 11}
    return _der(
        0x30,
        *(
            _der(0x31, _der(0x30, _der(6, b"\x55\x04", bytes([kinds[kind]])), _der(text_tag, text.encode())))
            for kind, text in attributes.items()
        ),
    )


def certificate(
    cluster_id: str, node_id: str, role: str = "worker", text_tag: int = 0x13, issuer: str = "swarm-ca"
) -> str:
    """A node's certificate as swarmkit has it, but for a key and a signature that are worth something: the
    organization of its subject is the swarm, the common name the node."""
    algorithm = _der(0x30, _der(6, b"\x2a\x86\x48\xce\x3d\x04\x03\x02"))
    curve = _der(0x30, _der(6, b"\x2a\x86\x48\xce\x3d\x02\x01"), _der(6, b"\x2a\x86\x48\xce\x3d\x03\x01\x07"))
    subject = _name(text_tag, organization=cluster_id, unit=f"swarm-{role}", common=node_id)
    valid = _der(0x30, _der(0x17, b"260101000000Z"), _der(0x17, b"260401000000Z"))
    key = _der(0x30, curve, _der(3, b"\x00\x04", bytes(range(64))))
    serial = _der(2, b"\x01\x00\x0a\x0d")  # ends of lines and of texts, for whoever reads it as text
    by = _name(text_tag, common=issuer)
    told = _der(0x30, _der(0xA0, _der(2, b"\x02")), serial, algorithm, by, valid, subject, key)
    text = base64.encodebytes(_der(0x30, told, algorithm, _der(3, bytes(64)))).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----"

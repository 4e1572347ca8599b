"""What a lab looks like: its names, addresses, labels and who owns it. No I/O."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

# The lab `lab` is the one that the committed Pulumi.lab.yaml speaks of: its addresses are fixed.
DEFAULT_NAME = "lab"
DEFAULT_SUBNET = IPv4Network("10.111.0.0/24")
OTHER_SUBNETS = tuple(IPv4Network(f"10.111.{n}.0/24") for n in range(1, 256))

GATEWAY, REGISTRY = 1, 2
FIRST_MANAGER, MAX_MANAGERS = 111, 9
FIRST_WORKER, MAX_WORKERS = 121, 100

# On every container, volume and network of a lab.
LABEL_LAB = "pulumi-swarm.lab"
LABEL_CHECKOUT = "pulumi-swarm.checkout"
LABEL_OWNER = "pulumi-swarm.owner"


@dataclass(frozen=True)
class Node:
    """One host of a lab; `role` is manager or worker."""

    name: str
    role: str
    address: str


def nodes(subnet: IPv4Network, managers: int, workers: int) -> list[Node]:
    """The nodes of a lab of this size, managers first. ValueError: a size that has no addresses."""
    if not (1 <= managers <= MAX_MANAGERS and 0 <= workers <= MAX_WORKERS):
        raise ValueError(
            f"{managers},{workers} nodes: 1 to {MAX_MANAGERS} managers "
            f"and 0 to {MAX_WORKERS} workers have addresses"
        )
    return [
        Node(f"swarm-{role}-{n + 1:02}", role, str(subnet[first + n]))
        for role, first, count in (
            ("manager", FIRST_MANAGER, managers),
            ("worker", FIRST_WORKER, workers),
        )
        for n in range(count)
    ]


def mac_address(address: str) -> str:
    """The hardware address that goes with an address: locally administered, the same for ever.

    A host that came back with another one would be unreachable until its neighbours forget.
    """
    return "02:42:" + IPv4Address(address).packed.hex(":")


def parse_size(text: str) -> tuple[int, int]:
    """`M,W` as two numbers. ValueError: anything else, or a size that has no addresses."""
    match = re.fullmatch(r"(\d+),(\d+)", text)
    if not match:
        raise ValueError(f"{text!r} is not MANAGERS,WORKERS, such as 3,3")
    managers, workers = int(match[1]), int(match[2])
    nodes(DEFAULT_SUBNET, managers, workers)
    return managers, workers


def parse_name(text: str) -> str:
    """A lab's name. ValueError: one that containers, networks or folders could not carry."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", text):
        raise ValueError(
            f"{text!r} is not a lab's name: lower case letters, digits and inner dashes, 32 at most"
        )
    return text


def choose_subnet(name: str, taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """The subnet for a new lab, given those in use; None: none is free."""
    in_use = list(taken)
    candidates: Sequence[IPv4Network] = [DEFAULT_SUBNET] if name == DEFAULT_NAME else OTHER_SUBNETS
    return next((c for c in candidates if not any(c.overlaps(t) for t in in_use)), None)


def labels(name: str, checkout: Path, owner: str | None) -> dict[str, str]:
    """The labels of everything that belongs to a lab."""
    found = {LABEL_LAB: name, LABEL_CHECKOUT: str(checkout)}
    return found | ({LABEL_OWNER: owner} if owner else {})


def claim(owner: str, here: str, owner_keeps_state: bool) -> str:
    """What something labelled with the checkout `owner` is to the checkout `here`.

    `remains`: nobody's, its checkout or the lab's state in it is gone; else `ours` or `foreign`.
    """
    if not owner_keeps_state:
        return "remains"
    return "ours" if owner == here else "foreign"

"""What goes between hosts in one piece, against what overlay networks send. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from operations.doctor.exchange import SMALL, Message, Outcome
from operations.doctor.ports import DATAGRAM_BYTES, USUAL_MTU, Hosts, data_address
from swarm.declare.settings import Node
from swarm.finding import Finding, failed, unknown, warning

VXLAN_BYTES = 50  # that an overlay network adds to each packet
INTERFACE, PATH = "MTU of the interface", "MTU of the path"


def findings(hosts: Hosts, sent: Collection[Message], outcome: Outcome) -> Iterator[Finding]:
    """The interface of each host towards each other, and the path between them."""
    wholes = {(one.sender, one.target): one for one in sent if one.way == "whole"}
    for sender in hosts.nodes:
        if hosts.facts[sender.name].problem:
            yield unknown(INTERFACE, sender.name, "it gives no answer over SSH")
            continue
        for target in (node for node in hosts.nodes if node != sender):
            yield interface(hosts, sender.name, target)
            yield path(sender.name, target.name, wholes.get((sender.name, target.name)), outcome)


def interface(hosts: Hosts, sender: str, target: Node) -> Finding:
    """The MTU of a host's interface towards a node."""
    link = hosts.facts[sender].links.get(data_address(target))
    if link is None:
        return failed(
            INTERFACE,
            sender,
            f"it knows no way to {target.name} ({data_address(target)})",
            "Give it a route, or correct the address in the configuration",
        )
    found = f"{link.device} carries {link.mtu} bytes"
    if link.mtu >= USUAL_MTU:
        return Finding(INTERFACE, (sender,), found)
    return warning(
        INTERFACE,
        sender,
        f"{found}, and overlay networks send {USUAL_MTU}",
        f"Give networks the driver option com.docker.network.driver.mtu: {link.mtu - VXLAN_BYTES}, "
        "the ingress network too",
    )


def path(sender: str, target: str, whole: Message | None, outcome: Outcome) -> Finding:
    """Whether the largest datagram arrives; where not even a small one does, that isn't its size's doing."""
    small = whole and replace(whole, way="udp", size=SMALL)
    if not (whole and small and small.arrival in outcome.arrived):
        return unknown(PATH, sender, "no datagram is received that would try it; --deep tries it in a swarm")
    size = whole.size + DATAGRAM_BYTES
    if whole.arrival in outcome.arrived:
        return Finding(PATH, (sender,), f"{size} bytes arrive in one piece")
    return failed(
        PATH,
        sender,
        f"{size} bytes in one piece don't arrive at {target}, though its interface carries them",
        "Give the interface the MTU that the path carries; or networks the driver option "
        f"com.docker.network.driver.mtu, {VXLAN_BYTES} bytes below that",
    )

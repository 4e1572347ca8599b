"""The ports between hosts: what is to be sent, and what it means that it arrived or didn't. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from operations.doctor.exchange import Message, Outcome
from operations.doctor.facts import Facts
from swarm.declare.settings import Node, Settings
from swarm.finding import Finding, Verdict, failed, unknown
from swarm.observe.model import Observation

MANAGERS, GOSSIP, DATA_PATH = 2377, 7946, 4789
USUAL_MTU = 1500  # bytes, of which overlay networks make use, whatever the interface has
DATAGRAM_BYTES = 28  # of the headers of IPv4 and UDP


@dataclass(frozen=True)
class Hosts:
    """What is known of all hosts of a stack: declared, observed, told to the doctor."""

    settings: Settings
    observation: Observation
    facts: Mapping[str, Facts]

    @property
    def nodes(self) -> list[Node]:
        """The nodes that aren't lost."""
        return [node for node in self.settings.nodes if not node.lost]

    @property
    def data_path(self) -> int:
        """The port of the overlay networks' traffic: the swarm's, else as declared, else Docker's own."""
        found = [host.cluster.data_path_port for host in self.observation.values() if host.cluster]
        return next(filter(None, (*found, self.settings.data_path_port)), DATA_PATH)

    def hindrance(self, name: str) -> str | None:
        """Why a host can neither send nor receive for the doctor."""
        facts, host = self.facts[name], self.observation[name]
        if facts.problem:
            dead = host.problem and not host.answers
            return "it gives no answer over SSH" if dead else facts.problem
        return None if facts.tool else "neither perl nor python3 is there"

    def listens(self, name: str) -> bool:
        """Whether a host can receive: in a swarm its engine has the ports."""
        return not self.hindrance(name) and not self.observation[name].member


def data_address(node: Node) -> str:
    """Where the traffic between tasks reaches a node."""
    return node.data_path_address or node.address


def wanted(hosts: Hosts, node: Node) -> list[str]:
    """What has to get through to a node, as protocol/port."""
    host = hosts.observation[node.name]
    manages = host.manager if host.member else node.manager
    everywhere = [f"tcp/{GOSSIP}", f"udp/{GOSSIP}", f"udp/{hosts.data_path}"]
    return [f"tcp/{MANAGERS}", *everywhere] if manages else everywhere


def messages(hosts: Hosts) -> list[Message]:
    """All that can be sent: to hosts that listen for it; to members no more than connections."""
    return [
        message
        for sender in hosts.nodes
        for target in hosts.nodes
        if sender != target and not hosts.hindrance(sender.name)
        for message in _messages(hosts, sender, target)
    ]


def _messages(hosts: Hosts, sender: Node, target: Node) -> Iterator[Message]:
    listens = hosts.listens(target.name)
    member = hosts.observation[target.name].member
    for where in wanted(hosts, target):
        protocol, port = where.split("/")
        address = data_address(target) if where == f"udp/{hosts.data_path}" else target.address
        if listens:
            yield Message(protocol, sender.name, target.name, address, int(port))
        elif member and protocol == "tcp":
            yield Message("connect", sender.name, target.name, address, int(port))
    link = hosts.facts[sender.name].links.get(data_address(target))
    if listens and link:
        size = min(link.mtu, USUAL_MTU) - DATAGRAM_BYTES
        yield Message("whole", sender.name, target.name, data_address(target), hosts.data_path, size)


def label(where: str) -> str:
    """The name of a port's check: `port 7946/udp`."""
    protocol, port = where.split("/")
    return f"port {port}/{protocol}"


def findings(hosts: Hosts, sent: Collection[Message], outcome: Outcome) -> Iterator[Finding]:
    """Ports that are taken, then each port from each to each."""
    for node in hosts.nodes:
        for where in wanted(hosts, node):
            if reason := outcome.taken.get((node.name, where)):
                yield taken(hosts, node.name, where, reason)
    for where in dict.fromkeys(one for node in hosts.nodes for one in wanted(hosts, node)):
        here = [one for one in sent if one.where == where and one.way != "whole"]
        yield from port(hosts, where, here, outcome)


def port(hosts: Hosts, where: str, sent: Collection[Message], outcome: Outcome) -> Iterator[Finding]:
    """One port, from each to each that needs it open: the pairs that are well are counted."""
    targets = [node.name for node in hosts.nodes if where in wanted(hosts, node)]
    pairs = len(targets) * (len(hosts.nodes) - 1)
    yield from counted((arrival(one, outcome) for one in sent), pairs)
    tried = {(one.sender, one.target) for one in sent}
    yield from (
        unsent(hosts, node.name, target, where)
        for target in targets
        for node in hosts.nodes
        if node.name != target and (node.name, target) not in tried
    )


def counted(became: Iterable[Finding], pairs: int) -> Iterator[Finding]:
    """What is well in one finding for each text, with the number of pairs; all else as it is."""
    well: dict[tuple[str, str], list[str]] = {}
    for one in became:
        if one.verdict is Verdict.OK:
            well.setdefault((one.check, one.what), []).extend(one.where)
        else:
            yield one
    for (check, text), hosts in well.items():
        yield Finding(check, tuple(hosts), f"{text}: {len(hosts)} of {pairs} pairs")


def taken(hosts: Hosts, name: str, where: str, reason: str) -> Finding:
    """A port that something else has, on a host that is in no swarm."""
    check, what = label(where), f"it can't be opened there, though the host is in no swarm: {reason}"
    if hosts.observation[name].problem:
        return unknown(check, name, f"it can't be opened there, and the engine doesn't answer: {reason}")
    if where.endswith(f"/{hosts.data_path}"):
        remedy = (
            "Restart its Docker Engine, which may have kept it; or end what has it, or choose another: "
            "pulumi config set swarm:dataPathPort"
        )
    else:
        remedy = "Restart its Docker Engine, which may have kept it; or end what has it"
    return failed(check, name, what, remedy)


def arrival(message: Message, outcome: Outcome) -> Finding:
    """What became of one message. The hosts of a finding are who sent."""
    check, target = label(message.where), message.target
    protocol, port = message.where.split("/")
    failure = outcome.failures.get((message.sender, message.words))
    remedy = f"Let {port}/{protocol} in on {target} ({message.address}): its firewall, or one on the way"
    if message.arrival in outcome.arrived:
        return Finding(check, (message.sender,), "sent and received")
    if message.sender in outcome.mute:
        return unknown(check, message.sender, f"it can't send: {outcome.mute[message.sender]}")
    if message.way == "connect" and not failure:
        return Finding(check, (message.sender,), "connections are accepted")
    if target in outcome.silent:
        return unknown(check, target, f"it can't listen: {outcome.silent[target]}")
    if (target, message.where) in outcome.taken:
        return unknown(check, target, "nothing can be received where the port is taken")
    why = f": {failure}" if failure else ""
    return failed(check, message.sender, f"what is sent to {target} doesn't arrive{why}", remedy)


def unsent(hosts: Hosts, sender: str, target: str, where: str) -> Finding:
    """Why there is no message: the sender's doing, else the target's."""
    check = label(where)
    if why := hosts.hindrance(sender):
        return unknown(check, sender, why)
    if not hosts.observation[target].member:
        return unknown(check, target, hosts.hindrance(target) or "")
    if where == f"udp/{hosts.data_path}":
        return unknown(check, target, "in a swarm its engine has the port; --deep tries it between tasks")
    return unknown(check, target, "in a swarm its engine has the port, and tells nobody what arrives")

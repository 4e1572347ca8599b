"""What gets through between tasks: a temporary overlay network, and a container on it on every node.

All of it lives as long as the doctor's sessions: each ends with its standard input, and removes what it
made. A container's image is empty. Its programs are the host's own, bound into it for reading, so that
nothing comes from a registry, and the user needs no more rights than to use Docker.
"""

from __future__ import annotations

import secrets
import shlex
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import permutations
from pathlib import Path

from operations.doctor import programs
from operations.doctor.exchange import SESSION_SECONDS, SMALL, Message, Outcome, Sessions, exchange
from operations.doctor.mtu import VXLAN_BYTES
from operations.doctor.ports import DATAGRAM_BYTES, USUAL_MTU, Hosts, counted
from swarm import process, ssh
from swarm.decide import ownership
from swarm.decide.plan import Plan, Step
from swarm.finding import Finding, failed, unknown
from swarm.script import render
from swarm.ssh import config_file

CHECK = "between tasks"
PORT = 7946  # any would do: it is the containers' own
MTU = USUAL_MTU - VXLAN_BYTES
LARGE = 4000  # bytes
ASK_SECONDS = 60
GOSSIP_SECONDS = 20  # that nodes get to tell each other where a container is, after the first try

NETWORK, CONTAINER = (Path(__file__).with_name(name) for name in ("network.sh", "container.sh"))


def check(hosts: Hosts, plan: Plan) -> Iterator[Finding]:
    """Tries it in the stack's swarm; in no other."""
    ours = plan.cluster and ownership.is_ours(hosts.settings, plan.known, plan.cluster)
    if not ours or plan.control is None:
        why = "; ".join(map(str, plan.refusals)) or "no swarm is marked as this stack's"
        remedy = "Run `make up` first, or leave out --deep"
        yield failed(CHECK, hosts.settings.stack, f"refused: {why}", remedy)
        return
    hindered = {node.name: hindrance(hosts, plan, node.name) for node in hosts.nodes}
    yield from (unknown(CHECK, name, why) for name, why in hindered.items() if why)
    nodes = [name for name, why in hindered.items() if not why]
    if len(nodes) < 2:
        yield unknown(CHECK, nodes or hosts.settings.stack, "it takes two nodes that tasks get to")
        return
    sent, outcome = attempt(hosts, plan.control, nodes)
    yield from findings(sent, outcome)


def hindrance(hosts: Hosts, plan: Plan, name: str) -> str | None:
    """Why a node takes no part."""
    if hosts.observation[name].problem:
        return "its Docker Engine gives no answer"
    entry = plan.cluster and plan.cluster.entries.get(plan.nodes[name].node_id or "")
    if plan.nodes[name].step is not Step.IN_PLACE or not entry:
        return "it isn't a node of the swarm"
    if not entry.ready:
        return f"it is {entry.state} in the swarm"
    if entry.availability != "active":
        return f"its availability is {entry.availability}: no task gets there"
    return hosts.hindrance(name)


def attempt(hosts: Hosts, control: str, nodes: Collection[str]) -> tuple[list[Message], Outcome]:
    """Makes the network and the containers, has each send to each other, and takes all away again."""
    network = f"swarm-doctor-{secrets.token_hex(8)}"
    keep = shlex.join(["sh", "-c", render(NETWORK), "sh", network, str(SESSION_SECONDS)])
    path = config_file(hosts.settings.stack)
    with Sessions({control: ssh.command(path, control, keep)}) as made:
        if made.silent:
            return [], Outcome(silent=dict.fromkeys(nodes, made.silent[control]))
        return between(hosts, nodes, network)


def between(
    hosts: Hosts, nodes: Collection[str], network: str, mtu: int = MTU
) -> tuple[list[Message], Outcome]:
    """Makes containers on an attachable network, has each send to each other, and takes them away again."""
    path = config_file(hosts.settings.stack)
    token = secrets.token_hex(8)
    name = f"swarm-doctor-{token}"

    def command(node: str, *words: str) -> list[str]:
        return ssh.command(path, node, shlex.join(words))

    def listen(node: str) -> list[str]:
        tool = hosts.facts[node].tool or ""
        program = programs.listen(tool, SESSION_SECONDS, [f"udp/{PORT}"])
        return command(node, "sh", "-c", render(CONTAINER), "sh", network, name, *program)

    def send(node: str, words: list[str]) -> list[str]:
        program = programs.send(hosts.facts[node].tool or "", token, node, words)
        return command(node, "docker", "exec", name, *program)

    parallel = hosts.settings.parallel or 0
    with Sessions({node: listen(node) for node in nodes}, token, parallel) as sessions:
        there = [node for node in nodes if node not in sessions.silent]
        with ThreadPoolExecutor(max_workers=len(there) or 1) as pool:
            addresses = pool.map(lambda node: address_of(path, node, name), there)
            known = dict(zip(there, addresses, strict=True))
        sent = messages({node: address for node, address in known.items() if address}, mtu)
        nowhere = {node: "its container has no address there" for node in there if not known[node]}
        outcome, left, deadline = Outcome(), sent, None
        while left and (deadline is None or time.monotonic() < deadline):
            outcome = exchange(sessions, left, send)
            left = [one for one in left if one.arrival not in outcome.arrived]
            deadline = deadline or time.monotonic() + GOSSIP_SECONDS
        return sent, replace(outcome, silent={**sessions.silent, **nowhere})


def address_of(path: Path, node: str, container: str) -> str:
    """A container's address; empty where it isn't to be had."""
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    command = shlex.join(["docker", "inspect", "-f", template, container])
    try:
        return process.run(ssh.command(path, node, command), ASK_SECONDS).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def messages(addresses: Mapping[str, str], mtu: int = MTU) -> list[Message]:
    """From each container to each other: small, large, and as large as goes in one piece."""
    ways = (("udp", SMALL), ("udp", LARGE), ("whole", mtu - DATAGRAM_BYTES))
    return [
        Message(way, sender, target, addresses[target], PORT, size)
        for sender, target in permutations(addresses, 2)
        for way, size in ways
    ]


def findings(sent: Collection[Message], outcome: Outcome) -> Iterator[Finding]:
    """What became of the packets. Where small ones don't arrive, larger ones tell nothing more."""
    for name, why in outcome.silent.items():
        remedy = "See the log of its Docker Engine (journalctl -u docker); it may help to restart it"
        yield failed(CHECK, name, f"no container gets onto the network there: {why}", remedy)
    small = [one for one in sent if one.size == SMALL]
    through = {(one.sender, one.target) for one in small if one.arrival in outcome.arrived}
    larger = [one for one in sent if one.size != SMALL and (one.sender, one.target) in through]
    yield from counted((finding(one, outcome) for one in (*small, *larger)), len(small))


def finding(one: Message, outcome: Outcome) -> Finding:
    """What became of a packet between two containers."""
    if one.size == SMALL:
        what = "small packets"
        remedy = (
            f"Let the swarm's ports in on {one.target}: 7946 tcp and udp, and that of the data path, udp; "
            "see that its kernel has vxlan"
        )
    else:
        whole = one.size + DATAGRAM_BYTES
        what = f"packets of {whole if one.way == 'whole' else LARGE} bytes"
        remedy = (
            f"Let the path between hosts carry {USUAL_MTU} bytes in one piece; or give networks the driver "
            "option com.docker.network.driver.mtu"
        )
    if one.arrival in outcome.arrived:
        return Finding(CHECK, (one.sender,), f"{what} arrive")
    if one.sender in outcome.mute:
        return unknown(CHECK, one.sender, f"nothing can be sent there: {outcome.mute[one.sender]}")
    failure = outcome.failures.get((one.sender, one.words))
    why = f": {failure}" if failure else ""
    return failed(CHECK, one.sender, f"{what} don't arrive from its task at {one.target}'s{why}", remedy)

"""Whether hosts are fit for a swarm.

Each host by itself, then what gets through between each and each other. Nothing is left behind on a
host. The exit code is 1 if a check failed; warnings and what can't be checked don't count.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from operations import pulumi_cli, table
from operations.doctor import exchange, facts, hosts, mtu, neighbors, overlay, ports, programs, undeclared
from operations.doctor.ports import Hosts
from operations.stack import prepare
from swarm import ssh
from swarm.declare.settings import Node, Settings
from swarm.faults import doing
from swarm.finding import Finding, summed
from swarm.observe.probe import AT_ONCE_BY_JUMP_HOST, Probes
from swarm.run import Run
from swarm.ssh import config_file


def main(stack: str, *, deep: bool, json: bool) -> int:
    """Prints the findings; gives the exit code."""
    pulumi_cli.select(stack)
    found = prepare(stack, patience=0)
    doing("trying what gets through between the hosts")
    findings = summed(examine(found, deep=deep))
    return table.tell(findings, "hosts", found.observation, machine=json)


def examine(found: Run, *, deep: bool) -> Iterator[Finding]:
    """All findings of a stack's hosts."""
    known = Hosts(found.settings, found.observation, ask(found))
    yield from hosts.check(known)
    yield from neighbors.check(known, found.stacks)
    yield from undeclared.check(found.plan)
    sent, outcome = try_ports(known)
    yield from ports.findings(known, sent, outcome)
    yield from mtu.findings(known, sent, outcome)
    if deep:
        yield from overlay.check(known, found.plan)


def ask(found: Run) -> dict[str, facts.Facts]:
    """The facts of all hosts, by name."""
    path = config_file(found.settings.stack)
    nodes = [node for node in found.settings.nodes if not node.lost]

    def one(node: Node) -> facts.Facts:
        host = found.observation[node.name]
        if host.problem and not host.answers:
            return facts.Facts(problem=host.problem)
        peers = [ports.data_address(other) for other in nodes if other is not node]
        return facts.ask(path, node.name, host.data_root, peers)

    with ThreadPoolExecutor(max_workers=at_once(found.settings)) as pool:
        return dict(zip((node.name for node in nodes), pool.map(one, nodes), strict=True))


def try_ports(known: Hosts) -> tuple[list[exchange.Message], exchange.Outcome]:
    """Sends messages from each host to each other; gives them, and what became of them."""
    path = config_file(known.settings.stack)
    token = secrets.token_hex(8)

    def listen(name: str, wanted: list[str]) -> list[str]:
        tool = known.facts[name].tool or ""
        return ssh.command(path, name, shlex.join(programs.listen(tool, exchange.SESSION_SECONDS, wanted)))

    def send(name: str, words: list[str]) -> list[str]:
        tool = known.facts[name].tool or ""
        return ssh.command(path, name, shlex.join(programs.send(tool, token, name, words)))

    listeners = {
        node.name: listen(node.name, ports.wanted(known, node))
        for node in known.nodes
        if known.listens(node.name)
    }
    sent = ports.messages(known)
    with exchange.Sessions(listeners, token, at_once(known.settings)) as sessions:
        return sent, exchange.exchange_twice(sessions, sent, send)


def at_once(settings: Settings) -> int:
    """How many SSH sessions are begun at a time: as many as probes; few where there is a jump host."""
    jumps = any(node.ssh.proxy for node in settings.nodes)
    return min(Probes(settings).at_once, AT_ONCE_BY_JUMP_HOST if jumps else len(settings.nodes))

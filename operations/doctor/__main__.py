"""`python3 -m operations.doctor STACK [--deep] [--json]`: whether hosts are fit for a swarm.

Each host by itself, then what gets through between each and each other. Nothing is left behind on a
host. The exit code is 1 if a check failed; warnings and what can't be checked don't count.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shlex
import sys
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any

from operations.doctor import exchange, facts, hosts, mtu, neighbors, overlay, ports, programs, undeclared
from operations.doctor.ports import Hosts
from operations.stack import prepare
from swarm import faults
from swarm.declare.settings import Node, Settings
from swarm.faults import doing
from swarm.finding import Finding, Verdict, summed
from swarm.foreign import harmless
from swarm.observe.probe import AT_ONCE_BY_JUMP_HOST, Looks
from swarm.run import Run
from swarm.ssh import config_file

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red", Verdict.UNKNOWN: "yellow"}


def main(arguments: Sequence[str]) -> int:
    """Prints the findings; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m operations.doctor", description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("--deep", action="store_true", help="try a temporary overlay network too")
    parser.add_argument("--json", action="store_true", help="a list of findings, for machines")
    options = parser.parse_args(arguments)
    found = prepare(options.stack, patience=0)
    doing("trying what gets through between the hosts")
    findings = summed(examine(found, deep=options.deep))
    if options.json:
        print(harmless(json.dumps([public(one) for one in findings], indent=2)))
    else:
        show(findings, set(found.observation))
    return 1 if any(finding.verdict is Verdict.FAILED for finding in findings) else 0


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
    ssh = ["ssh", "-F", str(config_file(known.settings.stack))]
    token = secrets.token_hex(8)

    def listen(name: str, wanted: list[str]) -> list[str]:
        tool = known.facts[name].tool or ""
        return [*ssh, name, shlex.join(programs.listen(tool, exchange.SESSION_SECONDS, wanted))]

    def send(name: str, words: list[str]) -> list[str]:
        tool = known.facts[name].tool or ""
        return [*ssh, name, shlex.join(programs.send(tool, token, name, words))]

    listeners = {
        node.name: listen(node.name, ports.wanted(known, node))
        for node in known.nodes
        if known.listens(node.name)
    }
    sent = ports.messages(known)
    with exchange.Sessions(listeners, token, at_once(known.settings)) as sessions:
        return sent, exchange.exchange_twice(sessions, sent, send)


def at_once(settings: Settings) -> int:
    """How many SSH sessions are begun at a time: as many as looks; few where there is a jump host."""
    jumps = any(node.ssh.proxy for node in settings.nodes)
    return min(Looks(settings).at_once, AT_ONCE_BY_JUMP_HOST if jumps else len(settings.nodes))


def public(one: Finding) -> dict[str, Any]:
    """A finding by the names that docs/doctor.md promises."""
    told = asdict(one)
    return {"check": told.pop("check"), "hosts": told.pop("where"), "finding": told.pop("what"), **told}


def show(findings: Sequence[Finding], everyone: Collection[str]) -> None:
    """A table for people."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("check", "hosts", "finding", "remedy", "result", box=None, pad_edge=False)
    for one in findings:
        names = ", ".join(one.where) if len(one.where) < 4 else f"{len(one.where)} hosts"
        where = "all" if set(one.where) in (set(), everyone) else names
        style = STYLES[one.verdict]
        finding = escape(harmless(one.what))
        table.add_row(one.check, where, finding, escape(one.remedy), f"[{style}]{one.verdict}[/]")
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    faults.run(
        partial(main, sys.argv[1:]), interrupted="interrupted; what was on the hosts for the doctor has ended"
    )

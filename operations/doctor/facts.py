"""What the doctor wants to know of a host beyond what a probe tells, in one SSH session."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swarm import process, ssh
from swarm.observe.probe import TOTAL_SECONDS
from swarm.script import render

SCRIPT = Path(__file__).with_name("facts.sh")


@dataclass(frozen=True)
class Link:
    """The way out towards a peer: the network interface, and its MTU in bytes."""

    device: str
    mtu: int


@dataclass(frozen=True)
class Facts:
    """What a host tells the doctor; `problem`: why it tells nothing."""

    problem: str | None = None
    tool: str | None = None  # perl or python3, for what is sent and received
    free: int | None = None  # bytes in the engine's data folder
    sysctls: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)  # by the peer's address or name


def ask(path: Path, name: str, data_root: str, peers: Iterable[str], limit: float = TOTAL_SECONDS) -> Facts:
    """The facts of a host, within `limit` seconds; `peers` are the addresses or names of the other nodes."""
    command = shlex.join(["sh", "-s", data_root, *peers])
    try:
        done = process.run(ssh.command(path, name, command), limit, render(SCRIPT))
    except subprocess.TimeoutExpired:
        return Facts(problem=f"it gave no answer within {limit} s")
    if not done.stdout.endswith("end\n"):
        return Facts(problem=process.last_words(done))
    return parse(done.stdout)


def parse(text: str) -> Facts:
    """The facts in what the script prints."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    tools = [words[1] for words in lines if words[0] == "tool"]
    free = [int(words[1]) * int(words[2]) for words in lines if words[0] == "free"]
    return Facts(
        tool=tools[0] if tools else None,
        free=free[0] if free else None,
        sysctls={words[1]: words[2] for words in lines if words[0] == "sysctl"},
        addresses=tuple(words[1] for words in lines if words[0] == "address"),
        links={words[1]: Link(words[2], int(words[3])) for words in lines if words[0] == "link"},
    )

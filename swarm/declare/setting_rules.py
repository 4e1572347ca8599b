"""What the values of settings must be: each rule gives the value, or raises ValueError."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from swarm.declare.labels import OWN_LABELS
from swarm.declare.rules import Rule, distinct, line, must_be, number, strings, text

PORT = number(1, 65535, "a port")


@must_be("a host name or an IPv4 address")
def hostname(raw: Any) -> str:
    """A host name, or the address of a host."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", raw):
        raise ValueError
    return address(raw) if is_address(raw) else str(raw)


@must_be("an IPv4 address of the node")
def address(raw: Any) -> str:
    """An IPv4 address."""
    return str(ipaddress.IPv4Address(text(raw)))


@must_be("an IPv4 network of /23 or larger, such as 10.20.0.0/16")
def pool(raw: Any) -> IPv4Network:
    """A network to cut /24 subnets out of."""
    network = IPv4Network(text(raw))
    if network.prefixlen > 23:
        raise ValueError
    return network


def duration(words: str, least: int, most: float = float("inf")) -> Rule[int]:
    """A duration as Docker writes it, in seconds, between both ends, which belong to it."""

    @must_be(f"a duration of {words}")
    def read(raw: Any) -> int:
        match = re.fullmatch(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", raw)
        if not match:
            raise ValueError
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if not least <= total <= most:
            raise ValueError
        return total

    return read


@must_be("a mapping of names to texts that aren't empty")
def contents(raw: Any) -> dict[str, str]:
    """Names and texts."""
    if isinstance(raw, Mapping) and all(isinstance(one, str) and one for one in raw.values()):
        return dict(raw)
    raise ValueError


@must_be(f"a mapping of names without spaces or = to texts on one line, and {OWN_LABELS} is ours")
def labels(raw: Any) -> Mapping[str, str]:
    """A node's labels, among which are none of the program's own. Docker's client takes NAME=VALUE apart at
    the first =, and the scheduler's constraints can't name a space."""
    found = strings(raw)
    for label, value in found.items():
        line(f"{label}{value}")
        if not re.fullmatch(r"[^=\s]+", label) or label.startswith(OWN_LABELS):
            raise ValueError
    return found


@must_be("the name of a user")
def user(raw: Any) -> str:
    """A login name, which may have a domain before a backslash or after an @. Nothing in it means anything
    to ssh_config or to a shell between quotes."""
    if not re.fullmatch(r"\w[\w.+-]*(\\\w[\w.+-]*)?(@[\w.-]+)?\$?", raw, re.ASCII):
        raise ValueError
    return str(raw)


@must_be("the path of a file")
def path(raw: Any) -> Path:
    """A path; relative ones are joined with the project's folder later."""
    return Path(text(raw))


@must_be("an absolute path on the nodes")
def node_folder(raw: Any) -> str:
    """A folder, which need not be there yet."""
    if not line(raw).startswith("/"):
        raise ValueError
    return str(raw)


@must_be("the path of a Compose file, or a list of them, each once")
def paths(raw: Any) -> tuple[Path, ...]:
    """A path, or several."""
    listed = distinct([raw] if isinstance(raw, str) else raw)
    if not listed:
        raise ValueError
    return tuple(Path(one) for one in listed)


def ssh_path(raw: Any) -> Path:
    """A path that ssh_config can hold: quotes would end it there, and ${NAME} would be filled in."""
    if any(part in line(raw) for part in ('"', "${")):
        raise ValueError
    return Path(os.path.expanduser(raw))  # noqa: PTH111 (pathlib's raises)


@must_be("a list of host names or IDs of nodes, each once")
def other_nodes(raw: Any) -> tuple[str, ...]:
    """Host names or IDs, none of which can have a space."""
    names = distinct(raw)
    if any(re.search(r"\s", name) for name in names):
        raise ValueError
    return names


@must_be("lower-case letters, digits and hyphens, 63 at most")
def name(raw: Any) -> str:
    """A part of a host name."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", raw):
        raise ValueError
    return str(raw)


@must_be("a list of names of nodes, each once")
def chosen(raw: Any) -> tuple[str, ...]:
    """Names of nodes, one at least."""
    names = distinct(raw)
    if not names:
        raise ValueError
    return names


@must_be("a mapping of ports to listen on to published ports, such as {80: 8081}")
def ports(raw: Any) -> dict[int, int]:
    """By the port that it listens on, in order, as Docker has them."""
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError
    return dict(sorted((PORT(listened), PORT(asked)) for listened, asked in raw.items()))


def is_address(host: str) -> bool:
    """Whether it is written as an address, rather than as a name."""
    return re.fullmatch(r"[0-9.]+", host) is not None

"""Published ports of a service."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from swarm.declare.compose.place import Place
from swarm.declare.keys import key, snake_cased
from swarm.declare.rules import number, one_of

_NUMBER = number(1, 65535, "a port")
_SHORT = r"\d{1,5}(?:-\d{1,5})?"


@snake_cased
class Port:
    """A published port: on every node (ingress) or on those that run a task (host)."""

    target: int = key(_NUMBER)
    published: int | None = key(_NUMBER, default=None)  # None: the swarm chooses
    protocol: str = key(one_of("tcp", "udp", "sctp"), default="tcp")
    mode: str = key(one_of("ingress", "host"), default="ingress")


def read(place: Place, raw: list[Any]) -> tuple[Port, ...]:
    """The ports, as Docker sorts them, and gives them back."""
    ports = [port for at, one in enumerate(raw) for port in _read(place, f".ports[{at}]", one)]
    place.check_once(".ports", [f"{port.published}/{port.protocol}" for port in ports if port.published])
    return tuple(sorted(ports, key=lambda port: port.published or 0))


def _read(place: Place, path: str, raw: Any) -> list[Port]:
    """Long as a mapping, or short as [PUBLISHED:]TARGET[/PROTOCOL], each a port or a range. One port may be
    published on all of a range."""
    if isinstance(raw, Mapping):
        port = place.build(Port, path, raw)
        return [port] if port else []
    address, written = _address(str(raw))
    if address and not place.allows(path):
        rule = f"Swarm can't publish a port on {address} alone: it would be open to all, on every node"
        remedy = f"Leave the address out if it may; `ignoreUnsupported` with {path[1:]} does so, too"
        place.problem(path, raw, rule, remedy)
    short = re.fullmatch(rf"(?:({_SHORT})?:)?({_SHORT})(?:/(tcp|udp|sctp))?", written.lower())
    targets = _range(short[2]) if short else []
    published: list[int] | list[None] = _range(short[1]) if short and short[1] else [None] * len(targets)
    if len(targets) == 1:
        targets *= len(published)
    if not short or not targets or len(published) != len(targets):
        rule = "must be PUBLISHED:TARGET, ranges of the same length, or a mapping"
        place.problem(path, raw, rule, "Correct it")
        return []
    if any(one == 0 or (one or 1) > 65535 for one in (*targets, *published)):
        place.problem(path, raw, "must be ports, 1 to 65535", "Correct it")
        return []
    pairs = zip(targets, published, strict=True)
    return [Port(target, out, short[3] or "tcp") for target, out in pairs]


def _address(raw: str) -> tuple[str, str]:
    """The address that comes first, where it isn't that of all, and the rest."""
    match = re.fullmatch(r"(?:\[(.*)\]|([0-9.]+)):([^:]*:[^:]*)", raw)
    try:
        address = ipaddress.ip_address(match[1] or match[2]) if match else None
    except ValueError:
        return "", raw
    everywhere = not address or address.is_unspecified
    return "" if everywhere else str(address), match[3] if match else raw


def _range(raw: str) -> list[int]:
    first, _, last = raw.partition("-")
    return list(range(int(first), int(last or first) + 1))

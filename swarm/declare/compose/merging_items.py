"""What a service has lists of, and files that are merged have once: ports, mounts, secrets and configs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from swarm.declare.compose.located import Located

RANGES = re.compile(
    r"(?P<before>(?:.*:)?)(?P<published>\d+-\d+):(?P<target>\d+(?:-\d+)?)(?P<after>(?:/\w+)?)"
)
MOST = 1000  # ports in a range that are told apart


def _published(raw: Any) -> int:
    """The port that it is published on; 0: the swarm chooses."""
    if isinstance(raw, dict):
        found = str(raw["published"].value) if "published" in raw else "0"
    else:
        found = str(raw).partition("/")[0].rpartition(":")[0].rpartition(":")[2]
    return int(found) if re.fullmatch("[0-9]{1,5}", found) else 0


def _target(raw: Any) -> str:
    """Where it is mounted."""
    return _text(raw, "target") if isinstance(raw, dict) else (str(raw).split(":") * 2)[1]


def _source(raw: Any) -> str:
    """The name of the secret or config."""
    return _text(raw, "source") if isinstance(raw, dict) else str(raw)


def _text(raw: Mapping[str, Located], name: str) -> str:
    return str(raw[name].value) if name in raw else ""


KEYED: Mapping[str, Callable[[Any], Any]] = {
    "ports": _published,
    "volumes": _target,
    "secrets": _source,
    "configs": _source,
}


def merge_items(kind: str, base: Located, override: Located) -> Located:
    """The items of both, each by its key, of which the last counts, in the order of their keys."""
    lists = [one.value if one.value is not None else [] for one in (base, override)]
    for one, items in zip((base, override), lists, strict=True):
        if not isinstance(items, list):
            return one  # its reader says what it must be
    by_key = {KEYED[kind](item.value): item for items in lists for item in expanded(kind, items)}
    return replace(base, value=[by_key[key] for key in sorted(by_key)])


def doubles(kind: str, one: Located) -> Iterator[Located]:
    """The items of one file of which Docker's client would drop all but the last, when it merges files."""
    seen: set[Any] = set()
    for item in expanded(kind, one.value if isinstance(one.value, list) else []):
        if KEYED[kind](item.value) in seen:
            yield item
        seen.add(KEYED[kind](item.value))


def expanded(kind: str, items: list[Located]) -> list[Located]:
    """The items, with a port each where one is a range."""
    return [one for item in items for one in (_ports(item) if kind == "ports" else [item])]


def _ports(item: Located) -> list[Located]:
    ranges = RANGES.fullmatch(item.value) if isinstance(item.value, str) else None
    if not ranges:
        return [item]
    published, target = (_range(ranges[name]) for name in ("published", "target"))
    targets = list(target) * len(published) if len(target) == 1 else list(target)
    if not 0 < len(published) <= MOST or len(targets) != len(published):
        return [item]  # its reader says what it must be
    return [
        replace(item, value=f"{ranges['before']}{out}:{to}{ranges['after']}")
        for out, to in zip(published, targets, strict=True)
    ]


def _range(written: str) -> range:
    first, _, last = written.partition("-")
    return range(int(first), int(last or first) + 1)

"""What of the file a service uses: its networks, secrets and configs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from swarm.declare.compose import values
from swarm.declare.compose.place import Place
from swarm.declare.keys import key, keys_of, snake_cased
from swarm.declare.rules import distinct, text


@snake_cased
class Attachment:
    """A service on a network, by the network's name in the file."""

    network: str
    aliases: tuple[str, ...] = key(distinct, "must be a list of names, each once", default=())


@snake_cased
class Reference:
    """A secret or config that a service's containers have as a file; without a target of that name."""

    source: str = key(text, "must be a name under `secrets` or `configs`")
    target: str = key(text, "must be the name or path of a file", default="")
    uid: str = key(values.identity, "must be a user's number", default="0")
    gid: str = key(values.identity, "must be a group's number", default="0")
    mode: int = key(values.mode, default=0o444)


def networks(place: Place, named: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """By name, with aliases or without; the service's own name is always one."""
    attached = []
    for name, options in (named or {"default": None}).items():
        place.check_declared(".networks", "networks", name)
        found = place.given(f".networks.{name}", options or {}, keys_of(Attachment))
        aliases = dict.fromkeys((*found.get("aliases", ()), place.service))
        attached.append(Attachment(name, tuple(aliases)))
    return tuple(attached)


def references(place: Place, kind: str, raw: list[Any]) -> tuple[Reference, ...]:
    """Short as a name, or long as a mapping."""
    found = []
    for at, one in enumerate(raw):
        path = f".{kind}[{at}]"
        if not (made := place.build(Reference, path, {"source": one} if isinstance(one, str) else one)):
            continue
        place.check_declared(path, kind, made.source)
        found.append(replace(made, target=made.target or made.source))
    targets = [one.target for one in found]
    for target in sorted({one for one in targets if targets.count(one) > 1}):
        place.problem(f".{kind}", target, "two of them are to be this file", "Give one another `target`")
    return tuple(found)

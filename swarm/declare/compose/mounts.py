"""Volumes, and what else a service mounts."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from swarm.declare.compose import amounts, values
from swarm.declare.compose.place import Place
from swarm.declare.compose.volumes import Volume
from swarm.declare.keys import key, snake_cased
from swarm.declare.rules import boolean, one_of, text

TYPES = ("volume", "bind", "tmpfs")
OPTIONS = ("", "rw", "ro", "nocopy", *values.PROPAGATIONS)  # of the short form


@snake_cased
class Mount:
    """A place in a container's file tree that is kept elsewhere."""

    type: str = key(one_of(*TYPES))
    target: str = key(values.absolute)
    # A path on the node; a volume has its own name.
    source: str = key(text, "must be a name under `volumes`, or a path on the node", default="")
    volume: Volume | None = None  # None: one without a name, new for every task
    read_only: bool = key(boolean, default=False)
    propagation: str | None = key(
        one_of(*values.PROPAGATIONS),
        f"must be one of {', '.join(values.PROPAGATIONS)}",
        default=None,
        name="bind.propagation",
    )
    nocopy: bool = key(boolean, default=False, name="volume.nocopy")
    size: int | None = key(  # bytes
        amounts.byte_count, default=None, name="tmpfs.size"
    )


def read(place: Place, raw: list[Any], volumes: Mapping[str, Volume]) -> tuple[Mount, ...]:
    """The mounts; `volumes` are those of the file, by the names that they have there."""
    found = [_read(place, f".volumes[{at}]", one, volumes) for at, one in enumerate(raw)]
    mounts = tuple(mount for mount in found if mount)
    place.check_once(".volumes", [mount.target for mount in mounts])
    return mounts


def _read(place: Place, path: str, raw: Any, volumes: Mapping[str, Volume]) -> Mount | None:
    """Long as a mapping, or short as TARGET, SOURCE:TARGET or SOURCE:TARGET:OPTIONS."""
    long: Any = _long(place, path, raw) if isinstance(raw, str) else raw
    if long is None or not (mount := place.build(Mount, path, long)):
        return None
    for other in TYPES:
        if other != mount.type and long.get(other):
            place.problem(f"{path}.{other}", None, f"is nothing for the type {mount.type}", "Remove it")
    if mount.type == "bind":
        return replace(mount, source=_on_node(place, path, mount.source, raw))
    if mount.type == "tmpfs" and mount.source:
        place.problem(f"{path}.source", mount.source, "is nothing for the type tmpfs", "Remove it")
    if mount.type != "volume":
        return mount
    if mount.source:
        place.check_declared(path, "volumes", mount.source)
    return replace(mount, source="", volume=volumes.get(mount.source))


def _on_node(place: Place, path: str, source: str, raw: Any) -> str:
    """A path on the nodes; a relative one is from the stack's folder there."""
    if source.startswith("/"):
        return source
    if place.folder and source and source[0] != "~":
        return posixpath.normpath(posixpath.join(place.folder, source))
    rule = "must be an absolute path: it is the node's, not this machine's"
    remedy = "Correct it, or give the stack its `folder` on the nodes; files from here go there as `configs`"
    place.problem(path, raw, rule, remedy)
    return source


def _long(place: Place, path: str, raw: str) -> dict[str, Any] | None:
    """A short one as the mapping that says the same."""
    parts = raw.split(":")
    source, target, options = ["", *parts, ""] if len(parts) == 1 else [*parts, ""][:3]
    given = options.split(",")
    if len(parts) > 3:
        place.problem(path, raw, "must be SOURCE:TARGET[:ro] or a mapping", "Correct it")
        return None
    for option in (one for one in given if one not in OPTIONS):
        place.ignore(path, f"{option} of volumes: Swarm has no such option")
    bind = source[:1] in ("/", ".", "~")
    long: dict[str, Any] = {
        "type": "bind" if bind else "volume",
        "target": target,
        "read_only": "ro" in given,
    }
    if source:
        long["source"] = source
    if "nocopy" in given:
        long["volume"] = {"nocopy": True}
    if propagation := next((one for one in given if one in values.PROPAGATIONS), None):
        long["bind"] = {"propagation": propagation}
    return long

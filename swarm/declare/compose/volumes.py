"""Volumes at the top of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swarm.declare.compose import values
from swarm.declare.compose.named import Named, outside
from swarm.declare.keys import key, keys_of, snake_cased, taken
from swarm.declare.reader import Reader
from swarm.declare.rules import text

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]+"  # the engine's, when it makes one for a task


@snake_cased
class Volume:
    """A named volume; a node makes it when a task there first mounts it."""

    name: str  # Docker's
    external: bool = False
    driver: str = key(text, "must be the name of a volume driver", default="")
    options: Mapping[str, str] = values.named("driver_opts")
    labels: Mapping[str, str] = values.named()


KEYS = keys_of(Named) | keys_of(Volume)


def read(reader: Reader, stack: str, name: str, raw: Any) -> Volume:
    """The volume; the reader is told the problems."""
    where = f"volumes.{name}"
    found = reader.given(where, raw or {}, KEYS)
    external = outside(reader, where, name, KEYS, found)
    written = taken(Named, found)
    full = external or written.name or f"{stack}_{name}"
    if not re.fullmatch(NAME, full):
        rule = "its name must be letters, digits, and after the first also - _ and ."
        reader.problem(where, full, rule, "Rename it")
    return Volume(full, external is not None, **found)

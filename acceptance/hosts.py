"""Where a stack's hosts come from: who makes them and unmakes them, and has their power."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lab import Lab, layout
from swarm.errors import PlayError

MACHINES = "dev"  # the stack of vagrant/
KEYS = ".machines"  # where their keys are


@dataclass(frozen=True)
class Ground:
    """The commands, as one types them. A node's name follows `stop`, `start` and `remove`; when `create` or
    `start` ends, the hosts answer."""

    what: str
    create: tuple[str, ...]  # those that aren't there, under their names and addresses
    destroy: tuple[str, ...]  # all
    status: tuple[str, ...]  # lines of name, perhaps address, and state, two spaces in between
    stop: tuple[str, ...]  # takes the power from a host
    start: tuple[str, ...]  # gives it back
    remove: tuple[str, ...]  # a host for good


def of(stack: str, keys: Collection[Path]) -> Ground | None:
    """The machines of vagrant/, or the lab which has the stack's name, if its own keys are those that are
    declared. Other hosts are none of ours."""
    absolute = {key.absolute() for key in keys}
    if stack == MACHINES:
        if {key.parent for key in absolute} != {Path(KEYS).absolute()}:
            return None
        command = ("python3", "-m", "vagrant")
        return _ground("the virtual machines of vagrant/", command)
    try:
        lab = Lab(stack)
    except ValueError:  # no lab can have this name
        return None
    if absolute != {lab.private_key}:
        return None
    command = ("python3", "-m", "lab", *(() if stack == layout.DEFAULT_NAME else ("--name", stack)))
    return _ground(f"the containers of the lab `{stack}`", command, size(os.environ.get("N")))


def size(number: str | None) -> tuple[str, ...]:
    """The option that makes a lab of this many nodes: a leader and two workers first, as in vagrant/."""
    if not number:
        return ()
    if not number.isdecimal():
        raise PlayError(f"N={number}: must be a number of hosts")
    managers = min(max(int(number) - 2, 1), 3)
    return ("--nodes", f"{managers},{int(number) - managers}")


def _ground(what: str, command: tuple[str, ...], options: tuple[str, ...] = ()) -> Ground:
    """That of a tool which knows these words."""
    return Ground(
        what,
        create=(*command, "up", *options),
        destroy=(*command, "down"),
        status=(*command, "status"),
        stop=(*command, "stop"),
        start=(*command, "start"),
        remove=(*command, "destroy"),
    )

"""What holds between stacks: which are needed by which, and that no two want the same port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from swarm.declare.compose import Stack
from swarm.declare.reader import Reader
from swarm.declare.settings import NAMESPACE


def owners(stacks: Sequence[Stack]) -> dict[str, str]:
    """The stacks by the full names of the networks that they make."""
    return {
        network.full: stack.name for stack in stacks for network in stack.networks if not network.external
    }


def ordered(reader: Reader, stacks: Sequence[Stack]) -> list[Stack]:
    """The stacks, each after those that it needs: by `dependsOn`, or for a network of theirs."""
    named, made = {stack.name: stack for stack in stacks}, owners(stacks)
    needed = {}
    for stack in stacks:
        for name in (name for name in stack.depends_on if name not in named):
            where = f"{NAMESPACE}stacks ({stack.name}).dependsOn"
            reader.problem(where, name, "there is no stack of this name", "Correct it")
        shared = {made[one.full] for one in stack.networks if one.external and one.full in made}
        needed[stack.name] = shared | (set(stack.depends_on) & named.keys())
    try:
        return [named[name] for name in TopologicalSorter(needed).static_order()]
    except CycleError as error:
        circle = " needs ".join(reversed(error.args[1]))
        reader.problem(
            f"{NAMESPACE}stacks", None, f"{circle}: none can be first", "Take one of these needs away"
        )
        return list(stacks)


def check_ports(reader: Reader, stacks: Sequence[Stack]) -> None:
    """A port that is published on every node is one service's alone."""
    taken: dict[tuple[int, str], tuple[str, str]] = {}
    for published, protocol, mode, service in _ports(stacks):
        other, its_mode = taken.setdefault((published, protocol), (service, mode))
        if other != service and "ingress" in (mode, its_mode):
            rule = f"{other} and {service} both publish it, and one of them on every node"
            reader.problem(
                f"{NAMESPACE}stacks", f"{published}/{protocol}", rule, "Publish one of them elsewhere"
            )


def _ports(stacks: Sequence[Stack]) -> Iterator[tuple[int, str, str, str]]:
    for stack in stacks:
        for service in stack.services:
            for port in service.ports:
                if port.published:
                    yield port.published, port.protocol, port.mode, stack.full(service.name)

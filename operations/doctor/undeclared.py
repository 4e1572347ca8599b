"""Nodes of our swarm that no stack declares. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from swarm.decide.plan import Plan
from swarm.finding import Finding, failed, warning
from swarm.observe.model import SwarmNode


def check(plan: Plan) -> Iterator[Finding]:
    """A finding for each of them; one that all is well where there are none, and none without a swarm."""
    yield from map(stranger, plan.roster.strangers)
    if plan.cluster and not plan.roster.strangers:
        yield Finding("undeclared nodes", (), "each node of the swarm is declared, or may stay")


def stranger(entry: SwarmNode) -> Finding:
    """Managers see every secret and count for the majority; workers see those of the tasks that they get."""
    check, called = "undeclared nodes", entry.hostname or "a node without a name"
    which = (
        f"{called} ({entry.id}, {entry.address or 'at an unknown address'}), a {entry.role}, is {entry.state}"
    )
    if entry.role == "manager":
        found = f"{which}: it sees every secret, and counts for the majority"
        removal = f"docker node demote {entry.id}; docker node rm --force {entry.id}"
        return failed(check, (), found, _remedy(entry, removal))
    removal = f"docker node rm --force {entry.id}"
    return warning(check, (), f"{which}: it may get tasks, with their secrets", _remedy(entry, removal))


def _remedy(entry: SwarmNode, removal: str) -> str:
    name = entry.hostname or entry.id
    return f"Declare it, remove it ({removal}), or let it stay: name {name} in swarm:otherNodes"

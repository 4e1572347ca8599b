"""What is about to change by itself, and is waited for before anything is decided. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from swarm.observe.model import Observation, views

BOOT_SECONDS = 180
PENDING = "on its way into a swarm"


def late_engines(observation: Observation, _: Collection[str]) -> Iterator[str]:
    """What a destroy waits for, in words: engines that are at a loss for an answer, as in an election.
    Whose swarm such a host is in can't be told yet, and it could be made to leave."""
    yield from (f"{host.name}: {host.problem}" for host in observation.values() if host.late)
    yield from (f"{host.name}: {PENDING}" for host in observation.values() if host.state == "pending")


def under_way(observation: Observation, stacks: Collection[str]) -> Iterator[str]:
    """What is about to change by itself, in words: a host that boots, an election, a node that comes
    back, tasks of our stacks that start. Who decides in the midst of it takes for drift what isn't. While a
    node is down its tasks may have nowhere to run, and aren't waited for."""
    clusters = views(observation)
    waiting: dict[str, list[str]] = {}
    for host in (host for host in observation.values() if not host.cut_off):
        if host.late or (host.problem and host.age < BOOT_SECONDS):
            waiting.setdefault(str(host.problem), []).append(host.name)
        if host.leaderless:
            waiting.setdefault("in a swarm without a leader", []).append(host.name)
        if host.state == "pending" and not any(host.node_id in one.entries for one in clusters.values()):
            waiting.setdefault(PENDING, []).append(host.name)
        for cluster in clusters.values():
            entry = cluster.entries.get(host.node_id)
            # An engine that was just started is pending until it takes part.
            if entry and host.state in ("active", "pending") and not entry.ready:
                waiting.setdefault("not Ready yet", []).append(host.name)
    yield from (f"{', '.join(names)}: {why}" for why, names in waiting.items())
    for cluster in clusters.values():
        for service in cluster.services if not cluster.missing else ():
            if service.stack in stacks and service.running < service.desired:
                yield f"{service.name}: {service.running} of {service.desired} tasks run"

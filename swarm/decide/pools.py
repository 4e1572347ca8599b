"""The addresses of overlay networks, against every host's own networks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from swarm.decide.health import looked_at
from swarm.declare.settings import Settings
from swarm.finding import Finding, failed
from swarm.observe.model import Host, Observation

POOLS = [IPv4Network(f"10.{second}.0.0/16") for second in (20, 40, 60, 80, 120, 160, 200, 240)]


def address_pool(settings: Settings, observation: Observation) -> str | None:
    """The pool for a swarm's overlay networks: as declared, else the first that is off every host's
    networks. Docker's own default, 10.0.0.0/8, swallows the answers of hosts in 10.0.0.0/24."""
    if settings.address_pool:
        return str(settings.address_pool)
    taken = [network for host in observation.values() for network in networks(host)]
    free = (pool for pool in POOLS if not any(pool.overlaps(network) for network in taken))
    return next((str(pool) for pool in free), None)


def check(pool: IPv4Network, observation: Observation, *, starts: bool) -> Iterator[Finding]:
    """The addresses of overlay networks against every host's routes; `starts`: they aren't in use yet."""
    remedy = (
        "Choose another swarm:addressPool, or leave it out"
        if starts
        else "Renumber that network; or destroy and make the swarm anew with another swarm:addressPool"
    )
    for name, host in looked_at(observation):
        overlaps = [network for network in networks(host) if pool.overlaps(network)]
        for network in overlaps:
            yield failed(
                "address pool",
                name,
                f"address pool {pool} overlaps {network}, a network there, and answers would be lost",
                remedy,
            )
        if not overlaps:
            yield Finding("address pool", (name,), f"{pool} is off its routes")


def networks(host: Host) -> list[IPv4Network]:
    """Where a host has routes to, but for its default."""
    destinations = (route.split()[0] for route in host.routes)
    return [IPv4Network(one, strict=False) for one in destinations if one[:1].isdigit()]

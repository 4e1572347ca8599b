"""What makes hosts unfit, refused or told of: rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from swarm.decide import health, pools
from swarm.decide.plan import Plan
from swarm.decide.world import World
from swarm.finding import Finding, Verdict, failed


def unfit(world: World, _: Plan) -> Iterator[Finding]:
    """What can't work on the hosts, or should be known of them."""
    found = health.check(world.observation)
    yield from (one for one in found if one.verdict in (Verdict.FAILED, Verdict.WARNING))


def pool(world: World, plan: Plan) -> Iterator[Finding]:
    """A swarm that is started needs an address pool that is off every host's networks."""
    declared = world.settings.address_pool
    if world.cluster is None and declared:
        found = pools.check(declared, world.observation, starts=True)
        yield from (one for one in found if one.verdict is Verdict.FAILED)
    elif world.cluster is None and not plan.start.address_pool:
        what = "no address pool is free on every host"
        yield failed("address pool", (), what, "Choose one: pulumi config set swarm:addressPool")


def noise(world: World, _: Plan) -> Iterator[Finding]:
    """What a manager's shell prints reaches the Docker provider."""
    if world.settings.stacks or world.settings.edge:
        managers = [node.name for node in world.settings.nodes if node.manager]
        yield from health.noise(world.observation, managers)

"""What works but should be known: a tuple of rules. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from swarm.decide import fitness, placement
from swarm.decide.plan import Plan, Step
from swarm.decide.refusals import Rule
from swarm.decide.world import World
from swarm.finding import Finding, warning


def silent(world: World, plan: Plan) -> Iterator[Finding]:
    """Nodes that give no answer and are left alone, or out."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for name, node in plan.nodes.items():
        host = world.observation.get(name)
        if host and (node.step is Step.UNREACHABLE or (node.step is Step.ABSENT and _allowed(world, name))):
            why = f"{node.step}: {host.problem or 'its swarm has no leader there'}"
            hosts[why].append(name)
    for why, names in hosts.items():
        who = names[0] if len(names) == 1 else f"{', '.join(names)}: each"
        yield warning("hosts", (), f"{who} {why}")


def _allowed(world: World, name: str) -> bool:
    settings = world.settings
    return name in settings.unreachable or (settings.allow_unreachable and world.cluster is not None)


def no_mesh(world: World, _: Plan) -> Iterator[Finding]:
    """Ports that don't answer where the kernel has no IP_VS."""
    hosts = world.observation.items()
    without = [name for name, host in hosts if not host.problem and not host.ip_vs]
    ports = sorted(port for stack in world.stacks for port in stack.mesh_ports)
    if ports and without:
        where = "any host" if len(without) == len(world.observation) else ", ".join(without)
        what = (
            f"no IP_VS in the kernel of {where}: ports published through the routing mesh "
            f"({', '.join(map(str, ports))}) don't answer there; those in host mode do"
        )
        yield warning("ports", (), what)


def taken_out(world: World, plan: Plan) -> Iterator[Finding]:
    """Nodes that the state has and nobody declares: their hosts are dialed when all else is done."""
    for name in world.known.node_ids:
        if name not in plan.nodes:
            what = f"{name} was taken out of the configuration: its host is made to leave the swarm"
            remedy = "If that host is gone for good, put it back with lost: true, pulumi up, then take it out"
            yield warning("departure", (), what, remedy)


def strangers(_: World, plan: Plan) -> Iterator[Finding]:
    """Workers that nobody declares; managers are refused."""
    for entry in plan.roster.strangers:
        if entry.role != "manager":
            who = f"{entry.hostname} ({entry.id})"
            what = f"{who} is {entry.state}, and no node of this stack: nobody declares it"
            remedy = "Declare it, remove it, or let it stay: swarm:otherNodes"
            yield warning("strangers", (), what, remedy)


def undeclared_services(world: World, _: Plan) -> Iterator[Finding]:
    """Services among a stack's own that no file declares."""
    declared = {stack.full(service.name) for stack in world.stacks for service in stack.services}
    names = {stack.name for stack in world.stacks}
    for service in world.cluster.services if world.cluster else ():
        if service.stack in names and service.name not in declared | world.known.services:
            what = f"a service in the namespace of stack {service.stack} that no file declares"
            yield warning("services", service.name, what)


def files(world: World, _: Plan) -> Iterator[Finding]:
    """What has no effect in the stacks' files."""
    for stack in world.stacks:
        yield from stack.warnings


def few_managers(world: World, _: Plan) -> Iterator[Finding]:
    """What the declared managers can't survive."""
    managers = sum(node.manager and not node.lost for node in world.settings.nodes)
    if managers == 1:
        what = (
            "one manager survives the loss of none: while it is down nothing is rescheduled and nothing can "
            "be changed, and if it is gone for good so is the swarm"
        )
        yield warning("managers", (), what, "Declare three")
    elif managers % 2 == 0:
        lost = (managers - 1) // 2
        what = (
            f"{managers} managers survive the loss of {lost}, as {managers - 1} do; an odd number is better"
        )
        yield warning("managers", (), what)


def missing_tasks(world: World, _: Plan) -> Iterator[Finding]:
    """Services that lack tasks while nodes are down."""
    stacks = {stack.name for stack in world.settings.stacks}
    gone = [one.name for one in world.cluster.missing] if world.cluster else []
    for service in world.cluster.services if world.cluster and gone else ():
        if service.stack in stacks and service.running < service.desired:
            run = f"{service.running} of {service.desired} tasks run"
            what = f"{run} while this takes no part: {', '.join(gone)}"
            yield warning("services", service.name, what)


RULES: tuple[Rule, ...] = (
    silent,
    fitness.unfit,
    fitness.noise,
    fitness.pool,
    no_mesh,
    taken_out,
    strangers,
    undeclared_services,
    files,
    placement.nowhere,
    few_managers,
    missing_tasks,
)

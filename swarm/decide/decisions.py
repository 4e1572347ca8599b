"""What is to be done: pure functions from what is declared, known and observed to a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from swarm.decide import actions, commands, nodes, pools, refusals, warnings
from swarm.decide.ownership import Known, Standing, owner_labels
from swarm.decide.plan import NodePlan, Plan, Start, Step
from swarm.decide.world import World
from swarm.declare.compose import Stack
from swarm.declare.settings import Node, Settings
from swarm.finding import summed, warning
from swarm.observe.model import Observation


def decide(settings: Settings, known: Known, observation: Observation, stacks: Sequence[Stack] = ()) -> Plan:
    """The plan for the nodes, with what the stacks ask of them."""
    world = World(settings, known, observation, stacks)
    steps = nodes.steps(world)
    roster = nodes.roster(world, steps)
    evictions = actions.evictions(world, steps, roster)
    plan = Plan(
        nodes=steps,
        known=known,
        control=nodes.control(world, steps),
        cluster=world.cluster,
        roster=roster,
        order=nodes.order(world, steps),
        start=_start(world),
        evictions=evictions,
        work=actions.work(world, steps, roster, evictions),
    )
    found = [*refusals.refusals(world, plan), *(one for rule in warnings.RULES for one in rule(world, plan))]
    declared = commands.of_nodes(plan) | commands.of_managers(settings, plan, stacks)
    return replace(plan, findings=tuple(summed(found)), commands=declared)


def _start(world: World) -> Start:
    settings, labels = world.settings, owner_labels(world.settings, world.known)
    return Start(labels, pools.address_pool(settings, world.observation), settings.data_path_port)


def give_up(settings: Settings, known: Known, observation: Observation, stacks: Sequence[Stack] = ()) -> Plan:
    """The plan for destroying: every host that answers and is known to be in our swarm leaves it; the
    warnings list the others. Nothing is refused, and what is to be taken over isn't ours yet."""
    world = World(settings, known, observation, adopting=False)
    steps, findings = {}, []
    for node in settings.nodes:
        step, why = _farewell(world, node)
        host, stays = observation.get(node.name), step is not Step.IN_PLACE
        node_id = host.node_id if host and not stays else None
        steps[node.name] = NodePlan(step, node_id, retained=stays)
        if stays:
            what = f"{node.name} ({node.host}) was not made to leave its swarm: {why}"
            again = "If it comes back as a member of this one, run on it: docker swarm leave --force"
            findings.append(warning("departure", (), what, again))
    plan = Plan(steps, known, order=nodes.order(world, steps), findings=tuple(findings))
    # A destroy makes no command that the state doesn't have. If one were declared, the engine would skip it
    # with all that comes after, and dial hosts that it is told not to.
    made = {name: one for name, one in commands.of_nodes(plan).items() if name in known.commands}
    return replace(plan, commands=made | commands.of_managers(settings, plan, stacks))


def _farewell(world: World, node: Node) -> tuple[Step, str]:
    """What becomes of a host when all is destroyed, and why it isn't made to leave."""
    host = world.observation.get(node.name)
    if host is None:
        return Step.LOST, "declared as lost"
    if host.problem:
        return Step.UNREACHABLE, host.problem
    standing = world.standings[node.name]
    if standing in (Standing.OURS, Standing.NONE):
        return Step.IN_PLACE, ""
    return Step.FOREIGN, f"{standing}" if standing is Standing.FOREIGN else f"{standing} to be ours"

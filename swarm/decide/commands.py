"""What each command does this time: on which host, how long, and which of its inputs are ignored. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from swarm.decide.plan import Action, Command, NodePlan, Plan, Step
from swarm.declare.compose import Service, Stack, Update
from swarm.declare.compose.amounts import NANOSECONDS, nanoseconds
from swarm.declare.settings import Node, Settings

JOIN_SECONDS = 180
TOKENS_SECONDS = 120
CONVERGENCE_SECONDS = 600  # and the drains' own time
START_SECONDS = 30  # that an update's next tasks get to start, beside the delay between them
REPORT_SHARE = 5  # a fifth more, to gather what is to be said of services,
REPORT_SECONDS = 60  # and this at least: it takes as long for services that get little time

NOTHING: tuple[str, ...] = ()
EVERY_INPUT = ("addPreviousOutputInEnv", "connection", "create", "delete", "logging", "stdin")
# A delete is one of an earlier version, by which the host would leave any swarm.
ALL_BUT_DELETE = tuple(one for one in EVERY_INPUT if one != "delete")

# The inputs of a node's membership and departure that may differ and are no difference, by its step.
IGNORED = {
    Step.INIT: (NOTHING, NOTHING),
    Step.JOIN: (NOTHING, NOTHING),
    Step.IN_PLACE: (ALL_BUT_DELETE, NOTHING),
    Step.UNREACHABLE: (EVERY_INPUT, NOTHING),
    Step.FOREIGN: (EVERY_INPUT, NOTHING),
    # A departure stays as it was where the way or the membership isn't known now.
    Step.ABSENT: (EVERY_INPUT, EVERY_INPUT),
    Step.LOST: (EVERY_INPUT, EVERY_INPUT),
}


def of_nodes(plan: Plan) -> dict[str, Command]:
    """The commands of each declared node, by name."""
    found = {}
    for node in (*plan.order.starters, *plan.order.managers, *plan.order.workers):
        both = _of_node(node, plan.nodes[node.name])
        found[f"{node.name}-membership"], found[f"{node.name}-departure"] = both
    return found


def _of_node(node: Node, plan: NodePlan) -> tuple[Command, Command]:
    """Who isn't to join isn't dialed: the membership has no script then. A departure has none but that of its
    delete; of a lost host no key need be known."""
    membership, departure = IGNORED[plan.step]
    joins = plan.step in (Step.INIT, Step.JOIN)
    lost = plan.step is Step.LOST
    purpose = f"{node.name} {plan.step}"
    return (
        Command(
            node, purpose, JOIN_SECONDS if joins else 0, membership, dialed=joins, retained=plan.retained
        ),
        Command(node, purpose, 0, departure, dialed=not lost, retained=plan.retained),
    )


def of_managers(settings: Settings, plan: Plan, stacks: Sequence[Stack]) -> dict[str, Command]:
    """The commands that a live manager runs for the swarm, by name. Where there is nothing to do, neither old
    tokens nor another manager to ask make a difference."""
    control, wait = settings.node(plan.control), settings.drain_timeout
    admits = plan.evictions or plan.steps(Step.JOIN)
    seconds = TOKENS_SECONDS + _draining(plan.evictions, wait)
    tokens = Command(control, "tokens", seconds, NOTHING if admits else EVERY_INPUT, wait)
    seconds = CONVERGENCE_SECONDS + _draining(plan.work, wait)
    convergence = Command(control, "convergence", seconds, NOTHING if plan.work else EVERY_INPUT, wait)
    settles = {f"{stack.name}-settle": _settle(settings, plan, stack) for stack in stacks}
    return {"tokens": tokens, "convergence": convergence, **settles}


def _draining(actions: Iterable[Action], wait: int) -> int:
    return sum(one.verb == "drain" for one in actions) * wait


def _settle(settings: Settings, plan: Plan, stack: Stack) -> Command:
    wait = settle_limit(stack.services, len(settings.nodes), settings.settle_timeout)
    ignored = EVERY_INPUT if _is_settled(plan, stack) else NOTHING
    control = settings.node(plan.control)
    return Command(control, f"settle {stack.name}", settle_bound(wait), ignored, wait)


def _is_settled(plan: Plan, stack: Stack) -> bool:
    """Whether a stack's services need no waiting for: all are complete, and nothing is done to nodes, by
    which tasks come or move. While nodes stay down, tasks that are missing don't count: waiting could not
    help, and a warning reports them."""
    there = {one.name: one for one in plan.cluster.services} if plan.cluster else {}
    found = [there.get(stack.full(service.name)) for service in stack.services]
    if plan.complete:
        return not plan.outline() and all(one and one.settled for one in found)
    return all(one and not one.moving for one in found)


def settle_limit(services: Iterable[Service], nodes: int, seconds: int) -> int:
    """The seconds that services get to settle: those given, and more, the more rounds their longest update
    takes. `nodes`: how many run a task of a global service."""
    return seconds + math.ceil(max(_rounds(services, nodes), default=0))


def _rounds(services: Iterable[Service], nodes: int) -> Iterator[float]:
    for service in services:
        update, tasks = service.update or Update(), nodes if service.replicas is None else service.replicas
        if update.parallelism and tasks:  # 0: all at once
            between = nanoseconds(update.delay) / NANOSECONDS["s"] + START_SECONDS
            yield (math.ceil(tasks / update.parallelism) - 1) * between


def settle_bound(seconds: int) -> int:
    """The seconds after which the script is ended that gives services so many to settle."""
    return seconds + max(REPORT_SECONDS, seconds // REPORT_SHARE)

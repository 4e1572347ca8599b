"""The arithmetic of the managers' majority, before and after every step. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swarm.decide.plan import Action, Plan, Step
from swarm.decide.world import World
from swarm.finding import Finding, failed

CHECK = "majority"
RECOVERY = (
    "Start them again. If they are gone for good, run on one that is left: "
    "docker swarm init --force-new-cluster --advertise-addr ITS_ADDRESS"
)


def quorum(world: World, plan: Plan) -> Iterator[Finding]:
    """Goes through evictions, joins and work, step by step; refuses the first after which too few
    managers are left for a majority."""
    if not world.cluster:
        return
    silent = {one.node_id for one in plan.nodes.values() if one.step in (Step.UNREACHABLE, Step.LOST)}
    managers = {
        one.id: one.ready and one.id not in silent for one in world.entries.values() if one.role == "manager"
    }
    if _short(managers):
        yield _lacking(world, plan, managers)
        return
    for action in (*plan.evictions, *_joins(world, plan), *plan.work):
        if action.verb == "promote":
            managers[action.node_id or action.name] = True
        elif action.verb in ("demote", "remove"):
            managers.pop(str(action.node_id), None)
        if short := _short(managers):
            what = f"`{action.verb} {action.name}` would leave {len(managers)} managers of which {short}"
            yield failed(CHECK, (), what, "Bring managers back first")
            return


def _joins(world: World, plan: Plan) -> Iterator[Action]:
    """A manager that joins counts as one that is promoted."""
    for node in world.settings.nodes:
        if node.manager and plan.nodes[node.name].step is Step.JOIN:
            yield Action("promote", node.name)


def _short(managers: Mapping[str, bool]) -> str:
    """Why these, by ID with whether they can be reached, are no majority; empty where they are one."""
    reachable, needed = sum(managers.values()), len(managers) // 2 + 1
    return (
        "" if reachable >= needed else f"{reachable} can be reached, and {needed} are needed for a majority"
    )


def _lacking(world: World, plan: Plan, managers: Mapping[str, bool]) -> Finding:
    declared = {one.node_id for one in plan.nodes.values()}
    missing = sorted(
        world.entries[one].name + ("" if one in declared else " (not declared)")
        for one, takes_part in managers.items()
        if not takes_part
    )
    what = f"of {len(managers)} managers {_short(managers)}. Missing: {', '.join(missing)}"
    return failed(CHECK, (), what, RECOVERY)

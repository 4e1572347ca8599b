"""What is refused: a tuple of rules, each of which says what speaks against a plan, and the remedy. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from swarm.decide import host_refusals, placement
from swarm.decide.ownership import is_labelled, owners
from swarm.decide.plan import Plan, Step
from swarm.decide.quorum import RECOVERY, quorum
from swarm.decide.world import World
from swarm.declare import ordering
from swarm.declare.labels import NAME_LABEL
from swarm.finding import Finding, failed
from swarm.observe.model import Cluster

Rule = Callable[[World, Plan], Iterable[Finding]]

MAKING = {
    "network": "docker network create --driver overlay {}",
    "secret": "docker secret create {} FILE",
    "config": "docker config create {} FILE",
}


def refusals(world: World, plan: Plan) -> list[Finding]:
    """All that the rules say; where they say nothing, that no manager takes the commands, if so it is."""
    found = [one for rule in RULES for one in rule(world, plan)]
    if not plan.control and not found:
        remedy = "Declare one of the live managers as a manager"
        found.append(failed("control", (), "no manager answers that is to stay one", remedy))
    return found


def several_swarms(world: World, _: Plan) -> Iterator[Finding]:
    """It can't be told which one is meant."""
    if len(world.candidates) > 1:
        where = "; ".join(f"{one.id} ({_hosts_of(one, world)})" for one in world.candidates)
        what = f"the hosts are in {len(world.candidates)} swarms: {where}"
        yield failed("ownership", (), what, "Leave it to one of them")


def not_ours(world: World, _: Plan) -> Iterator[Finding]:
    """A swarm is touched if it is ours, or is to be taken over."""
    if world.cluster and not world.ours and not world.settings.adopt:
        why, remedy = _whose(world, world.cluster)
        what = f"{_hosts_of(world.cluster, world)}: in swarm {world.cluster.id} already, and {why}"
        yield failed("ownership", (), what, remedy)


def _hosts_of(cluster: Cluster, world: World) -> str:
    """The names of the hosts that show a swarm."""
    hosts = world.observation.items()
    return ", ".join(name for name, host in hosts if host.cluster and host.cluster.id == cluster.id)


def _whose(world: World, cluster: Cluster) -> tuple[str, str]:
    """Why a swarm isn't ours, and the way to take it over."""
    found = owners(cluster)
    adopt = "pulumi config set swarm:adopt true"
    if len(found) > 1:
        why = f"it carries the labels of {len(found)} owners: {', '.join(map(str, found))}"
        return why, f"Find out who looks after it; to take it over from all of them: {adopt}"
    if found and found[0].stack == world.settings.owner_label:
        return (
            f"it is looked after from another state of {found[0]}",
            f"Use that state (PULUMI_BACKEND_URL); if it is gone, take the swarm into this one: {adopt}, and "
            "after one up take the key out again",
        )
    leave = "To have its hosts for a swarm of ours, run on each of them: docker swarm leave --force"
    why = f"it belongs to {found[0]}" if found else "it isn't marked as ours"
    return why, f"To take that swarm over: {adopt}. {leave}"


def not_adoptable(world: World, plan: Plan) -> Iterator[Finding]:
    """Nodes that another owner has labelled, and that nobody declares here: ownership would leave them
    behind."""
    if world.cluster and not world.ours and world.settings.adopt:
        for entry in world.entries.values():
            name = entry.labels.get(NAME_LABEL)
            if name and name not in plan.nodes and not is_labelled(world.known, entry):
                what = f"{name} ({entry.id}): a node of the swarm that is taken over, and not declared here"
                yield failed("ownership", (), what, "Declare it; or have its owner take it out first")


def leaderless(world: World, _: Plan) -> Iterator[Finding]:
    """Members without a leader to be seen: the one case in which a second swarm could be made."""
    managers = [name for name, host in world.observation.items() if host.leaderless]
    if managers and not world.candidates:
        what = "in a swarm that has no leader, so more than half of its managers can't be reached"
        anew = "or, to begin anew, on every host that is left: docker swarm leave --force"
        yield failed("leader", managers, what, f"{RECOVERY}; {anew}")


def managers_silent(world: World, _: Plan) -> Iterator[Finding]:
    """Members whose managers don't show their swarm."""
    hosts = world.observation.items()
    if world.candidates or any(host.leaderless for _, host in hosts):
        return
    for name, host in hosts:
        if host.state == "locked":
            yield host_refusals.is_locked(name)
        elif host.member:
            what = f"in a swarm whose managers ({', '.join(host.managers) or 'unknown'}) give no answer"
            gone = "if that swarm is gone for good, run on it: docker swarm leave"
            yield failed("leader", name, what, f"Start them again; {gone}")


def may_live(world: World, plan: Plan) -> Iterator[Finding]:
    """A swarm is never started while one that this stack has made may live somewhere."""
    if not plan.steps(Step.INIT):
        return
    declared = {node.name: node for node in world.settings.nodes}
    lives = "the state knows it as a node of this stack's swarm"
    for name in world.known.node_ids:
        host, node = world.observation.get(name), declared.get(name)
        if node is None:
            what = (
                f"{lives}, it isn't declared any more, and that swarm isn't to be seen, so it may live there"
            )
            remedy = "Put it back into the configuration; with lost: true if it is gone for good"
            yield failed("ownership", name, what, remedy)
        elif host and host.problem:
            what = f"{lives}, which isn't to be seen, so it may live there: {host.problem}"
            remedy = "Start it; or, if it is gone for good, declare it lost: true"
            yield failed("ownership", host_refusals.place(node), what, remedy)


def fixed_settings(world: World, _: Plan) -> Iterator[Finding]:
    """What is fixed at the init and declared otherwise now."""
    settings, cluster = world.settings, world.cluster
    if not cluster:
        return
    pairs = {
        "addressPool": (
            settings.address_pool and str(settings.address_pool),
            cluster.address_pool,
        ),
        "dataPathPort": (settings.data_path_port, cluster.data_path_port),
    }
    for key, (declared, actual) in pairs.items():
        if declared not in (None, actual):
            what = f"swarm:{key} {declared}: the swarm was started with {actual}, which can't be changed"
            yield failed("settings", (), what, "Set it to that; or destroy and make the swarm anew")


def left_while_down(_: World, plan: Plan) -> Iterator[Finding]:
    """A node that left the configuration can be emptied only while it is Ready."""
    for name, entry in plan.roster.leavers:
        if name not in plan.nodes and not entry.ready:
            what = (
                f"taken out of the configuration while it is {entry.state}, so its tasks can't be moved away "
                "in order"
            )
            remedy = "Start it; or, if it is gone for good, put it back with `lost: true`"
            yield failed("departure", name, what, remedy)


def stranger_managers(world: World, plan: Plan) -> Iterator[Finding]:
    """Managers that nobody declares."""
    what = "a manager of our swarm that nobody declares: it sees every secret, and counts for the majority"
    at = len(world.settings.other_nodes)
    for entry in plan.roster.strangers:
        if entry.role == "manager":
            who = f"{entry.hostname} ({entry.id}, {entry.address})"
            removal = f"docker node demote {entry.id}; docker node rm {entry.id}"
            way = f"pulumi config set --path 'swarm:otherNodes[{at}]' {entry.hostname}"
            remedy = f"Declare it; or demote and remove it ({removal}); or let it stay: {way}"
            yield failed("strangers", who, what, remedy)


def missing(world: World, _: Plan) -> Iterator[Finding]:
    """What stacks need that none of them makes, and the swarm hasn't."""
    made = ordering.owners(world.stacks)
    for stack in world.stacks:
        needed = {
            "network": [one.full for one in stack.networks if one.external and one.full not in made],
            "secret": [one.external for one in stack.secrets if one.external],
            "config": stack.external_configs,
        }
        for kind, names in needed.items():
            there = getattr(world.cluster, f"{kind}s", {})
            for name in (name for name in names if name not in there):
                what = f"stack {stack.name} needs the external {kind} {name}, which the swarm doesn't have"
                remedy = f"Make it there, on a manager: {MAKING[kind].format(name)}"
                yield failed("external", (), what, remedy)


RULES: tuple[Rule, ...] = (
    several_swarms,
    not_ours,
    not_adoptable,
    leaderless,
    managers_silent,
    host_refusals.by_host,
    host_refusals.silent,
    may_live,
    fixed_settings,
    left_while_down,
    quorum,
    stranger_managers,
    missing,
    placement.stuck,
    placement.narrow,
)

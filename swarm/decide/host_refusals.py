"""What is refused of single hosts. Pure; what makes a host unfit is in health.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from swarm.decide import nodes
from swarm.decide.ownership import Standing
from swarm.decide.plan import Plan, Step
from swarm.decide.world import World
from swarm.declare.labels import NAME_LABEL
from swarm.declare.settings import Node
from swarm.finding import Finding, failed
from swarm.observe.model import Host

CHECK = "hosts"
HostRule = Callable[[World, Node, Host, Step], Finding | None]


def by_host(world: World, plan: Plan) -> Iterator[Finding]:
    """What the rules say of each host that was probed."""
    for node in world.settings.nodes:
        if host := world.observation.get(node.name):
            found = (rule(world, node, host, plan.nodes[node.name].step) for rule in RULES)
            yield from (one for one in found if one)


def place(node: Node) -> str:
    """A node, with where it is declared to be."""
    return f"{node.name} ({node.host})"


def refusing(world: World, node: Node, host: Host, _: Step) -> Finding | None:
    """A host that turns us away is no silent one: whatever it is, it may live."""
    if not host.refuses or _may_be_silent(world, node):
        return None
    remedy = (
        "Find out whether that is the same machine before anything else: compare the key with the host's "
        "own console, and only then put the new one into knownHostsFile"
        if host.alarming
        else "Correct the way to it, or its rights"
    )
    without = "or go on without it: name it in swarm:unreachable"
    return failed(CHECK, place(node), f"it refuses us: {host.problem}", f"{remedy}; {without}")


def leaderless(world: World, node: Node, host: Host, step: Step) -> Finding | None:
    """A manager that shows no swarm, and isn't in our swarm's list."""
    if not (step is Step.ABSENT and host.leaderless and world.cluster):
        return None
    what = f"in a swarm that has no leader and isn't known to be {world.cluster.id}, ours"
    return failed(CHECK, place(node), what, _farewell("docker swarm leave --force"))


def hung(world: World, node: Node, host: Host, step: Step) -> Finding | None:
    """No swarm is started beside one that an engine doesn't tell of."""
    absent = step is Step.ABSENT and host.problem and not host.refuses
    if not absent or not host.answers or world.cluster or _may_be_silent(world, node):
        return None
    remedy = "Make its engine answer, or take it out of the configuration"
    return failed(CHECK, place(node), f"{host.problem}, so it may be in a swarm", remedy)


def silent_leader(world: World, node: Node, host: Host, step: Step) -> Finding | None:
    """Whatever may be silent at the start of a swarm: not who starts it."""
    said = (host.refuses or host.answers) and not _may_be_silent(world, node)
    if step is not Step.ABSENT or not host.problem or said or world.cluster or node.role != "leader":
        return None
    what = f"is to start the swarm and gives no answer: {host.problem}"
    return failed(CHECK, place(node), what, "Start it")


def silent(world: World, plan: Plan) -> Iterator[Finding]:
    """Hosts that give no answer and aren't known as members: together, for the ways to go on without each."""
    hosts: dict[str, list[Node]] = defaultdict(list)
    for node in world.settings.nodes:
        host = world.observation.get(node.name)
        if host and plan.nodes[node.name].step is Step.ABSENT and _keeps_from(world, node, host):
            hosts[str(host.problem)].append(node)
    at = len(world.settings.unreachable)
    for problem, found in hosts.items():
        ways = ["pulumi config set swarm:allowUnreachable true"]
        if not world.cluster:
            way = "pulumi config set --path 'swarm:unreachable[{}]' {}"
            ways = [way.format(at + after, node.name) for after, node in enumerate(found)]
            at += len(found)
        remedy = f"Start it; or go on without it: {' && '.join(ways)}"
        yield failed(CHECK, [place(node) for node in found], problem, remedy)


def _keeps_from(world: World, node: Node, host: Host) -> bool:
    """Whether a host's silence keeps us from going on, and no other rule says so."""
    if not host.problem or host.refuses or _may_be_silent(world, node):
        return False
    if world.cluster:
        return not world.settings.allow_unreachable
    return not host.answers and node.role != "leader"


def _may_be_silent(world: World, node: Node) -> bool:
    return node.name in world.settings.unreachable


def foreign(world: World, node: Node, host: Host, step: Step) -> Finding | None:
    """A host that isn't known to be in our swarm."""
    if not world.cluster or step is not Step.FOREIGN:
        return None
    ours = f"{world.cluster.id}, ours"
    if world.standings[node.name] is Standing.UNKNOWN:
        what = f"{Standing.UNKNOWN}, and may be another's than {ours}"
        remedy = f"Wait until its engine is active. {_farewell('docker swarm leave --force')}"
    elif host.state == "locked":
        what = f"in a locked swarm that isn't known to be {ours}"
        unlock = "Unlock it to see whose it is (run on it: docker swarm unlock)"
        remedy = f"{unlock}, or take it out of the configuration"
    else:
        force = " --force" if host.manager or host.state == "error" else ""
        what = f"in {_whose(host)}, and ours is {world.cluster.id}"
        remedy = _farewell(f"docker swarm leave{force}")
    return failed(CHECK, place(node), what, remedy)


def _whose(host: Host) -> str:
    """The other swarm that a host is in."""
    managers = ", ".join(host.managers) or "that it doesn't name"
    whose = f"swarm {host.cluster.id}" if host.cluster else f"the swarm of managers {managers}"
    error = host.error or "that its engine has no words for"
    return f"{whose}, with an error ({error})" if host.state == "error" else whose


def _farewell(command: str) -> str:
    """The milder remedy first: the swarm may be somebody's."""
    return f"Take it out of the configuration; or, if that swarm may lose it, run on it: {command}"


def locked(world: World, node: Node, host: Host, step: Step) -> Finding | None:
    """A member of our swarm whose engine waits for the key."""
    locked_up = world.cluster and host.state == "locked" and step is not Step.FOREIGN
    return is_locked(node.name) if locked_up else None


def is_locked(name: str) -> Finding:
    """A host whose engine waits for the key of its swarm."""
    return failed("lock", name, "its swarm is locked", "Run on it: docker swarm unlock")


def misplaced(_: World, node: Node, host: Host, step: Step) -> Finding | None:
    """A manager keeps the address that a swarm which is taken over has of it."""
    if step is not Step.IN_PLACE or host.state == "locked" or not nodes.moved(node, host):
        return None
    what = f"the swarm that is taken over reaches this manager at {host.address}"
    return failed(CHECK, place(node), what, f"Declare that: advertiseAddress: {host.address}")


def misnamed(world: World, node: Node, host: Host, step: Step) -> Finding | None:
    """A node keeps its name."""
    if step is not Step.IN_PLACE or host.state == "locked":
        return None
    called = world.entries[host.node_id].labels.get(NAME_LABEL, node.name)
    if called == node.name:
        return None
    remedy = (
        f"A name can't be changed: take {called} out of the configuration, pulumi up, then add {node.name}"
    )
    return failed(CHECK, place(node), f"the swarm knows this machine as {called}", remedy)


RULES: tuple[HostRule, ...] = (
    refusing,
    leaderless,
    hung,
    silent_leader,
    foreign,
    locked,
    misplaced,
    misnamed,
)

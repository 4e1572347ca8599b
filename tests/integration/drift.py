"""What may become of a swarm behind Pulumi's back: a row each, which the tests make, and docs/drift.md lists.

A row is made by hand on a whole swarm. Its names stand for any: NODE is the one that it happens to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from components import state
from components.scripts import manager as manager_scripts
from swarm.decide.plan import Action
from swarm.declare.labels import OWNER_LABEL, STACK_LABEL
from tests.integration.deployment import Deployment

EVERY = "every node"

REPAIRED, REFUSED, REPORTED, NOTHING = "repaired", "refused", "reported", "no difference"

WORKER, MANAGER, STRANGER = "swarm-worker-02", "swarm-manager-02", "swarm-worker-03"


@dataclass(frozen=True)
class Row:
    """`happen` makes it, and gives the name of the node that it happened to. `says` are the preview's
    words; `touches` are the resources that an up then changes, of a repaired one (`*`: of every node);
    `heal` puts an end to what an up leaves alone. `sizes` are those of the group of managers on which it
    can happen; `depends` where they make a difference."""

    what: str
    happen: Callable[[Deployment], str]
    answer: str
    says: tuple[str, ...] = ()
    does: str = ""
    touches: tuple[str, ...] = ()
    heal: Callable[[Deployment, str], None] | None = None
    moves: bool = False  # the node's tasks go elsewhere meanwhile
    sizes: tuple[int, ...] = (1, 3, 5)
    depends: bool = False

    @property
    def anew(self) -> bool:
        """Whether the node joins anew, so that its ID and its tasks are others."""
        return "tokens" in self.touches and any("departure" in one for one in self.touches)

    def said(self, output: str, node: str) -> bool:
        """Whether a preview has the words, with the node's name filled in and anything for a `…`."""
        patterns = (".*?".join(map(re.escape, one.replace("NODE", node).split("…"))) for one in self.says)
        return all(re.search(pattern, output) for pattern in patterns)

    def resources(self, node: str, nodes: Collection[str]) -> set[str]:
        """The names of the resources that an up must touch, and no others."""
        return {
            one.replace("NODE", node).replace("*", name)
            for one in self.touches
            for name in (nodes if "*" in one else (node,))
        }


def on(node: str, command: str) -> Callable[[Deployment], str]:
    """A command on a node."""

    def happen(deployment: Deployment) -> str:
        deployment.lab.run(node, command)
        return node

    return happen


def on_leader(command: str) -> Callable[[Deployment], str]:
    """A command on the node that leads."""
    return lambda deployment: on(deployment.leader(), command)(deployment)


def through_manager(command: str, node: str) -> Callable[[Deployment], str]:
    """A docker command on a manager, about a node."""

    def happen(deployment: Deployment) -> str:
        for one in command.split("; "):
            deployment.docker(one.replace("NODE", node))
        return node

    return happen


def reimaged(*nodes: str) -> Callable[[Deployment], str]:
    """Hosts made anew under their names and addresses; the user takes their new host keys over."""

    def happen(deployment: Deployment) -> str:
        for node in nodes:
            deployment.lab.reimage(node)
        return nodes[0]

    return happen


def stopped(*nodes: str) -> Callable[[Deployment], str]:
    """Hosts without power."""

    def happen(deployment: Deployment) -> str:
        with ThreadPoolExecutor() as pool:
            list(pool.map(deployment.lab.stop, nodes))
        return nodes[0]

    return happen


def started(*nodes: str) -> Callable[[Deployment, str], None]:
    """Power for them again."""

    def heal(deployment: Deployment, _: str) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(deployment.lab.start, nodes))

    return heal


def back(*nodes: str) -> Callable[[Deployment, str], None]:
    """Power for them again, once the others know that they are down."""

    def heal(deployment: Deployment, node: str) -> None:
        deployment.until_known_down(*nodes)
        started(*nodes)(deployment, node)

    return heal


def leader_stopped(deployment: Deployment) -> str:
    return stopped(deployment.leader())(deployment)


def engine_stopped(node: str) -> Callable[[Deployment], str]:
    def happen(deployment: Deployment) -> str:
        deployment.lab.stop_engine(node)
        return node

    return happen


def engine_started(deployment: Deployment, node: str) -> None:
    deployment.until_known_down(node)
    deployment.lab.start_engine(node)


def other_version(node: str, ours: str, other: str) -> Callable[[Deployment], str]:
    """The same engine, saying another version of itself: what an upgrade is to who only looks."""

    def happen(deployment: Deployment) -> str:
        path = "$(readlink -f /usr/sbin/dockerd)"
        deployment.lab.run(node, f"sed 's/{ours}/{other}/g' {path} >/tmp/engine")
        # It is away for a moment only: the managers must not begin to take it for down.
        deployment.lab.stop_engine(node)
        deployment.lab.run(node, f"cat /tmp/engine >{path}; rm /tmp/engine")
        deployment.lab.start_engine(node)
        return node

    return happen


def own_version(deployment: Deployment, node: str) -> None:
    other_version(node, "27[.]1[.]5", "26.1.5")(deployment)


def in_swarm_of_its_own(node: str) -> Callable[[Deployment], str]:
    return on(
        node, "docker swarm leave --force && docker swarm init --default-addr-pool 10.20.0.0/16 >/dev/null"
    )


def left(deployment: Deployment, node: str) -> None:
    deployment.lab.run(node, "docker swarm leave --force")


def in_another_swarm(deployment: Deployment) -> str:
    """A host that is none of ours starts a swarm, and a worker of ours joins that one."""
    address = deployment.lab.node(STRANGER).address
    deployment.lab.run(STRANGER, "docker swarm init --default-addr-pool 10.40.0.0/16 >/dev/null")
    token = deployment.lab.run(STRANGER, "docker swarm join-token -q worker").strip()
    deployment.lab.run(WORKER, f"docker swarm leave; docker swarm join --token {token} {address}:2377")
    return WORKER


def both_swarms_left(deployment: Deployment, node: str) -> None:
    left(deployment, node)
    left(deployment, STRANGER)


def joined_again(deployment: Deployment) -> str:
    """A manager leaves, and is joined by hand."""
    address = deployment.lab.node("swarm-manager-01").address
    token = deployment.docker("swarm join-token -q manager").strip()
    join = f"docker swarm join --availability drain --token {token} {address}:2377"
    deployment.lab.run(MANAGER, f"docker swarm leave --force && {join}")
    return MANAGER


def all_left(deployment: Deployment) -> str:
    for node in reversed(deployment.declared):
        deployment.lab.run(node["name"], "docker swarm leave --force")
    return "swarm-manager-01"


def everything_restarted(deployment: Deployment) -> str:
    names = [node["name"] for node in deployment.declared]
    stopped(*names)(deployment)
    started(*names)(deployment, "")
    return EVERY


def elected(deployment: Deployment) -> str:
    """The leader's engine is killed; another leads before it is back."""
    old = deployment.leader()
    deployment.lab.stop_engine(old, "KILL")
    assert deployment.leader() != old
    deployment.lab.start_engine(old)
    return old


def sshd_frozen(deployment: Deployment) -> str:
    deployment.lab.console(WORKER, "pkill -STOP -x sshd")
    return WORKER


def sshd_thawed(deployment: Deployment, node: str) -> None:
    deployment.lab.console(node, "pkill -CONT -x sshd")


def second_address(deployment: Deployment, node: str) -> str:
    """One more address of a node's host, known like its first one."""
    lab = deployment.lab
    address = lab.node(node).address
    first, last = address.rsplit(".", 1)
    other = f"{first}.{int(last) + 100}"
    lab.run(node, f"ip address show dev eth0 | grep -q '{other}/' || ip address add {other}/24 dev eth0")
    known = lab.known_hosts.read_text()
    key = next(line.split(" ", 1)[1] for line in known.splitlines() if line.startswith(f"{address} "))
    if f"{other} " not in known:
        lab.known_hosts.write_text(f"{known}{other} {key}\n")
    return other


def at_another_address(node: str) -> Callable[[Deployment], str]:
    def happen(deployment: Deployment) -> str:
        deployment.declare(node, host=second_address(deployment, node))
        return node

    return happen


def at_its_own_address(deployment: Deployment, node: str) -> None:
    deployment.declare(node, host=deployment.lab.node(node).address)


def renamed(deployment: Deployment) -> str:
    deployment.declare(WORKER, name="another-name")
    return "another-name"


def called_as_before(deployment: Deployment, node: str) -> None:
    deployment.declare(node, name=WORKER)


def dead_swarm_left(deployment: Deployment, _: str) -> None:
    """What the refusal tells to run where the only manager is gone for good; the next up starts anew."""
    for node in deployment.declared:
        deployment.lab.run(node["name"], "docker swarm leave --force || true")


def stranger_joins(role: str) -> Callable[[Deployment], str]:
    """A host that nobody declares joins by hand."""

    def happen(deployment: Deployment) -> str:
        token = deployment.docker(f"swarm join-token -q {role}").strip()
        manager = deployment.lab.node("swarm-manager-01").address
        deployment.lab.run(STRANGER, f"docker swarm join --token {token} {manager}:2377")
        return STRANGER

    return happen


def stranger_leaves(deployment: Deployment, node: str) -> None:
    deployment.docker(f"node demote {node}")
    deployment.lab.run(node, "docker swarm leave --force")
    deployment.docker(f"node rm --force {node}")


def relabeled(**labels: str) -> Callable[[Deployment], str]:
    """The swarm's own labels are these, by the Engine's API, for Docker's client has no option for them."""

    def happen(deployment: Deployment) -> str:
        relabel(deployment, labels)
        return "swarm-manager-01"

    return happen


def relabel(deployment: Deployment, labels: Mapping[str, str]) -> None:
    cluster = json.loads(deployment.docker("info --format '{{json .Swarm.Cluster}}'"))
    spec = json.dumps({**cluster["Spec"], "Labels": dict(labels)})
    claim = Action("claim", "by-hand", None, (str(cluster["Version"]["Index"]), spec))
    script = manager_scripts.tokens([claim], 0)
    deployment.lab.run(deployment.leader(), "sh -s by-hand marker", input=script)


def ours_again(deployment: Deployment, _: str) -> None:
    owner = next(one["outputs"]["owner"] for one in deployment.resources() if one["type"] == state.CLUSTER)
    relabel(deployment, {STACK_LABEL: f"swarm/{deployment.stack}", OWNER_LABEL: owner})


def stranger_service_removed(deployment: Deployment, _: str) -> None:
    deployment.docker("service rm shop_extra")


def other_host_key(deployment: Deployment) -> str:
    """Another key than the one that is known: what a machine in the middle would have."""
    known = deployment.lab.known_hosts
    address = deployment.lab.node(WORKER).address
    other = next(line for line in known.read_text().splitlines() if not line.startswith(f"{address} "))
    lines = [
        f"{address} {other.split(' ', 1)[1]}" if line.startswith(f"{address} ") else line
        for line in known.read_text().splitlines()
    ]
    (deployment.folder / "known_hosts").write_text("\n".join(lines) + "\n")
    ssh = deployment.settings["swarm:ssh"]
    deployment.configure(ssh={**ssh, "knownHostsFile": str(deployment.folder / "known_hosts")})
    return WORKER


def own_host_key(deployment: Deployment, _: str) -> None:
    ssh = deployment.settings["swarm:ssh"]
    deployment.configure(ssh={**ssh, "knownHostsFile": str(deployment.lab.known_hosts)})


DEAD = (
    "in a swarm whose managers (…) give no answer. Start them again; if that swarm is gone for good, "
    "run on it: docker swarm leave"
)
JOINED = ("NODE-membership", "NODE-departure", "tokens", "convergence")

ROWS = (
    Row(
        "a worker leaves the swarm",
        on(WORKER, "docker swarm leave"),
        REPAIRED,
        ("to be done: NODE joins; remove NODE's old entry",),
        "it joins; its old entry is removed",
        JOINED,
    ),
    Row(
        "a manager leaves the swarm",
        on(MANAGER, "docker swarm leave --force"),
        REPAIRED,
        ("to be done: demote NODE's old entry; remove NODE's old entry; NODE joins",),
        "its old entry is demoted and removed, so that it doesn't count; it joins",
        JOINED,
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "the leader's host leaves the swarm, others lead on",
        on_leader("docker swarm leave --force"),
        REPAIRED,
        ("to be done: demote NODE's old entry; remove NODE's old entry; NODE joins",),
        "it joins through another manager; no second swarm is started",
        JOINED,
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "the only manager leaves the swarm",
        on("swarm-manager-01", "docker swarm leave --force"),
        REFUSED,
        (DEAD,),
        "the workers are still members of a swarm that has no manager",
        heal=dead_swarm_left,
        sizes=(1,),
        depends=True,
    ),
    Row(
        "a worker is removed by `docker node rm --force`",
        through_manager("node rm --force NODE", WORKER),
        REPAIRED,
        ("to be done: NODE joins",),
        "it leaves the membership that the swarm doesn't know any more, and joins",
        JOINED,
    ),
    Row(
        "a manager is demoted and removed by `docker node rm --force`",
        through_manager("node demote NODE; node rm --force NODE", MANAGER),
        REPAIRED,
        ("to be done: NODE joins",),
        "it leaves the membership that the swarm doesn't know any more, and joins",
        JOINED,
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "a manager left, and was joined again by hand",
        joined_again,
        REPAIRED,
        ("to be done: demote NODE's old entry; remove NODE's old entry; update NODE",),
        "its old entry is demoted and removed, so that it doesn't count; the new one gets our label",
        ("NODE-departure", "tokens", "convergence"),
        sizes=(3, 5),
    ),
    Row(
        "a worker's host is made anew under its name and address",
        reimaged(WORKER),
        REPAIRED,
        ("to be done: NODE joins; remove NODE's old entry",),
        "it joins; its old entry is removed",
        JOINED,
    ),
    Row(
        "a manager's host is made anew under its name and address",
        reimaged(MANAGER),
        REPAIRED,
        ("to be done: demote NODE's old entry; remove NODE's old entry; NODE joins",),
        "its old entry is demoted and removed, so that it doesn't count; it joins",
        JOINED,
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "the only manager's host is made anew",
        reimaged("swarm-manager-01"),
        REFUSED,
        (DEAD,),
        "the swarm is gone with it, and the workers are still members",
        heal=dead_swarm_left,
        sizes=(1,),
        depends=True,
    ),
    Row(
        "a node is drained",
        through_manager("node update --availability drain NODE", WORKER),
        REPAIRED,
        ("to be done: update NODE --availability=active",),
        "its availability is as declared again",
        ("convergence",),
        moves=True,
    ),
    Row(
        "a node's label is changed or removed",
        through_manager("node update --label-rm disk NODE", "swarm-worker-01"),
        REPAIRED,
        ("to be done: update NODE --label-add=disk=ssd",),
        "the label is as declared again",
        ("convergence",),
    ),
    Row(
        "a node gets a label that isn't declared",
        through_manager("node update --label-add extra=1 NODE", WORKER),
        REPAIRED,
        ("to be done: update NODE --label-rm=extra",),
        "it is removed: labels belong to the configuration",
        ("convergence",),
    ),
    Row(
        "a worker is promoted",
        through_manager("node promote NODE", WORKER),
        REPAIRED,
        ("to be done: demote NODE",),
        "it is demoted, and keeps its identity and its tasks",
        ("convergence",),
    ),
    Row(
        "a manager is demoted",
        through_manager("node demote NODE", MANAGER),
        REPAIRED,
        ("to be done: promote NODE",),
        "it is promoted, and keeps its identity",
        ("convergence",),
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "a host is in a swarm of its own",
        in_swarm_of_its_own(WORKER),
        REFUSED,
        ("NODE (…): in swarm …, and ours is …. Take it out of the configuration; or, …leave --force",),
        "it may be somebody's",
        heal=left,
    ),
    Row(
        "a host has joined another swarm",
        in_another_swarm,
        REFUSED,
        ("NODE (…): in the swarm of managers …, and ours is …. Take it out of the configuration; or, …",),
        "it may be somebody's",
        heal=both_swarms_left,
    ),
    Row(
        "the Docker Engine of a host that answers SSH is stopped",
        engine_stopped("swarm-worker-01"),
        REPORTED,
        ("NODE is a member that gives no answer, and is left alone: its Docker Engine gives no answer",),
        "when it is back it takes its place by itself",
        heal=engine_started,
    ),
    Row(
        "a worker's host is down",
        stopped(WORKER),
        REPORTED,
        ("NODE is a member that gives no answer, and is left alone",),
        "when it is back its engine takes its place by itself",
        heal=back(WORKER),
    ),
    Row(
        "a manager's host is down",
        stopped(MANAGER),
        REPORTED,
        ("NODE is a member that gives no answer, and is left alone",),
        "the others are a majority",
        heal=back(MANAGER),
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "the leader's host is down",
        leader_stopped,
        REPORTED,
        ("NODE is a member that gives no answer, and is left alone",),
        "another leads, and takes the control commands",
        heal=lambda deployment, node: back(node)(deployment, node),
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "three hosts are down at once",
        stopped(MANAGER, "swarm-worker-01", WORKER),
        REPORTED,
        (
            "NODE is a member that gives no answer, and is left alone",
            "swarm-worker-01 is a member that gives no answer, and is left alone",
            "swarm-worker-02 is a member that gives no answer, and is left alone",
        ),
        "as long as a majority of the managers answers",
        heal=back(MANAGER, "swarm-worker-01", WORKER),
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "the only manager's host is down",
        stopped("swarm-manager-01"),
        REFUSED,
        (DEAD,),
        "nothing can be done without it",
        heal=started("swarm-manager-01"),
        sizes=(1,),
        depends=True,
    ),
    Row(
        "two of three managers are down",
        stopped(MANAGER, "swarm-manager-03"),
        REFUSED,
        ("Start them again. If they are gone for good, run on one that is left: docker swarm init",),
        "nothing can be done without a majority",
        heal=started(MANAGER, "swarm-manager-03"),
        sizes=(3,),
        depends=True,
    ),
    Row(
        "all hosts have left the swarm",
        all_left,
        REPAIRED,
        ("to be done: NODE starts the swarm; …swarm-worker-02 joins",),
        "a swarm is started anew, services too",
        ("*-membership", "*-departure", "tokens", "convergence"),
        depends=True,
    ),
    Row(
        "a worker is declared at another address of its host",
        at_another_address(WORKER),
        REPAIRED,
        (),
        "it stays a member; it is reached there from now on",
        ("NODE-departure",),
        heal=at_its_own_address,
    ),
    Row(
        "a manager is declared at another address of its host",
        at_another_address(MANAGER),
        REPAIRED,
        ("to be done: drain NODE's old entry; demote NODE's old entry; remove NODE's old entry; NODE joins",),
        "the managers keep an address for good, so it leaves and joins anew",
        JOINED,
        heal=at_its_own_address,
        sizes=(3, 5),
        depends=True,
    ),
    Row(
        "the only manager is declared at another address of its host",
        at_another_address("swarm-manager-01"),
        REFUSED,
        ("would leave 0 managers of which 0 can be reached, and 1 are needed for a majority",),
        "declare more managers first",
        heal=at_its_own_address,
        sizes=(1,),
        depends=True,
    ),
    Row(
        "a node is declared under another name",
        renamed,
        REFUSED,
        (f"the swarm knows this machine as {WORKER}. A name can't be changed",),
        "a name is a node's identity",
        heal=called_as_before,
    ),
    Row(
        "an engine was upgraded",
        other_version(WORKER, "26[.]1[.]5", "27.1.5"),
        REPORTED,
        ("Docker Engines of different versions: …27.1.5…(NODE)",),
        "for you to upgrade the others",
        heal=own_version,
    ),
    Row(
        "a host accepts connections and says nothing",
        sshd_frozen,
        REPORTED,
        ("NODE is a member that gives no answer, and is left alone",),
        "within seconds",
        heal=sshd_thawed,
    ),
    Row(
        "a host that nobody declares joins as a worker",
        stranger_joins("worker"),
        REPORTED,
        (f"{STRANGER} (…) is ready, and no node of this stack: nobody declares it",),
        "for you to declare it, to remove it, or to let it stay",
        heal=stranger_leaves,
    ),
    Row(
        "a host that nobody declares joins as a manager",
        stranger_joins("manager"),
        REFUSED,
        (f"{STRANGER} (…): a manager of our swarm that nobody declares: it sees every secret",),
        "for you to declare it, to remove it, or to let it stay",
        heal=stranger_leaves,
    ),
    Row(
        "the swarm's owner labels are removed",
        relabeled(),
        REPAIRED,
        ("to be done: label the swarm as swarm/…'s",),
        "the state knows its nodes: it is labeled again",
        ("tokens",),
    ),
    Row(
        "another owner labels the swarm",
        relabeled(**{STACK_LABEL: "other/prod", OWNER_LABEL: "beef"}),
        REFUSED,
        ("in swarm … already, and it belongs to other/prod (owner ID beef)",),
        "it is somebody else's now",
        heal=ours_again,
    ),
    Row(
        "the stack's own label comes from another state",
        lambda deployment: relabeled(**{STACK_LABEL: f"swarm/{deployment.stack}", OWNER_LABEL: "beef"})(
            deployment
        ),
        REFUSED,
        ("it is looked after from another state of swarm/… (owner ID beef). Use that state",),
        "two states would undo each other's work",
        heal=ours_again,
    ),
    Row(
        "a host shows another key than the known one",
        other_host_key,
        REFUSED,
        ("NODE (…): it refuses us: its host key has CHANGED",),
        "somebody else may answer there",
        heal=own_host_key,
    ),
    Row("everything was restarted", everything_restarted, NOTHING, moves=True),
    Row("another manager was elected leader", elected, NOTHING, sizes=(3, 5), depends=True),
    Row(
        "the join tokens were rotated",
        through_manager("swarm join-token --rotate worker; swarm join-token --rotate manager", WORKER),
        NOTHING,
    ),
)


def everything_of_the_service_removed(deployment: Deployment) -> str:
    deployment.docker("service rm shop_cache")
    for kind in ("secret", "config"):
        deployment.docker(f"{kind} rm $(docker {kind} ls -q --filter label=com.docker.stack.namespace=shop)")
    deployment.until("docker network rm shop_back")  # in use until the tasks' containers are gone
    return "shop_cache"


def task_killed(deployment: Deployment) -> str:
    """Its container is killed; the swarm starts another."""
    deployment.lab.run(WORKER, "docker kill $(docker ps -q --filter name=shop_cache) >/dev/null")
    return "shop_cache"


def workers_stopped(deployment: Deployment) -> str:
    """Until the managers know it, too."""
    stopped("swarm-worker-01", WORKER)(deployment)
    deployment.until("[ $(docker node ls | grep -c Down) = 2 ]")
    return "shop_cache"


# What may become of services: of `shop`, in which `cache` has a task on each of two workers.
SERVICE_ROWS = (
    Row(
        "a service is scaled",
        on("swarm-manager-01", "docker service scale --detach shop_cache=3"),
        REPAIRED,
        does="it has its number of tasks again; those that stay are the same",
        touches=("shop_cache", "shop-settle"),
    ),
    Row(
        "a service is updated to another image",
        on("swarm-manager-01", "docker service update --detach --image redis:8.0.2 shop_cache"),
        REPAIRED,
        does="it is rolled back to the image that is declared",
        touches=("shop_cache", "shop-settle"),
    ),
    Row(
        "a service is removed",
        on("swarm-manager-01", "docker service rm shop_cache"),
        REPAIRED,
        does="it is created again",
        touches=("shop_cache", "shop-settle"),
    ),
    Row(
        "a service, its network, secret and config are removed",
        everything_of_the_service_removed,
        REPAIRED,
        does="all of them are created again",
        touches=("shop_cache", "shop_back", "shop_key", "shop_site", "shop-settle"),
    ),
    Row("a task ended and was started anew", task_killed, NOTHING),
    Row(
        "a service that nobody declares comes into a stack's namespace",
        on(
            "swarm-manager-01",
            "docker service create --detach --replicas 0 --label com.docker.stack.namespace=shop"
            " --name shop_extra redis:7.0.15",
        ),
        REPORTED,
        says=("shop_extra: a service in the namespace of stack shop that no file declares",),
        does="for you to declare or remove it",
        heal=stranger_service_removed,
    ),
    Row(
        "no worker is up, so that tasks have nowhere to run",
        workers_stopped,
        REPORTED,
        ("shop_cache: 0 of 2 tasks run while this takes no part: swarm-worker-01, swarm-worker-02",),
        "tasks that lack while nodes are down are told of, and not waited for",
        heal=started("swarm-worker-01", WORKER),
    ),
)


def table() -> str:
    """The rows as docs/drift.md has them."""
    lines = ["| by hand, or by chance | | the preview says | `pulumi up` |", "| --- | --- | --- | --- |"]
    for row in (*ROWS, *SERVICE_ROWS):
        said = "<br>".join(f"`{one}`" for one in row.says)
        lines.append(f"| {row.what} | {row.answer} | {said} | {row.does} |")
    return "\n".join(lines)

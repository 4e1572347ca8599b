"""What is done to each node: from what is declared and what is observed to steps and refusals."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from swarm.decide.decisions import decide, give_up
from swarm.decide.ownership import Known
from swarm.decide.plan import Step
from swarm.declare.compose import Stack
from swarm.declare.labels import NAME_LABEL, OWNER_LABEL, STACK_LABEL
from swarm.declare.settings import Settings
from swarm.observe.model import KEY_CHANGED, Cluster, Host, Service, SwarmNode
from tests.unit.builders import (
    KNOWN,
    MARK,
    OWNER,
    address,
    arrival,
    cluster,
    declared,
    down,
    entry,
    idle,
    labelled,
    leaderless,
    lines,
    member,
    node,
    observed,
    silent,
    stuck,
    texts,
    told,
)

MARKS = {"swarm-lab": MARK}  # the config by which a swarm was marked before there were owners


def before(name: str) -> dict[str, str]:
    """A node's labels from before there were owners."""
    return {NAME_LABEL: name}


def anothers(name: str, **changes: Any) -> SwarmNode:
    """A node that another owner has labelled."""
    return entry(name, labels={NAME_LABEL: name, OWNER_LABEL: "beef"}, **changes)


def refusing(name: str, problem: str) -> Host:
    """A host that turns us away."""
    return Host(name, problem=problem)


@dataclass
class Case:
    """Nodes that aren't named in `steps` are in place. Steps and work are exact, and count only where
    nothing is refused; refusals and warnings are parts of exactly as many as there are."""

    settings: Settings
    swarm: Cluster | None
    hosts: tuple[Host, ...] = ()
    steps: dict[str, str] = field(default_factory=dict)
    evictions: list[str] = field(default_factory=list)
    work: list[str] = field(default_factory=list)
    known: Known = KNOWN
    stacks: tuple[Stack, ...] = ()
    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    control: str | None = "m1"


OTHERS = {STACK_LABEL: "other/prod", OWNER_LABEL: "f00d"}
FOREIGN = cluster("m8 w8", id="theirs", labels=OTHERS)
THREE, SIX = "m1 m2 m3 w1", "m1 m2 m3 w1 w2 w3"
W1_ANEW = {"w1": "JOIN"}
LEFT = declared("m1 m2 m3 w1", node("m3", lost=True))
PENDING = member("w1", cluster(THREE), state="pending")
UNKNOWN = {"managers": (), "manager_ids": (), "node_id": ""}  # of an engine that tells nothing more
ERROR = {"state": "error", "error": "certificate has expired", **UNKNOWN}

CASES = {
    "nothing is there: the leader starts the swarm, the others join": Case(
        declared(SIX),
        None,
        steps={"m1": "INIT"} | dict.fromkeys(["m2", "m3", "w1", "w2", "w3"], "JOIN"),
        work=[f"await {name} -" for name in SIX.split()] + [arrival(name)[1] for name in SIX.split()],
    ),
    "all is as declared: there is no work": Case(declared(SIX), cluster(SIX)),
    "one node is added": Case(
        declared("m1 m2 m3 w1 w2"), cluster(THREE), steps={"w2": "JOIN"}, work=arrival("w2")
    ),
    "a worker left the swarm by hand: it joins, its old entry is removed": Case(
        declared(THREE),
        cluster(THREE, down("w1")),
        (idle("w1"),),
        steps=W1_ANEW,
        work=[*arrival("w1"), "remove w1 id-w1"],
    ),
    "a manager left the swarm by hand: its old entry goes before it joins": Case(
        declared(THREE),
        cluster(THREE, down("m2")),
        (idle("m2"),),
        steps={"m2": "JOIN"},
        evictions=["demote m2 id-m2", "remove m2 id-m2"],
        work=arrival("m2"),
    ),
    "the leader left the swarm by hand: it joins through another manager": Case(
        declared(THREE),
        cluster(THREE, down("m1", leader=False), entry("m2", leader=True)),
        (idle("m1"),),
        steps={"m1": "JOIN"},
        evictions=["demote m1 id-m1", "remove m1 id-m1"],
        work=arrival("m1"),
        control="m2",
    ),
    "an active worker that the swarm doesn't know leaves that membership and joins": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (member("w1", cluster(THREE), "id-gone"),),
        steps={"w1": "JOIN leaving id-gone"},
        work=arrival("w1"),
    ),
    "a host whose membership is in an error joins anew": Case(
        declared(THREE),
        cluster(THREE, down("w1")),
        (member("w1", cluster(THREE), state="error"),),
        steps={"w1": "JOIN leaving id-w1"},
        work=[*arrival("w1"), "remove w1 id-w1"],
    ),
    "a join by our managers that is still under way is taken up": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (idle("w1", state="pending", managers=(address("m1"),)),),
        steps=W1_ANEW,
        work=arrival("w1"),
    ),
    "a host is on its way into a swarm that nobody knows": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (idle("w1", state="pending", managers=("10.9.9.9",)),),
        refusals=["w1 (10.0.0.21): on its way into a swarm that isn't known, and may be another's than ours"],
    ),
    "a host is on its way into another swarm": Case(
        declared(THREE),
        cluster("m1 m2"),
        (member("w1", FOREIGN, "id-w8", state="pending"), member("m3", FOREIGN, "id-m8")),
        refusals=["m3 (10.0.0.13): in swarm theirs", "w1 (10.0.0.21): in the swarm of managers 10.0.0.18"],
    ),
    "the sole manager of another swarm was just restarted": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (idle("w1", state="pending", node_id="id-m8", manager_ids=("id-m8",), managers=("10.0.0.21",)),),
        refusals=["w1 (10.0.0.21): on its way into a swarm that isn't known"],
    ),
    "a host whose membership is in an error, and whose it is isn't known": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (idle("w1", **ERROR),),
        refusals=[
            "w1 (10.0.0.21): in the swarm of managers that it doesn't name, with an error (certificate has "
            "expired), and ours is ours. Take it out of the configuration; or, if that swarm may lose it, "
            "run on it: docker swarm leave --force"
        ],
    ),
    "a host whose membership is in an error, and whose certificate is another swarm's": Case(
        declared(THREE),
        cluster(THREE, down("w1")),
        (idle("w1", **ERROR | {"node_id": "id-w8", "cluster_id": "theirs"}),),
        refusals=["w1 (10.0.0.21): in the swarm of managers that it doesn't name"],
    ),
    "a manager of ours that was removed is known by the node ID in the state": Case(
        declared(THREE),
        cluster("m1 m2 w1"),
        (idle("m3", state="active", node_id="id-old"),),
        known=replace(KNOWN, node_ids={"m3": "id-old"}),
        steps={"m3": "JOIN leaving id-old"},
        work=arrival("m3"),
    ),
    "a member of a swarm that is taken from us is no more ours": Case(
        declared("m1 w1"),
        cluster("m1 w1", labels=OTHERS),
        known=replace(KNOWN, node_ids={"m1": "id-m1", "w1": "id-w1"}),
        refusals=["m1: in swarm ours already, and it belongs to other/prod (owner ID f00d). To take that"],
    ),
    "a member that comes back is waited for": Case(
        declared(THREE), cluster(THREE, down("w1")), (PENDING,), work=["await w1 id-w1"]
    ),
    "a node that joined and was cut off before the convergence gets its label": Case(
        declared(THREE),
        cluster(THREE, entry("w1", labels={}, address="10.99.0.1")),
        (member("w1", cluster(THREE)),),
        work=[f"update w1 id-w1 {labelled('w1')}"],
    ),
    "a silent member is left alone": Case(
        declared(THREE),
        cluster(THREE, down("w1")),
        steps={"w1": "UNREACHABLE"},
        warnings=["w1 is a member that gives no answer, and is left alone: it gave no answer within 8 s"],
    ),
    "a silent member is left alone, also where it is to be something else": Case(
        declared("m1 m2 m3 m4 w1", node("w1", role="manager", availability="active")),
        cluster("m1 m2 m3 m4 w1", down("w1")),
        steps={"w1": "UNREACHABLE"},
        warnings=["w1 is a member that gives no answer, and is left alone"],
    ),
    "a host's engine is down": Case(
        declared(THREE),
        cluster(THREE, down("w1")),
        (stuck("w1"),),
        steps={"w1": "UNREACHABLE"},
        warnings=["its Docker Engine gave no answer"],
    ),
    "a manager is declared at another address: it gives its tasks away, leaves, and joins there": Case(
        declared(THREE, node("m2", advertise_address="10.9.9.2")),
        cluster(THREE),
        steps={"m2": "JOIN leaving id-m2"},
        evictions=["drain m2 id-m2", "demote m2 id-m2", "remove m2 id-m2"],
        work=arrival("m2"),
    ),
    "the leader is declared at another address: another manager is in control": Case(
        declared(THREE, node("m1", host="10.9.9.1")),
        cluster(THREE),
        steps={"m1": "JOIN leaving id-m1"},
        evictions=["drain m1 id-m1", "demote m1 id-m1", "remove m1 id-m1"],
        work=arrival("m1"),
        control="m2",
    ),
    "a manager without our label is declared at another address": Case(
        declared(THREE, node("m2", advertise_address="10.9.9.2")),
        cluster("m1 m3 w1", entry("m2", labels={})),
        (member("m2", cluster("m1 m3 w1", entry("m2", labels={}))),),
        steps={"m2": "JOIN leaving id-m2"},
        evictions=["drain m2 id-m2", "demote m2 id-m2", "remove m2 id-m2"],
        work=arrival("m2"),
    ),
    "a worker that is to be a manager is declared at another address": Case(
        declared(THREE, node("w1", role="manager", host="10.9.9.1", availability="active")),
        cluster(THREE),
        steps={"w1": "JOIN leaving id-w1"},
        evictions=["drain w1 id-w1", "remove w1 id-w1"],
        work=["await w1 -", f"update w1 - {labelled('w1')} --availability=active"],
        warnings=["4 managers survive the loss of 1"],
    ),
    "a manager whose membership is in an error is not drained, for it can't be": Case(
        declared(THREE),
        cluster(THREE, down("m2")),
        (member("m2", cluster(THREE), state="error"),),
        steps={"m2": "JOIN leaving id-m2"},
        evictions=["demote m2 id-m2", "remove m2 id-m2"],
        work=arrival("m2"),
    ),
    "a manager left and was joined again by hand: its old entry goes, though nobody joins": Case(
        declared(THREE),
        cluster(THREE, down("m2"), entry("m2", id="id-again", labels={})),
        (member("m2", cluster(THREE, entry("m2", id="id-again", labels={})), "id-again"),),
        evictions=["demote m2 id-m2", "remove m2 id-m2"],
        work=[f"update m2 id-again {labelled('m2')}"],
    ),
    "a manager's host is written as a name, so its address isn't known here": Case(
        declared(THREE, node("m2", host="m2.example")), cluster(THREE)
    ),
    "the only manager is declared at another address": Case(
        declared("m1 w1", node("m1", host="10.9.9.1")),
        cluster("m1 w1"),
        refusals=["`demote m1` would leave 0 managers of which 0 can be reached, and 1 are needed"],
    ),
    "a worker is declared at another address": Case(
        declared(THREE, node("w1", host="10.9.9.1")), cluster(THREE)
    ),
    "a swarm is taken over whose manager is at another address": Case(
        declared("m1 w1", node("m1", host="m1.example", advertise_address="10.9.9.1"), adopt=True),
        cluster("", entry("m1", labels={}), entry("w1", labels={}), labels={}),
        refusals=["m1 (m1.example): the swarm that is taken over reaches this manager at 10.0.0.11. Declare"],
    ),
    "a lost worker is removed without being dialled": Case(
        declared(THREE, node("w1", lost=True)),
        cluster(THREE, down("w1")),
        steps={"w1": "LOST"},
        work=["remove w1 id-w1"],
    ),
    "a lost manager is demoted and removed": Case(
        LEFT,
        cluster(THREE, down("m3")),
        steps={"m3": "LOST"},
        work=["demote m3 id-m3", "remove m3 id-m3"],
        warnings=["2 managers survive the loss of 0"],
    ),
    "a lost node that was removed needs nothing more": Case(
        LEFT,
        cluster("m1 m2 w1"),
        steps={"m3": "LOST"},
        warnings=["2 managers survive the loss of 0, as 1 do"],
    ),
    "a lost leader is replaced in its part": Case(
        declared(THREE, node("m1", lost=True)),
        cluster(THREE, down("m1", leader=False), entry("m2", leader=True)),
        steps={"m1": "LOST"},
        work=["demote m1 id-m1", "remove m1 id-m1"],
        warnings=["2 managers"],
        control="m2",
    ),
    "a swarm that our init has started is ours, whatever was done to it": Case(
        declared("m1 w1"),
        cluster("", entry("m1", labels={})),
        steps={"w1": "JOIN"},
        work=[arrival("w1")[0], f"update m1 id-m1 {labelled('m1')}", arrival("w1")[1]],
    ),
    "a swarm of one node without any label is nobody's that we know": Case(
        declared("m1 w1"),
        cluster("", entry("m1", labels={}), labels={}),
        refusals=["m1: in swarm ours already, and it isn't marked as ours. To take that swarm over: "],
    ),
    "a swarm from before there were owners is ours by the state's node IDs, and gets its label": Case(
        declared("m1 w1"),
        cluster(
            "",
            entry("m1", labels=before("m1")),
            entry("w1", labels=before("w1")),
            labels={},
            label_configs=MARKS,
        ),
        known=replace(KNOWN, node_ids={"w1": "id-w1"}),
        evictions=["label the swarm as swarm/lab's"],
        work=[f"update {name} id-{name} --label-add={OWNER_LABEL}={OWNER}" for name in ("m1", "w1")],
    ),
    "a swarm from before there were owners, and a state that doesn't know it": Case(
        declared("m1 w1"),
        cluster("m1 w1", labels={}, label_configs=MARKS),
        refusals=["m1: in swarm ours already, and it is looked after from another state of swarm/lab. Use"],
    ),
    "a swarm of this stack is looked after from another state": Case(
        declared("m1 w1"),
        cluster("m1 w1", labels={STACK_LABEL: MARK, OWNER_LABEL: "beef"}),
        refusals=["it is looked after from another state of swarm/lab (owner ID beef). Use that state"],
    ),
    "a swarm of this stack is taken in from another state": Case(
        declared("m1 w1", adopt=True),
        cluster("", anothers("m1"), anothers("w1"), labels={STACK_LABEL: MARK, OWNER_LABEL: "beef"}),
        evictions=["label the swarm as swarm/lab's"],
        work=[f"update {name} id-{name} --label-add={OWNER_LABEL}={OWNER}" for name in ("m1", "w1")],
    ),
    "a swarm is taken over with a node of another owner that isn't declared": Case(
        declared("m1 w1", adopt=True),
        cluster("", anothers("m1"), anothers("w1"), anothers("w2"), labels=OTHERS),
        refusals=["w2 (id-w2): a node of the swarm that is taken over, and not declared here. Declare it"],
        warnings=["w2 (id-w2) is ready, and no node of this stack"],
    ),
    "a swarm carries two owners' labels": Case(
        declared("m1 w1"),
        cluster("m1 w1", label_configs={"other-prod": "other/prod"}),
        refusals=["it carries the labels of 2 owners: swarm/lab (owner ID 0123456789abcdef), other/prod"],
    ),
    "a swarm is taken over from two owners": Case(
        declared("m1 w1", adopt=True),
        cluster("m1 w1", label_configs={"other-prod": "other/prod"}),
        evictions=["label the swarm as swarm/lab's"],
    ),
    "an older file doesn't take out what another state has added": Case(
        declared("m1 w1", adopt=False),
        cluster("m1 w1", anothers("w2")),
        warnings=["w2 (id-w2) is ready, and no node of this stack: nobody declares it"],
    ),
    "a node that nobody declares": Case(
        declared("m1 w1"),
        cluster("m1 w1", entry("w2", labels={}, hostname="laptop")),
        warnings=["laptop (id-w2) is ready, and no node of this stack: nobody declares it"],
    ),
    "a node that nobody declares, and that may stay": Case(
        declared("m1 w1", other_nodes=("laptop", "id-m2")),
        cluster("m1 w1", entry("w2", labels={}, hostname="laptop"), entry("m2", labels={})),
    ),
    "a manager that nobody declares": Case(
        declared("m1 m2 m3"),
        cluster("m1 m2 m3", entry("m4", labels={}, hostname="laptop")),
        refusals=["laptop (id-m4, 10.0.0.14): a manager of our swarm that nobody declares: it sees every"],
    ),
    "a manager that nobody declares is counted and named where the majority is lost": Case(
        declared("m1 m2"),
        cluster("m1", down("m2"), down("m3", labels={}, hostname="laptop")),
        refusals=[
            "of 3 managers 1 can be reached, and 2 are needed for a majority. Missing: laptop (not "
            "declared), m2. Start",
            "laptop (id-m3, 10.0.0.13): a manager of our swarm that nobody",
        ],
        warnings=["m2 is a member that gives no answer", "2 managers"],
    ),
    "a service in a stack's namespace that no file declares": Case(
        declared("m1 w1"),
        cluster("m1 w1", services=(Service("s1", "shop_old", "shop", "nginx", 1, 1),)),
        stacks=(Stack("shop"),),
        warnings=["shop_old: a service in the namespace of stack shop that no file declares"],
    ),
    "a service that has just left its file": Case(
        declared("m1 w1"),
        cluster("m1 w1", services=(Service("s1", "shop_old", "shop", "nginx", 1, 1),)),
        known=replace(KNOWN, services=frozenset({"shop_old"})),
        stacks=(Stack("shop"),),
    ),
    "a node that left the configuration, and that the state still has": Case(
        declared("m1"),
        cluster("m1"),
        known=replace(KNOWN, node_ids={"w2": "id-w2"}),
        warnings=["w2 was taken out of the configuration: its host is made to leave the swarm. If that host"],
    ),
    "a host refuses us where a swarm would be started": Case(
        declared("m1 w1 w2", allow_unreachable=True),
        None,
        (refusing("w2", "Permission denied (publickey)"),),
        refusals=["w2 (10.0.0.22): it refuses us: Permission denied (publickey). Correct the way to it"],
    ),
    "a member refuses us": Case(
        declared(THREE, allow_unreachable=True),
        cluster(THREE),
        (refusing("w1", "permission denied while trying to connect to the Docker daemon socket"),),
        refusals=["w1 (10.0.0.21): it refuses us: permission denied while trying to connect"],
        warnings=["w1 is a member that gives no answer"],
    ),
    "a member refuses us, and is declared so": Case(
        declared(THREE, unreachable=("w1",)),
        cluster(THREE),
        (refusing("w1", "Permission denied (publickey)"),),
        steps={"w1": "UNREACHABLE"},
        warnings=["w1 is a member that gives no answer, and is left alone: Permission denied (publickey)"],
    ),
    "a host's key is another one than before": Case(
        declared(THREE),
        cluster(THREE),
        (refusing("w1", f"{KEY_CHANGED}: it isn't the one in knownHostsFile"),),
        refusals=["its host key has CHANGED: it isn't the one in knownHostsFile. Find out whether that is"],
        warnings=["w1 is a member that gives no answer"],
    ),
    "no swarm is to be seen, and the state knows a silent manager of one": Case(
        declared("m1 m2 m3", unreachable=("m2",)),
        None,
        (silent("m2"),),
        known=replace(KNOWN, node_ids={"m1": "id-m1", "m2": "id-m2"}),
        refusals=["m2 (10.0.0.12): the state knows it as a node of this stack's swarm, which isn't to be"],
        warnings=["m2 gives no answer"],
    ),
    "no swarm is to be seen, and the state knows a manager that isn't declared any more": Case(
        declared("m1 w1"),
        None,
        known=replace(KNOWN, node_ids={"m1": "id-m1", "m2": "id-m2"}),
        refusals=["m2: the state knows it as a node of this stack's swarm, it isn't declared any more"],
        warnings=["m2 was taken out of the configuration"],
    ),
    "all hosts have left the swarm that the state knows": Case(
        declared("m1 w1"),
        None,
        known=replace(KNOWN, node_ids={"m1": "id-m1", "w1": "id-w1"}),
        steps={"m1": "INIT", "w1": "JOIN"},
        work=["await m1 -", "await w1 -", arrival("m1")[1], arrival("w1")[1]],
    ),
    "another program's swarm is refused by its name": Case(
        declared("m1 w1"),
        cluster("m1 w1", labels={STACK_LABEL: "swarm/production", OWNER_LABEL: "f00d"}),
        refusals=["m1: in swarm ours already, and it belongs to swarm/production"],
    ),
    "a swarm is taken over at the user's word": Case(
        declared("m1 w1", adopt=True),
        cluster("", entry("m1", labels={}), entry("w1", labels={}), labels={}),
        evictions=["label the swarm as swarm/lab's"],
        work=[
            f"update m1 id-m1 {labelled('m1')}",
            f"update w1 id-w1 {labelled('w1')}",
        ],
    ),
    "the hosts are in two swarms": Case(
        declared("m1 m2 m3"),
        cluster("m1 m2", labels={}),
        (member("m3", FOREIGN, "id-m8"),),
        refusals=["the hosts are in 2 swarms: ours (m1, m2); theirs (m3)"],
    ),
    "a manager of another swarm is refused with the cluster's ID": Case(
        declared(THREE),
        cluster("m1 m2 w1"),
        (member("m3", FOREIGN, "id-m8"),),
        refusals=["m3 (10.0.0.13): in swarm theirs, and ours is ours. Take it out of the configuration; or,"],
    ),
    "a worker of another swarm is refused with its managers' addresses": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (member("w1", FOREIGN, "id-w8"),),
        refusals=["w1 (10.0.0.21): in the swarm of managers 10.0.0.18, and ours is ours"],
    ),
    "a manager of another swarm that has no leader is refused": Case(
        declared(THREE),
        cluster("m1 m2 w1"),
        (leaderless("m3"),),
        refusals=["m3 (10.0.0.13): "],
    ),
    "a worker of a swarm whose managers are all out of sight is refused": Case(
        declared("m1 w1"),
        None,
        (member("w1", FOREIGN, "id-w8"),),
        refusals=["w1: in a swarm whose managers (10.0.0.18) give no answer"],
    ),
    "a swarm without a leader is never doubled, whatever the user allows": Case(
        declared("m1 m2 m3", allow_unreachable=True),
        None,
        (idle("m1"), leaderless("m2"), silent("m3")),
        refusals=[
            "m2: in a swarm that has no leader, so more than half of its managers can't be reached",
            "m3 (10.0.0.13): it gave no answer within 8 s. Start it",
        ],
    ),
    "a host never answered": Case(
        declared("m1 w1 w2"),
        None,
        (silent("w2"),),
        refusals=["w2 (10.0.0.22): it gave no answer within 8 s. Start it; or go on without it: pulumi"],
    ),
    "a host never answered, and it isn't named among those that may be silent at the start": Case(
        declared("m1 w1 w2", allow_unreachable=True, unreachable=("w1",)),
        None,
        (silent("w2"),),
        refusals=["go on without it: pulumi config set --path 'swarm:unreachable[1]' w2"],
    ),
    "a host never answered, and the rest is to go on": Case(
        declared("m1 w1 w2", unreachable=("w2",)),
        None,
        (silent("w2"),),
        steps={"m1": "INIT", "w1": "JOIN", "w2": "ABSENT"},
        work=["await m1 -", "await w1 -", arrival("m1")[1], arrival("w1")[1]],
        warnings=["w2 gives no answer and isn't known as a member, and is left out: it gave no"],
    ),
    "a host's engine gives no answer where no swarm is to be seen": Case(
        declared("m1 w1"),
        None,
        (stuck("w1"),),
        refusals=["w1 (10.0.0.21): its Docker Engine gave no answer within 8 s, so it may be in a swarm"],
    ),
    "a host's engine gives no answer where no swarm is to be seen, whatever the user allows": Case(
        declared("m1 m2 m3 w1", allow_unreachable=True),
        None,
        (stuck("m2", late=True), silent("m3")),
        refusals=[
            "m2 (10.0.0.12): its Docker Engine gave no answer within 8 s, so it may be in a swarm",
            "m3 (10.0.0.13): it gave no answer within 8 s. Start it",
        ],
    ),
    "the leader's engine gives no answer, whatever the user allows": Case(
        declared("m1 w1", allow_unreachable=True),
        None,
        (stuck("m1"),),
        refusals=["m1 (10.0.0.11): its Docker Engine gave no answer within 8 s, so it may be in a swarm"],
    ),
    "a new host's engine gives no answer where the swarm lives": Case(
        declared("m1 w1 w2"),
        cluster("m1 w1"),
        (stuck("w2"),),
        refusals=["w2 (10.0.0.22): its Docker Engine gave no answer within 8 s. Start it; or go on without"],
    ),
    "a new host's engine gives no answer where the swarm lives, and the rest is to go on": Case(
        declared("m1 w1 w2", allow_unreachable=True),
        cluster("m1 w1"),
        (stuck("w2"),),
        steps={"w2": "ABSENT"},
        warnings=["w2 gives no answer"],
    ),
    "the leader never answered, and the rest is to go on": Case(
        declared("m1 w1", allow_unreachable=True),
        None,
        (silent("m1"),),
        refusals=["m1 (10.0.0.11): is to start the swarm and gives no answer: it gave no answer within 8 s."],
    ),
    "a node was renamed": Case(
        declared("m1 w2", node("w2", host=address("w1"))),
        cluster("m1 w1"),
        (member("w2", cluster("m1 w1"), "id-w1"),),
        refusals=["w2 (10.0.0.21): the swarm knows this machine as w1. A name can't be changed: take w1 out"],
    ),
    "a locked swarm": Case(
        declared("m1 m2 m3"),
        cluster("m1 m2 m3", down("m3")),
        (idle("m3", state="locked", node_id="id-m3"),),
        refusals=["m3: its swarm is locked. Run on it: docker swarm unlock"],
    ),
    "a host is in a locked swarm, and which isn't known": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (idle("w1", state="locked"),),
        refusals=[
            "w1 (10.0.0.21): in a locked swarm that isn't known to be ours, ours. Unlock it to see whose"
        ],
    ),
    "all managers are locked: nobody is told to leave": Case(
        declared("m1 w1"),
        None,
        (idle("m1", state="locked"),),
        refusals=["m1: its swarm is locked. Run on it: docker swarm unlock"],
    ),
    "the only live manager is to be a worker": Case(
        declared("m1 w1", node("w1", role="worker")),
        cluster("", entry("w1", role="manager", leader=True)),
        (member("w1", cluster("", entry("w1", role="manager", leader=True))), idle("m1")),
        refusals=["no manager answers that is to stay one. Declare one of the live managers as a manager."],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_plan_when(case: Case) -> None:
    plan = decide(case.settings, case.known, observed(case.settings, case.swarm, *case.hosts), case.stacks)
    for said, expected in ((texts(plan.refusals), case.refusals), (told(plan), case.warnings)):
        assert len(said) == len(expected), said
        assert all(part in one for part, one in zip(expected, said, strict=True)), said
        assert not any("None" in one for one in said), said
    if not plan.refusals:
        steps = {
            name: one.step.name + (f" leaving {one.stale_id}" if one.stale_id else "")
            for name, one in plan.nodes.items()
        }
        assert {name: step for name, step in steps.items() if step != "IN_PLACE"} == case.steps
        assert lines(plan.evictions) == case.evictions
        assert lines(plan.work) == case.work
        assert plan.control == case.control


SIX = "m1 m2 m3 w1 w2 w3"


@pytest.mark.parametrize(
    ("fault", "refused", "warned"),
    [
        ({"kernel": {"vxlan": "no"}}, "m1, m2, m3, w1, w2, w3: the kernel has no vxlan: ", ""),
        ({"kernel": {"overlay": "no"}}, "", "m1, m2, m3, w1, w2, w3: the kernel has no overlay: "),
        ({"lacks": ("flock",)}, "m1, m2, m3, w1, w2, w3: no flock there that does what an up needs", ""),
        ({"engine": "19.03.15"}, "m1, m2, m3, w1, w2, w3: Docker Engine 19.03.15 is older than 20.10", ""),
        ({"problem": "Host key verification failed"}, "w3 (10.0.0.23): it refuses us: Host key ver", ""),
    ],
    ids=["a module is missing", "a slower driver", "a program is missing", "an old engine", "a wrong key"],
)
def test_six_hosts_with_one_fault_give_one_line(fault: dict[str, Any], refused: str, warned: str) -> None:
    settings = declared(SIX)
    plan = decide(settings, KNOWN, observed(settings, None, *(idle(name, **fault) for name in SIX.split())))
    for found, words in ((texts(plan.refusals), refused), (told(plan), warned)):
        assert len(found) == bool(words), found
        assert all(words in one for one in found)


def test_hosts_that_are_silent_alike_are_one_line_with_the_way_to_go_on_without_each() -> None:
    settings = declared(SIX, unreachable=("w9",))
    hosts = observed(settings, None, silent("m2"), silent("w2"))
    (said,) = texts(decide(settings, KNOWN, hosts).refusals)
    assert said.startswith("m2 (10.0.0.12), w2 (10.0.0.22): it gave no answer within 8 s. Start it; or go on")
    assert "'swarm:unreachable[1]' m2 && pulumi config" in said
    assert said.endswith("'swarm:unreachable[2]' w2")


def test_members_that_are_silent_alike_are_one_line() -> None:
    settings, swarm = declared(SIX), cluster(SIX)
    hosts = observed(settings, swarm, *map(silent, ("w1", "w2", "w3")))
    (said,) = told(decide(settings, KNOWN, hosts))
    assert said.startswith("w1, w2, w3: each is a member that gives no answer, and is left alone: it gave no")


def test_the_quorum_s_loss_is_refused_with_what_to_run() -> None:
    settings = declared("m1 m2 m3")
    plan = decide(settings, KNOWN, observed(settings, None, leaderless("m1"), silent("m2"), silent("m3")))
    (said,) = [one for one in texts(plan.refusals) if one.startswith("m1")]
    assert "in a swarm that has no leader" in said
    assert "docker swarm init --force-new-cluster" in said


def test_a_leaderless_manager_of_ours_is_left_alone_while_another_shows_the_swarm() -> None:
    settings, swarm = declared("m1 m2 m3"), cluster("m1 m2 m3", down("m3"))
    plan = decide(settings, KNOWN, observed(settings, swarm, leaderless("m3")))
    assert plan.nodes["m3"].step is Step.UNREACHABLE
    assert not plan.refusals


def test_the_swarm_with_our_mark_is_ours_among_several() -> None:
    settings = declared("m1 m2 m3", adopt=True)
    plan = decide(settings, KNOWN, observed(settings, cluster("m1 m2"), member("m3", FOREIGN, "id-m8")))
    assert plan.cluster
    assert plan.cluster.id == "ours"
    assert [one.split()[0] for one in texts(plan.refusals)] == ["m3"]


def test_control_is_the_leader_of_the_moment_where_it_stays_a_manager() -> None:
    settings = declared("m1 m2 m3")
    swarm = cluster("m1 m2 m3", entry("m1", leader=False), entry("m3", leader=True))
    assert decide(settings, KNOWN, observed(settings, swarm)).control == "m3"
    settings = declared("m1 m2 m3", node("m3", role="worker"))
    assert decide(settings, KNOWN, observed(settings, swarm)).control == "m1"


def test_an_entry_that_is_none_of_ours_is_left_alone_and_told_of_when_it_is_down() -> None:
    stranger = down("w9", labels={}, hostname="laptop")
    settings = declared("m1 w1")
    plan = decide(settings, KNOWN, observed(settings, cluster("m1 w1", stranger)))
    assert not plan.work
    assert any("laptop (id-w9) is down, and no node of this stack" in one for one in texts(plan.warnings))


@pytest.mark.parametrize(
    ("settings", "swarm", "hosts", "outline"),
    [
        (declared("m1 w1"), cluster("m1 w1"), (), ""),
        (declared("m1 m2 m3 w1"), cluster("m1 m2 m3", down("w1")), (), ""),
        (declared("m1 w1"), None, (), "m1 starts the swarm; w1 joins"),
        (declared("m1 w1 w2"), cluster("m1 w1"), (), "w2 joins"),
        (
            declared("m1 m2 m3"),
            cluster("m1 m3", down("m2")),
            (idle("m2"),),
            "demote m2's old entry; remove m2's old entry; m2 joins",
        ),
        (
            declared("m1 w1", node("w1", lost=True)),
            cluster("m1", down("w1")),
            (),
            "remove w1",
        ),
        (
            declared("m1 w1", node("w1", labels={"disk": "ssd"})),
            cluster("m1 w1"),
            (),
            "update w1 --label-add=disk=ssd",
        ),
        (declared("m1"), cluster("m1 w1"), (), "drain w1; remove w1"),
        (declared("m1", task_history_limit=2), cluster("m1"), (), "swarm lab --task-history-limit=2"),
    ],
    ids=[
        "all is in place",
        "a member is silent",
        "nothing is there",
        "a node is added",
        "a manager joins anew",
        "a node is lost",
        "a label is new",
        "a node left the configuration",
        "the swarm's settings are others",
    ],
)
def test_what_is_to_be_done_is_told_in_words_when(
    settings: Settings, swarm: Cluster | None, hosts: tuple[Host, ...], outline: str
) -> None:
    plan = decide(settings, KNOWN, observed(settings, swarm, *hosts))
    assert not plan.refusals
    assert plan.outline() == outline


OURS, UNMARKED = cluster("m1 m2 w1"), cluster("m1 m2 w1", labels={})
NAMED = [node(name, host=f"{name}.example") for name in ("m1", "m2", "w1")]
MET = {"manager_ids": ("id-m2", "id-m9")}  # one of our managers, and one that is gone
STATE = replace(KNOWN, node_ids={"m1": "id-m1", "m2": "id-m2", "w1": "id-w1"})


def untold(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "in another swarm")


@pytest.mark.parametrize(
    ("settings", "swarm", "hosts", "left_alone"),
    [
        (declared("m1 m2 w1"), OURS, (), {}),
        (declared("", *NAMED), OURS, (), {}),
        (declared("m1 m2 w1"), OURS, (idle("m2"), idle("w1")), {}),
        (declared("m1 m2 w1"), OURS, (leaderless("m1"), leaderless("m2")), untold("m1", "m2", "w1")),
        (declared("m1 m2 w1"), OURS, (silent("w1"),), {"w1": "it gave no answer within 8 s"}),
        (
            declared("m1 m2 w1"),
            OURS,
            (stuck("w1"),),
            {"w1": "its Docker Engine gave no answer within 8 s"},
        ),
        (declared("m1 m2 w1", node("w1", lost=True)), OURS, (), {"w1": "declared as lost"}),
        (declared("m1 m2 w1"), UNMARKED, (), untold("m1", "m2", "w1")),
        (declared("m1 m2 w1", adopt=True), UNMARKED, (), untold("m1", "m2", "w1")),
        (declared("m1"), cluster("m1", labels={}), (), untold("m1")),
        (declared("m1 m2 w1"), replace(OURS, label_configs={"x": "other/x"}), (), untold("m1", "m2", "w1")),
        (declared("m1 m2 w1"), OURS, (member("m2", FOREIGN, "id-m8"),), untold("m2")),
        (declared("m1 m2 w1"), OURS, (member("w1", FOREIGN, "id-w8"),), untold("w1")),
        (declared("", *NAMED), OURS, (member("w1", FOREIGN, "id-w8"),), untold("w1")),
        (
            declared("m1 m2 w1"),
            OURS,
            (member("m2", FOREIGN, "id-m8"), member("w1", FOREIGN, "id-w8")),
            untold("m2", "w1"),
        ),
        (declared("m1 m2 w1"), OURS, (member("w1", OURS, "id-gone", **MET),), {}),
        (
            declared("m1 m2 w1"),
            OURS,
            (silent("m1"), stuck("m2"), member("w1", FOREIGN, "id-w8")),
            {
                "m1": "it gave no answer within 8 s",
                "m2": "its Docker Engine gave no answer within 8 s",
                "w1": "in another swarm",
            },
        ),
        (
            declared("m1 m2 w1"),
            OURS,
            (idle("w1", state="pending"),),
            {"w1": "on its way into a swarm that isn't known to be ours"},
        ),
        (declared("m1 m2 w1"), OURS, (idle("w1", **ERROR),), untold("w1")),
    ],
    ids=[
        "all are members",
        "all are members, and their hosts are written as names",
        "some are no members any more",
        "the swarm has no leader, and nothing else tells whose it is",
        "one is silent",
        "one's engine gives no answer",
        "one is lost",
        "the managers are in a swarm that isn't marked as ours",
        "the managers' swarm isn't marked, and is to be taken over",
        "the only manager's swarm is bare, and isn't marked",
        "another owner has marked it too",
        "a manager is in another swarm",
        "a worker is in another swarm",
        "a worker is in another swarm, and hosts are written as names",
        "a manager and a worker are in the same other swarm",
        "a worker knows some of our managers, and one that is gone",
        "our managers are silent, and a worker is in another swarm",
        "one is on its way into a swarm, and nothing tells into which",
        "one's membership is in an error, and nothing tells of which swarm",
    ],
)
def test_destroy_makes_only_hosts_leave_that_are_known_to_be_in_our_swarm_when(
    settings: Settings, swarm: Cluster, hosts: tuple[Host, ...], left_alone: dict[str, str]
) -> None:
    plan = give_up(settings, KNOWN, observed(settings, swarm, *hosts))
    assert not plan.refusals
    assert {name for name, one in plan.nodes.items() if one.step is not Step.IN_PLACE} == set(left_alone)
    assert texts(plan.warnings) == [
        f"{name} ({settings.node(name).host}) was not made to leave its swarm: {why}. If it comes back as a "
        "member of this one, run on it: docker swarm leave --force"
        for name, why in left_alone.items()
    ]
    for name, why in left_alone.items():
        steps = {"in another swarm": Step.FOREIGN, "declared as lost": Step.LOST}
        steps["on its way into a swarm that isn't known to be ours"] = Step.FOREIGN
        assert plan.nodes[name].step is steps.get(why, Step.UNREACHABLE)


@pytest.mark.parametrize(
    "hosts",
    [
        (silent("m1"), silent("m2")),
        (leaderless("m1", node_id="id-m1"), silent("m2")),
        (silent("m1"), silent("m2"), idle("w1", state="pending", node_id="id-w1")),
        (silent("m1"), silent("m2"), idle("w1", **ERROR | {"node_id": "id-w1"})),
        (silent("m1"), silent("m2"), idle("w1", state="active", node_id="id-again", manager_ids=("id-m2",))),
    ],
    ids=["silent", "without a leader", "silent, one restarts", "silent, an error", "silent, joined again"],
)
def test_destroy_knows_members_by_the_state_while_managers_are(hosts: tuple[Host, ...]) -> None:
    settings = declared("m1 m2 w1")
    plan = give_up(settings, STATE, observed(settings, OURS, *hosts))
    left = {host.name for host in hosts if not host.problem} | {"w1"}
    assert set(plan.steps(Step.IN_PLACE)) == left


def test_destroy_lets_a_swarm_alone_that_another_owner_has_taken_over() -> None:
    settings, swarm = declared("m1 m2 w1"), cluster("m1 m2 w1", labels=OTHERS)
    plan = give_up(settings, STATE, observed(settings, swarm))
    assert plan.steps(Step.IN_PLACE) == []

"""What is done to each node: from what is declared and what is observed to steps and refusals."""

from dataclasses import dataclass, field, replace

import pytest

from components.decisions import decide, give_up
from components.observation import NAME_LABEL, Cluster, Host
from components.plan import Step
from components.settings import Settings
from tests.unit.builders import (
    address,
    arrival,
    cluster,
    declared,
    down,
    entry,
    idle,
    leaderless,
    lines,
    member,
    node,
    observed,
    silent,
    stuck,
    told,
)


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
    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    control: str | None = "m1"


FOREIGN = cluster("m8 w8", id="theirs", marks=("other/prod",))
THREE, SIX = "m1 m2 m3 w1", "m1 m2 m3 w1 w2 w3"
W1_ANEW = {"w1": "JOIN"}
LEFT = declared("m1 m2 m3 w1", node("m3", lost=True))
PENDING = member("w1", cluster(THREE), state="pending")

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
    "a join that is still under way is taken up": Case(
        declared(THREE),
        cluster("m1 m2 m3"),
        (idle("w1", state="pending"),),
        steps=W1_ANEW,
        work=arrival("w1"),
    ),
    "a member that comes back is waited for": Case(
        declared(THREE), cluster(THREE, down("w1")), (PENDING,), work=["await w1 id-w1"]
    ),
    "a node that joined and was cut off before the convergence gets its label": Case(
        declared(THREE),
        cluster(THREE, entry("w1", labels={}, address="10.99.0.1")),
        (member("w1", cluster(THREE)),),
        work=[f"update w1 id-w1 --label-add={NAME_LABEL}=w1"],
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
        work=["await w1 -", f"update w1 - --label-add={NAME_LABEL}=w1 --availability=active"],
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
        work=[f"update m2 id-again --label-add={NAME_LABEL}=m2"],
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
        cluster("", entry("m1", labels={}), entry("w1", labels={}), marks=()),
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
    "our own interrupted init is completed": Case(
        declared("m1 w1"),
        cluster("", entry("m1", labels={}), marks=(), bare=True),
        (member("m1", cluster("", entry("m1", labels={}), marks=(), bare=True)),),
        steps={"m1": "INIT", "w1": "JOIN"},
        work=[
            "await m1 id-m1",
            "await w1 -",
            f"update m1 id-m1 --label-add={NAME_LABEL}=m1",
            arrival("w1")[1],
        ],
    ),
    "a swarm without our mark is refused": Case(
        declared("m1 w1"),
        cluster("m1 w1", marks=()),
        refusals=["m1: in swarm ours already, and it isn't marked as ours. To take that swarm over: "],
    ),
    "a bare swarm that isn't on the leader's host is no interrupted init of ours": Case(
        declared("m1 m2 m3"),
        cluster("m2", marks=(), bare=True),
        refusals=["m2: in swarm ours already, and it isn't marked as ours"],
    ),
    "another program's swarm is refused by its name": Case(
        declared("m1 w1"),
        cluster("m1 w1", marks=("swarm/production",)),
        refusals=["m1: in swarm ours already, and it belongs to swarm/production"],
    ),
    "a swarm is taken over at the user's word": Case(
        declared("m1 w1", adopt=True),
        cluster("", entry("m1", labels={}), entry("w1", labels={}), marks=()),
        work=[
            "mark lab -",
            f"update m1 id-m1 --label-add={NAME_LABEL}=m1",
            f"update w1 id-w1 --label-add={NAME_LABEL}=w1",
        ],
    ),
    "the hosts are in two swarms": Case(
        declared("m1 m2 m3"),
        cluster("m1 m2", marks=()),
        (member("m3", FOREIGN, "id-m8"),),
        refusals=["the hosts are in 2 swarms: ours (m1, m2); theirs (m3)"],
    ),
    "a manager of another swarm is refused with the cluster's ID": Case(
        declared(THREE),
        cluster("m1 m2 w1"),
        (member("m3", FOREIGN, "id-m8"),),
        refusals=["m3 (10.0.0.13): in swarm theirs, and ours is ours. Run on it: docker swarm leave --force"],
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
        refusals=["m2: in a swarm that has no leader, so more than half of its managers can't be reached"],
        warnings=["m2 gives no answer", "m3 gives no answer"],
    ),
    "a host never answered": Case(
        declared("m1 w1 w2"),
        None,
        (silent("w2"),),
        refusals=["w2 (10.0.0.22): it gave no answer within 8 s. Start it; or go on without it: pulumi"],
    ),
    "a host never answered, and the rest is to go on": Case(
        declared("m1 w1 w2", allow_unreachable=True),
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
        refusals=["m2 (10.0.0.12): its Docker Engine gave no answer within 8 s, so it may be in a swarm"],
        warnings=["m2 gives no answer", "m3 gives no answer"],
    ),
    "the leader's engine gives no answer, whatever the user allows": Case(
        declared("m1 w1", allow_unreachable=True),
        None,
        (stuck("m1"),),
        refusals=["m1 (10.0.0.11): its Docker Engine", "m1: is to start the swarm and gives no answer"],
        warnings=["m1 gives no answer"],
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
        refusals=["m1: is to start the swarm and gives no answer. Start it."],
        warnings=["m1 gives no answer"],
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
    "the only live manager is to be a worker": Case(
        declared("m1 w1", node("w1", role="worker")),
        cluster("", entry("w1", role="manager", leader=True)),
        (member("w1", cluster("", entry("w1", role="manager", leader=True))), idle("m1")),
        refusals=["no manager answers that is to stay one. Declare one of the live managers as a manager."],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_plan_when(case):
    plan = decide(case.settings, observed(case.settings, case.swarm, *case.hosts))
    for said, expected in ((plan.refusals, case.refusals), (told(plan), case.warnings)):
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


def test_the_quorum_s_loss_is_refused_with_what_to_run():
    settings = declared("m1 m2 m3")
    plan = decide(settings, observed(settings, None, leaderless("m1"), silent("m2"), silent("m3")))
    (said,) = [one for one in plan.refusals if one.startswith("m1")]
    assert "in a swarm that has no leader" in said
    assert "docker swarm init --force-new-cluster" in said


def test_a_leaderless_manager_of_ours_is_left_alone_while_another_shows_the_swarm():
    settings, swarm = declared("m1 m2 m3"), cluster("m1 m2 m3", down("m3"))
    plan = decide(settings, observed(settings, swarm, leaderless("m3")))
    assert plan.nodes["m3"].step is Step.UNREACHABLE
    assert not plan.refusals


def test_a_one_node_swarm_is_ours_only_on_the_leader_s_host_and_only_when_bare():
    bare = cluster("m1", marks=(), bare=True)
    used = cluster("m1", marks=(), bare=False)
    settings = declared("m1")
    assert not decide(settings, observed(settings, bare)).refusals
    assert decide(settings, observed(settings, used)).refusals


def test_the_swarm_with_our_mark_is_ours_among_several():
    settings = declared("m1 m2 m3", adopt=True)
    plan = decide(settings, observed(settings, cluster("m1 m2"), member("m3", FOREIGN, "id-m8")))
    assert plan.cluster
    assert plan.cluster.id == "ours"
    assert [one.split()[0] for one in plan.refusals] == ["m3"]


def test_control_is_the_leader_of_the_moment_where_it_stays_a_manager():
    settings = declared("m1 m2 m3")
    swarm = cluster("m1 m2 m3", entry("m1", leader=False), entry("m3", leader=True))
    assert decide(settings, observed(settings, swarm)).control == "m3"
    settings = declared("m1 m2 m3", node("m3", role="worker"))
    assert decide(settings, observed(settings, swarm)).control == "m1"


def test_an_entry_that_is_none_of_ours_is_left_alone_and_told_of_when_it_is_down():
    stranger = down("w9", labels={}, hostname="laptop")
    settings = declared("m1 w1")
    plan = decide(settings, observed(settings, cluster("m1 w1", stranger)))
    assert not plan.work
    assert any("laptop (id-w9) is down, and no node of this stack" in one for one in plan.warnings)


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
def test_what_is_to_be_done_is_told_in_words_when(settings, swarm, hosts, outline):
    plan = decide(settings, observed(settings, swarm, *hosts))
    assert not plan.refusals
    assert plan.outline() == outline


OURS, UNMARKED = cluster("m1 m2 w1"), cluster("m1 m2 w1", marks=())
NAMED = [node(name, host=f"{name}.example") for name in ("m1", "m2", "w1")]
KNOWING = {"managers": ("10.0.0.12", "10.0.0.19")}


@pytest.mark.parametrize(
    ("settings", "swarm", "hosts", "left_alone"),
    [
        (declared("m1 m2 w1"), OURS, (), {}),
        (declared("", *NAMED), OURS, (), {}),
        (declared("m1 m2 w1"), OURS, (idle("m2"), idle("w1")), {}),
        (declared("m1 m2 w1"), OURS, (leaderless("m1"), leaderless("m2")), {}),
        (declared("m1 m2 w1"), OURS, (silent("w1"),), {"w1": "it gave no answer within 8 s"}),
        (
            declared("m1 m2 w1"),
            OURS,
            (stuck("w1"),),
            {"w1": "its Docker Engine gave no answer within 8 s"},
        ),
        (declared("m1 m2 w1", node("w1", lost=True)), OURS, (), {"w1": "declared as lost"}),
        (declared("m1 m2 w1"), UNMARKED, (), dict.fromkeys(["m1", "m2", "w1"], "in another swarm")),
        (declared("m1 m2 w1", adopt=True), UNMARKED, (), {}),
        (declared("m1 m2 w1"), replace(UNMARKED, bare=True), (), {}),
        (declared("m1 m2 w1"), OURS, (member("m2", FOREIGN, "id-m8"),), {"m2": "in another swarm"}),
        (declared("m1 m2 w1"), OURS, (member("w1", FOREIGN, "id-w8"),), {"w1": "in another swarm"}),
        (declared("", *NAMED), OURS, (member("w1", FOREIGN, "id-w8"),), {"w1": "in another swarm"}),
        (
            declared("m1 m2 w1"),
            OURS,
            (member("m2", FOREIGN, "id-m8"), member("w1", FOREIGN, "id-w8")),
            dict.fromkeys(["m2", "w1"], "in another swarm"),
        ),
        (declared("m1 m2 w1"), OURS, (member("w1", OURS, **KNOWING),), {}),
        (
            declared("m1 m2 w1"),
            OURS,
            (silent("m1"), stuck("m2"), member("w1", FOREIGN, "id-w8")),
            {"m1": "it gave no answer within 8 s", "m2": "its Docker Engine gave no answer within 8 s"},
        ),
    ],
    ids=[
        "all are members",
        "all are members, and their hosts are written as names",
        "some are no members any more",
        "the swarm has no leader",
        "one is silent",
        "one's engine gives no answer",
        "one is lost",
        "the managers are in a swarm that isn't marked as ours",
        "the managers' swarm isn't marked, and was taken over",
        "the managers' swarm isn't marked yet, and is bare",
        "a manager is in another swarm",
        "a worker is in another swarm",
        "a worker is in another swarm, and hosts are written as names",
        "a manager and a worker are in the same other swarm",
        "a worker knows some of our managers, and one that is gone",
        "a worker knows other managers, but none of ours says who they are",
    ],
)
def test_destroy_makes_every_host_leave_that_answers_and_is_not_known_to_be_elsewhere_when(
    settings, swarm, hosts, left_alone
):
    plan = give_up(settings, observed(settings, swarm, *hosts))
    assert not plan.refusals
    assert {name for name, one in plan.nodes.items() if one.step is not Step.IN_PLACE} == set(left_alone)
    assert list(plan.warnings) == [
        f"{name} ({settings.node(name).host}) was not made to leave its swarm: {why}. If it comes back as a "
        "member of this one, run on it: docker swarm leave --force"
        for name, why in left_alone.items()
    ]
    for name, why in left_alone.items():
        steps = {"in another swarm": Step.FOREIGN, "declared as lost": Step.LOST}
        assert plan.nodes[name].step is steps.get(why, Step.UNREACHABLE)

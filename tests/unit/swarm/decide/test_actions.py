"""The work of a manager: exact tasks in a safe order, and the arithmetic of the quorum over them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from swarm.decide import quorum, warnings
from swarm.decide.decisions import decide, give_up
from swarm.decide.ownership import Known
from swarm.decide.plan import Action, NodePlan, Plan, Step
from swarm.decide.world import World
from swarm.declare.labels import NAME_LABEL, OWNER_LABEL, STACK_LABEL
from swarm.declare.settings import Settings, StackConfig
from swarm.observe.model import Cluster, Host, Observation, Service, SwarmNode
from tests.unit.builders import (
    KNOWN,
    MARK,
    OWNER,
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
    texts,
)

FIVE = "m1 m2 m3 m4 m5"


def plan_of(settings: Settings, swarm: Cluster | None, *hosts: Host) -> Plan:
    return decide(settings, KNOWN, observed(settings, swarm, *hosts))


@pytest.mark.parametrize(
    ("settings", "swarm", "work"),
    [
        (declared("m1 w1"), cluster("m1 w1"), []),
        (
            declared("m1 w1", node("w1", labels={"disk": "ssd"})),
            cluster("m1 w1"),
            ["update w1 id-w1 --label-add=disk=ssd"],
        ),
        (
            declared("m1 w1", node("w1", labels={"disk": "ssd"})),
            cluster("m1", entry("w1", labels={**entry("w1").labels, "disk": "hdd", "old": "yes"})),
            ["update w1 id-w1 --label-add=disk=ssd --label-rm=old"],
        ),
        (
            declared("m1 w1"),
            cluster("m1", entry("w1", availability="drain")),
            ["update w1 id-w1 --availability=active"],
        ),
        (
            declared("m1 w1", node("w1", availability="pause")),
            cluster("m1 w1"),
            ["update w1 id-w1 --availability=pause"],
        ),
        (
            declared("m1", node("w1", role="manager", availability="active")),
            cluster("m1 w1"),
            ["promote w1 id-w1"],
        ),
        (
            declared("m1 m2 m3", node("m3", role="worker")),
            cluster("m1 m2 m3"),
            ["update m3 id-m3 --availability=active", "demote m3 id-m3"],
        ),
        (declared("m1 w1"), cluster("m1 w1 w2"), ["drain w2 id-w2", "remove w2 id-w2"]),
        (
            declared("m1 m2 m3"),
            cluster("m1 m2 m3 m4"),
            ["drain m4 id-m4", "demote m4 id-m4", "remove m4 id-m4"],
        ),
        (
            declared(FIVE.replace(" m5", "").replace(" m4", "")),
            cluster(FIVE),
            [f"{verb} {name} id-{name}" for name in ("m4", "m5") for verb in ("drain", "demote", "remove")],
        ),
        (
            declared("m1", task_history_limit=5, certificate_expiry=7_776_000, dispatcher_heartbeat=5),
            cluster("m1"),
            [],
        ),
        (
            declared("m1", task_history_limit=2, certificate_expiry=3600, dispatcher_heartbeat=15),
            cluster("m1"),
            ["swarm lab - --task-history-limit=2 --cert-expiry=3600s --dispatcher-heartbeat=15s"],
        ),
        (declared("m1", task_history_limit=0), cluster("m1"), ["swarm lab - --task-history-limit=0"]),
        (
            declared("m1", task_history_limit=2),
            None,
            [*arrival("m1"), "swarm lab - --task-history-limit=2"],
        ),
    ],
    ids=[
        "all is as declared",
        "a label is new",
        "labels were changed by hand",
        "a node was drained by hand",
        "a node is to be paused",
        "a worker is to be a manager",
        "a manager is to be a worker",
        "a worker left the configuration",
        "a manager left the configuration",
        "two managers left the configuration, one after the other",
        "the swarm's settings are as declared",
        "the swarm's settings are others",
        "no task history at all",
        "a swarm is started with settings",
    ],
)
def test_the_work_is_exact_when(settings: Settings, swarm: Cluster | None, work: list[str]) -> None:
    plan = plan_of(settings, swarm)
    assert not plan.refusals
    assert lines(plan.work) == work


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (declared("m1 w1"), "one manager survives the loss of none"),
        (declared("m1 m2", node("m2", lost=True)), "one manager survives the loss of none"),
        (declared("m1 m2"), "2 managers survive the loss of 0, as 1 do; an odd number is better"),
        (declared("m1 m2 m3"), None),
        (declared("m1 m2 m3 m4"), "4 managers survive the loss of 1, as 3 do"),
    ],
)
def test_what_the_managers_cannot_survive_is_told(settings: Settings, said: str | None) -> None:
    found = list(warnings.few_managers(World(settings, KNOWN, {}), Plan({}, KNOWN)))
    assert len(found) == bool(said)
    assert all(said and said in str(one) for one in found)


def test_tasks_that_lack_while_members_are_silent_are_told_of() -> None:
    service = Service("id", "shop_web", "shop", "nginx", running=1, desired=3)
    others = [replace(service, name="shop_db", desired=1), replace(service, stack=None)]
    shop = StackConfig("shop", (Path("shop.yaml"),), {})
    settings = declared("m1 m2 m3 w1 w2", stacks=(shop,))
    swarm = cluster("m1 m2 m3 w1", down("w2"), services=(service, *others))
    _, said = plan_of(settings, swarm).warnings
    assert str(said) == "shop_web: 1 of 3 tasks run while this takes no part: w2"
    assert not plan_of(settings, cluster("m1 m2 m3 w1 w2", services=(service,))).warnings


def test_promotions_come_before_demotions_and_those_before_departures() -> None:
    settings = declared(
        "m1 m2 w1", node("m2", role="worker"), node("w1", role="manager", availability="active")
    )
    verbs = [action.verb for action in plan_of(settings, cluster("m1 m2 m3 w1")).work]
    assert verbs == ["promote", "update", "demote", "drain", "demote", "remove"]


def test_a_silent_member_is_neither_promoted_nor_demoted() -> None:
    settings = declared("m1 m2 m3 m4 w1", node("m4", role="worker"), node("w1", role="manager"))
    swarm = cluster("m1 m2 m3", down("m4"), down("w1"))
    verbs = {action.verb for action in plan_of(settings, swarm).work}
    assert not verbs & {"promote", "demote", "await"}


def test_a_host_with_two_old_entries_is_rid_of_both() -> None:
    swarm = cluster("m1", down("w1"), down("w1", id="id-older"))
    plan = plan_of(declared("m1 w1"), swarm, idle("w1"))
    assert lines(plan.work) == [*arrival("w1"), "remove w1 id-w1", "remove w1 id-older"]


def test_an_entry_without_our_label_is_removed_only_when_it_is_down_at_the_address_of_a_node_of_ours() -> (
    None
):
    stale = down("w1", id="id-older", labels={})
    alive = entry("w1", id="id-older", labels={})
    stranger = down("w1", id="id-older", labels={}, address="10.9.9.9")
    for other, work in ((stale, ["remove w1 id-older"]), (alive, []), (stranger, [])):
        assert lines(plan_of(declared("m1 w1"), cluster("m1 w1", other)).work) == work


def test_a_node_taken_out_of_the_configuration_while_it_is_not_ready_is_refused() -> None:
    (said,) = texts(plan_of(declared("m1 w1"), cluster("m1 w1", down("w2"))).refusals)
    assert said.startswith("w2: taken out of the configuration while it is down")
    assert said.endswith("put it back with `lost: true`.")


# Managers in the swarm, managers wanted, what is refused. Those in capitals give no answer and are
# listed as down; those with a question mark give none, and the list still has them as Reachable.
QUORUM = [
    ("m1 m2 m3", "m1", None),
    ("m1 m2 M3", "m1 m3", "`demote m2` would leave 2 managers of which 1 can be reached, and 2 are needed"),
    ("m1 m2 m3 M4 M5", "m1 m2 m4 m5", "`demote m3` would leave 4 managers of which 2 can be reached, and 3"),
    ("m1 m2 m3 m4 M5", "m1 m2 m3 m5", None),
    ("m1 m2 m3 m4 M5", "m1 m2 m5", None),
    ("m1 m2 m3 m4 M5", "m1 m5", "`demote m4` would leave 2 managers of which 1 can be reached"),
    ("m1 m2 m3 M4 M5", "m1 m2 m3 m4 m5", None),
    ("m1 m2 m3?", "m1 m2 m3", None),
    ("m1 m2 m3?", "m1 m3", "`demote m2` would leave 2 managers of which 1 can be reached, and 2 are needed"),
    ("m1 m2? m3?", "m1 m2 m3", "of 3 managers 1 can be reached, and 2 are needed"),
    ("m1 m2? M3", "m1 m2 m3", "of 3 managers 1 can be reached, and 2 are needed"),
    ("m1 m2? m3? M4 m5", "m1 m2 m3 m4", "of 5 managers 2 can be reached, and 3 are needed"),
    ("m1 m2 m3 m4? M5", "m1 m2 m4 m5", "`demote m3` would leave 4 managers of which 2 can be reached"),
]


@pytest.mark.parametrize(("there", "wanted", "refused"), QUORUM)
def test_a_plan_that_would_lose_the_majority_is_refused_with_the_arithmetic(
    there: str, wanted: str, refused: str | None
) -> None:
    listed = there.replace("?", "").split()
    names = [one.lower() for one in listed]
    swarm = cluster("", *(down(one.lower()) if one[0] == "M" else entry(one) for one in listed))
    unheard = [silent(one.rstrip("?")) for one in there.split() if one.endswith("?")]
    workers = [node(name, role="worker") for name in names if name not in wanted.split()]
    for allowed in (False, True):
        settings = declared(" ".join(names), *workers, allow_unreachable=allowed)
        said = texts(plan_of(settings, swarm, *unheard).refusals)
        assert len(said) == bool(refused)
        assert all(refused and refused in one for one in said)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({}, []),
        ({"m3": Step.UNREACHABLE}, []),
        ({"w1": Step.UNREACHABLE}, []),
        (
            {"m2": Step.UNREACHABLE, "m3": Step.UNREACHABLE},
            [
                "of 3 managers 1 can be reached, and 2 are needed for a majority. Missing: m2, m3. Start "
                "them again. If they are gone for good, run on one that is left: docker swarm init "
                "--force-new-cluster --advertise-addr ITS_ADDRESS"
            ],
        ),
    ],
    ids=["all answer", "a manager is silent", "a worker is silent", "two managers are silent"],
)
def test_the_majority_counts_before_the_first_step_also_where_there_is_none(
    steps: dict[str, Step], said: list[str]
) -> None:
    names = "m1 m2 m3 w1"
    nodes = {name: NodePlan(steps.get(name, Step.IN_PLACE), f"id-{name}") for name in names.split()}
    settings, swarm = declared(names), cluster(names)
    world = World(settings, KNOWN, observed(settings, swarm))
    assert texts(quorum.quorum(world, Plan(nodes, KNOWN, cluster=swarm))) == said


def test_managers_that_joined_anew_count_before_others_are_demoted() -> None:
    there = cluster("m1 m2", down("m3"))
    settings = declared("m1 m2 m3", node("m2", role="worker"))
    assert not plan_of(settings, there, idle("m3")).refusals, "m3 is back before m2 is demoted"
    assert plan_of(settings, there).refusals


def test_a_joining_manager_s_old_entry_as_a_worker_hides_no_demotion() -> None:
    """Six managers after the join, of which four answer; two of those are to be demoted."""
    swarm = cluster("m1 m2 m3", down("m4"), down("m5"), down("m6", role="worker"))
    workers = [node(name, role="worker") for name in ("m2", "m3")]
    (said,) = texts(plan_of(declared("m1 m2 m3 m4 m5 m6", *workers), swarm, idle("m6")).refusals)
    assert "`demote m3` would leave 4 managers of which 2 can be reached, and 3 are needed" in said


def test_a_joining_worker_s_old_entry_as_a_manager_counts() -> None:
    """m3 comes back as a worker, m4 as a manager: their old entries go first, both."""
    swarm = cluster("m1 m2 m5", down("m3"), down("m4"))
    settings = declared(FIVE, node("m3", role="worker"), node("m5", role="worker"), node("m2", role="worker"))
    assert not plan_of(settings, swarm, idle("m3"), idle("m4")).refusals


# What may have become of a node: mostly nothing, in a swarm that lives; nothing yet, on fresh hosts.
# One that is cut off is silent to us alone: the swarm's list has it as Ready. The last ones are in a swarm of
# somebody else's, in every state in which an engine may be.
LIVING = ["ready"] * 8 + ["left", "silent", "silent", "cut off", "forgotten", "new", "new and silent"]
FRESH = ["new"] * 6 + ["new and silent", "forgotten", "ready"]
THEIRS = ["their manager", "their worker", "their pending", "pending", "error", "locked"]
FOREIGN = cluster("m8 w8", id="theirs", labels={STACK_LABEL: "other/prod", OWNER_LABEL: "f00d"})
# Whose label a swarm carries: ours, none, another state's, another program's.
OWNERS = [OWNER] * 6 + ["", "beef", "f00d"]


def their_host(fate: str, name: str) -> Host:
    """A host in a swarm that isn't ours, or doesn't say in which it is."""
    untold = {"node_id": "", "managers": (), "manager_ids": ()}
    return {
        "their manager": member(name, FOREIGN, "id-m8"),
        "their worker": member(name, FOREIGN, "id-w8"),
        "their pending": member(name, FOREIGN, "id-w8", state="pending"),
        "pending": idle(name, state="pending", **untold),
        "error": idle(name, state="error", **untold),
        "locked": idle(name, state="locked", **untold),
    }[fate]


Drawn = tuple[Settings, Known, Observation, Cluster | None]


@st.composite
def worlds(draw: st.DrawFn) -> Drawn:
    """Settings, what the state knows, hosts, and the swarm where a manager shows it: as they can be, by
    Raft's rules. Some managers have an old view of it."""
    fates_of = st.sampled_from(
        draw(st.sampled_from([LIVING, LIVING, LIVING + THEIRS, FRESH, FRESH + THEIRS]))
    )
    rarely, often = st.sampled_from([True] + [False] * 4), st.sampled_from([True] * 4 + [False])
    names = draw(
        st.lists(st.sampled_from(["m1", "m2", "m3", "m4", "m5", "m6", "w1", "w2"]), min_size=1, unique=True)
    )
    fates = {name: draw(fates_of) for name in names}
    owner, mostly = draw(st.sampled_from(OWNERS)), st.sampled_from([True, True, False])
    nodes, entries = [], []
    for at, name in enumerate(names):
        silent_now = fates[name] in ("silent", "cut off", "new and silent")
        role = "leader" if at == 0 else "worker" if (name[0] == "w") != draw(rarely) else "manager"
        if at == 0 or draw(mostly):
            moved = f"10.9.9.{at + 1}" if draw(rarely) else None
            lost = silent_now and draw(st.booleans())
            nodes.append(node(name, role=role, lost=lost, advertise_address=moved))
        if fates[name] in ("ready", "left", "silent", "cut off"):
            named = draw(st.sampled_from([OWNER, OWNER, OWNER, "beef", ""]))
            labels = {NAME_LABEL: name, **({OWNER_LABEL: named} if named else {})} if draw(often) else {}
            there = entry if fates[name] in ("ready", "cut off") else down
            was = "worker" if (name[0] == "w") != draw(rarely) else "manager"
            entries.append(there(name, role=was, labels=labels, leader=False))
    settings = declared(
        "",
        *nodes,
        allow_unreachable=draw(st.booleans()),
        adopt=draw(rarely),
        unreachable=tuple(name for name in names if draw(rarely)),
        other_nodes=tuple(f"id-{name}" for name in names if draw(rarely)),
    )
    known = Known(OWNER, {name: f"id-{name}" for name in names if draw(rarely)})
    labels = {STACK_LABEL: "other/prod" if owner == "f00d" else MARK, OWNER_LABEL: owner} if owner else {}
    swarm = cluster("", *entries, labels=labels, index=20)
    managers = [one.ready for one in entries if one.role == "manager"]
    leads = sum(managers) * 2 > len(managers)
    hosts = {}
    for name in (one.name for one in nodes if not one.lost):
        entry_of = swarm.entries.get(f"id-{name}")
        if fates[name] == "ready" and entry_of:
            in_view = leads or entry_of.role == "worker"
            hosts[name] = member(name, swarm) if in_view else leaderless(name, node_id=entry_of.id)
        elif fates[name] == "forgotten" and managers:
            hosts[name] = member(name, swarm, "id-forgotten")
        elif fates[name] in THEIRS:
            hosts[name] = their_host(fates[name], name)
        else:
            unheard = "silent" in fates[name] or fates[name] == "cut off"
            hosts[name] = draw(st.sampled_from([silent, stuck]))(name) if unheard else idle(name)
    seen = [name for name, host in hosts.items() if host.cluster and host.cluster.id == swarm.id]
    for name in seen[1:] if draw(rarely) else ():
        old = replace(swarm, entries={one.id: replace(one, state="down") for one in entries}, index=10)
        hosts[name] = replace(hosts[name], cluster=old)
    return settings, known, hosts, swarm if seen else None


def theirs(known: Known, hosts: Observation, swarm: Cluster | None) -> set[str]:
    """The hosts that are in a swarm and by nothing known to be in ours."""
    owner = swarm.labels.get(OWNER_LABEL) if swarm else None
    is_ours = owner == OWNER or (not owner and swarm and known.ids & swarm.entries.keys())
    ours = known.ids | set(swarm.entries if swarm and is_ours else ())
    return {
        name
        for name, host in hosts.items()
        if host.member and not host.leaderless and not ours & {host.node_id, *host.manager_ids}
    }


def majorities(plan: Plan, settings: Settings) -> Iterator[tuple[str, int, int]]:
    """Before the first step and after each: what was done, managers that can be reached, all managers."""
    entries = plan.cluster.entries.values() if plan.cluster else ()
    unheard = [plan.nodes[name].node_id for name in plan.steps(Step.UNREACHABLE)]
    managers = {one.id: one.ready and one.id not in unheard for one in entries if one.role == "manager"}
    yield "nothing", sum(managers.values()), len(managers)
    joins = [
        Action("join", one.name)
        for one in settings.nodes
        if one.manager and plan.nodes[one.name].step is Step.JOIN
    ]
    for action in (*plan.evictions, *joins, *plan.work):
        node_id = action.node_id or action.name
        if action.verb in ("join", "promote"):
            managers[node_id] = True
            if action.verb == "join":
                left = plan.nodes[action.name].stale_id
                assert left not in managers, "a manager that leaves without being demoted goes on counting"
        elif action.verb == "demote":
            managers.pop(node_id, None)
        elif action.verb == "remove":
            assert node_id not in managers, "Docker refuses to remove a manager"
        yield str(action), sum(managers.values()), len(managers)


@effort(max_examples=1000, deadline=None, derandomize=True)
@given(worlds())
def test_in_any_world_a_plan_makes_no_second_swarm_and_keeps_the_majority(world: Drawn) -> None:
    settings, known, hosts, swarm = world
    plan = decide(settings, known, hosts)
    if plan.refusals:
        return
    starts = plan.steps(Step.INIT)
    assert len(starts) <= 1
    if starts:
        assert not swarm, "no swarm but a new one is started"
        assert not any(host.member for host in hosts.values()), "a swarm beside a living one"
        unheard = {name for name, host in hosts.items() if host.problem}
        assert unheard <= set(settings.unreachable), "silent hosts are named one by one"
        assert not unheard & known.node_ids.keys(), "a silent host that the state knows may be in its swarm"
        assert known.node_ids.keys() <= {node.name for node in settings.nodes}, "so may one undeclared"
        assert not any(host.answers for host in hosts.values()), "what its engine doesn't say may be a swarm"
    for action, reachable, managers in majorities(plan, settings) if swarm else ():
        assert reachable * 2 > managers, f"{action}: {reachable} of {managers} managers"


@effort(max_examples=600, deadline=None, derandomize=True)
@given(worlds())
def test_in_any_world_nothing_of_somebody_else_s_is_touched(world: Drawn) -> None:
    settings, known, hosts, swarm = world
    plan = decide(settings, known, hosts)
    if plan.refusals:
        return
    entries = swarm.entries if swarm else {}
    owner = swarm.labels.get(OWNER_LABEL) if swarm else OWNER
    assert owner == OWNER or settings.adopt or (not owner and known.ids & entries.keys())
    if not settings.adopt and owner == OWNER:
        strangers = theirs(known, hosts, swarm)
        assert not strangers & set(plan.steps(Step.INIT, Step.JOIN)), "a token, or a leave"
    for action in (*plan.evictions, *plan.work):
        if action.verb in ("drain", "demote", "remove") and action.name not in plan.nodes:
            assert action.node_id
            entry_of = entries[action.node_id]
            assert entry_of.labels.get(OWNER_LABEL) == OWNER or entry_of.id in known.ids, str(action)
    assert not any(one.role == "manager" for one in plan.roster.strangers), "it sees every secret"


@effort(max_examples=600, deadline=None, derandomize=True)
@given(worlds())
def test_in_any_world_a_destroy_makes_only_ours_leave(world: Drawn) -> None:
    settings, known, hosts, swarm = world
    leaving = set(give_up(settings, known, hosts).steps(Step.IN_PLACE))
    strangers = theirs(known, hosts, swarm)
    if swarm and swarm.labels.get(OWNER_LABEL, OWNER) != OWNER:
        strangers |= {name for name, host in hosts.items() if host.node_id in swarm.entries}
    assert not leaving & strangers
    assert not any(hosts[name].problem for name in leaving)


AVAILABILITY = st.sampled_from(["active", "pause", "drain"])
LABELS = st.dictionaries(st.sampled_from(["disk", "zone", "tier"]), st.sampled_from(["a", "b"]))


@st.composite
def swarms_as_declared(draw: st.DrawFn) -> tuple[Settings, Observation]:
    """Settings, and hosts that are just so, but for a minority of managers and any workers that are silent;
    who leads is chance."""
    managers, workers = draw(st.integers(1, 7)), draw(st.integers(0, 3))
    names = [f"m{at}" for at in range(1, managers + 1)] + [f"w{at}" for at in range(1, workers + 1)]
    nodes = [node(name, availability=draw(AVAILABILITY), labels=draw(LABELS)) for name in names]
    unheard = draw(st.lists(st.sampled_from(names), unique=True))
    gone = [name for name in unheard if name[0] == "m"][: (managers - 1) // 2]
    gone += [name for name in unheard if name[0] == "w"]
    leads = draw(st.sampled_from([name for name in names[:managers] if name not in gone]))
    entries = [
        (down if one.name in gone and draw(st.booleans()) else entry)(
            one.name,
            availability=one.availability,
            labels={**one.labels, NAME_LABEL: one.name, OWNER_LABEL: OWNER},
            leader=one.name == leads,
        )
        for one in nodes
    ]
    settings, swarm = declared("", *nodes), cluster("", *entries)
    return settings, {name: silent(name) if name in gone else member(name, swarm) for name in names}


@effort(max_examples=300, deadline=None, derandomize=True)
@given(swarms_as_declared())
def test_in_any_swarm_as_declared_nothing_is_to_be_done(world: tuple[Settings, dict[str, Host]]) -> None:
    settings, hosts = world
    plan = decide(settings, KNOWN, hosts)
    assert not plan.refusals
    assert plan.outline() == ""
    assert (plan.evictions, plan.work, plan.steps(Step.INIT, Step.JOIN)) == ((), (), [])
    assert plan.control in hosts
    assert hosts[plan.control].cluster, "who takes the commands is a manager that answers"


def afterwards(plan: Plan, settings: Settings, hosts: Observation) -> Observation:
    """The hosts after a plan: its tasks applied to the list of nodes, one by one."""
    entries = dict(plan.cluster.entries) if plan.cluster else {}
    ids = {}
    for name, one in plan.nodes.items():
        if one.step in (Step.INIT, Step.JOIN, Step.IN_PLACE):
            ids[name] = one.node_id or f"new-{name}"
            role = "manager" if settings.node(name).manager else "worker"
            where = settings.node(name).address
            joined = entry(name, id=ids[name], role=role, availability="pause", labels={}, address=where)
            entries.setdefault(ids[name], joined)
    for action in (*plan.evictions, *plan.work):
        node_id = action.node_id or ids.get(action.name, "")
        if action.verb == "remove":
            del entries[node_id]
        elif action.verb in ("promote", "demote"):
            role = {"promote": "manager", "demote": "worker"}[action.verb]
            entries[node_id] = replace(entries[node_id], role=role)
        elif action.verb == "update":
            entries[node_id] = updated(entries[node_id], action.arguments)
    swarm = cluster("", *entries.values())
    return {name: member(name, swarm, ids[name]) if name in ids else host for name, host in hosts.items()}


def updated(one: SwarmNode, arguments: tuple[str, ...]) -> SwarmNode:
    labels = dict(one.labels)
    for argument in arguments:
        option, _, value = argument.partition("=")
        if option == "--availability":
            one = replace(one, availability=value)
        elif option == "--label-add":
            name, _, text = value.partition("=")
            labels[name] = text
        else:
            del labels[value]
    return replace(one, labels=labels)


@effort(max_examples=200, deadline=None, derandomize=True)
@given(worlds())
def test_in_any_world_there_is_no_more_work_when_all_was_done(world: Drawn) -> None:
    settings, known, hosts, _ = world
    plan = decide(settings, known, hosts)
    if plan.refusals:
        return
    again = decide(settings, known, afterwards(plan, settings, hosts))
    assert not again.refusals
    assert lines((*again.evictions, *again.work)) == []
    assert not again.steps(Step.INIT, Step.JOIN)

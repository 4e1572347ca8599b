"""The checks of the live system, as far as they are arithmetic over what was seen."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from operations import verify
from operations.verify import checked as check
from swarm.decide.decisions import decide
from swarm.declare import compose
from swarm.declare.compose import Port
from swarm.declare.settings import Node
from swarm.finding import Finding, Verdict, unknown
from swarm.observe.model import Host, Service, SwarmNode
from swarm.run import Run
from tests.unit.builders import KNOWN, cluster, declared, down, entry, idle, node, observed, silent

Checked = Callable[..., list[Finding]]

PAGE = compose.Service("page", "nginx:1.26.3", replicas=2)
LIVE = Service("s1", "demo_page", "demo", "nginx:1.26.3@sha256:0", 2, 2)
MANAGER, WORKER = "manager, Leader or Reachable", "worker, neither Leader nor Reachable"
W1 = entry("w1", reachable=False)  # so does an engine show a worker


def of(name: str, **changes: Any) -> SwarmNode:
    return entry(name, reachable=name[0] == "m", **changes)


@pytest.mark.parametrize(
    ("declared_as", "there", "finding", "passed"),
    [
        (node("m1"), of("m1"), "Ready, drain, Leader", True),
        (node("m2"), of("m2"), "Ready, drain, Reachable", True),
        (node("m1"), of("m1", leader=False), "Ready, drain, Reachable", True),
        (node("m2"), of("m2", leader=True), "Ready, drain, Leader", True),
        (node("w1"), of("w1"), "Ready, active, neither", True),
        (node("w1", availability="pause"), of("w1", availability="pause"), "Ready, pause, neither", True),
        (node("w1"), of("w1", availability="drain"), "Ready, drain, neither", False),
        (node("m2"), of("m2", availability="active"), "Ready, active, Reachable", False),
        (node("w1"), of("w1", state="down"), "Down, active, neither", False),
        (node("m2"), down("m2"), "Down, drain, neither", False),
        (node("m2"), replace(of("m2"), reachable=False), "Ready, drain, neither", False),
        (node("m2"), of("m2", state="unknown"), "Unknown, drain, Reachable", False),
        (
            node("w1"),
            entry("w1", role="manager", availability="active"),
            "Ready, active, Reachable",
            False,
        ),
        (
            node("m2", availability="active"),
            entry("m2", role="worker", availability="active", reachable=False),
            "Ready, active, neither",
            False,
        ),
        (node("w1"), entry("w1", reachable=True), "Ready, active, Reachable", False),
        (node("w2"), None, "not in the swarm", False),
    ],
    ids=[
        "the leader",
        "a manager",
        "the leader, and another leads",
        "a manager that leads",
        "a worker",
        "a paused worker",
        "a worker that was drained by hand",
        "a manager that was made active by hand",
        "a worker that is down",
        "a manager that is down",
        "a manager that the others don't reach",
        "a manager of unknown state",
        "a worker that was promoted by hand",
        "a manager that was demoted by hand",
        "a worker that is still among the managers of the quorum",
        "a node that isn't there",
    ],
)
def test_a_node_is_as_declared_or_not(
    declared_as: Node, there: SwarmNode | None, finding: str, passed: bool
) -> None:
    swarm = cluster("", *([there] if there else []))
    what = MANAGER if declared_as.manager else WORKER
    checked = verify.node_check(declared_as, there.id if there else None, swarm)
    assert checked == check(what, declared_as.name, finding, passed)


def test_a_node_without_an_id_is_not_in_the_swarm() -> None:
    assert verify.node_check(node("w1"), None, cluster("m1 w1")).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("live", "finding", "passed"),
    [
        (LIVE, "2/2 tasks, nginx:1.26.3", True),
        (replace(LIVE, update="completed"), "2/2 tasks, nginx:1.26.3", True),
        (replace(LIVE, running=1), "1/2 tasks, nginx:1.26.3", False),
        (replace(LIVE, running=0, desired=0), "0/2 tasks, nginx:1.26.3", False),
        (replace(LIVE, running=5, desired=5), "5/2 tasks, nginx:1.26.3", False),
        (replace(LIVE, update="updating"), "2/2 tasks, nginx:1.26.3", False),
        (replace(LIVE, update="paused"), "2/2 tasks, nginx:1.26.3", False),
        (replace(LIVE, name="demo_page-old"), "not there", False),
        (None, "not there", False),
    ],
    ids=[
        "its tasks run",
        "it was updated",
        "a task is missing",
        "it was scaled down by hand",
        "it was scaled up by hand",
        "it is being updated",
        "its update is stuck",
        "another has a name that begins like it",
        "it isn't there",
    ],
)
def test_a_service_is_as_declared_or_not(live: Service | None, finding: str, passed: bool) -> None:
    swarm = cluster("m1", services=(live,) if live else ())
    assert verify.service_check("demo_page", PAGE, swarm) == check("service", "demo_page", finding, passed)


@pytest.mark.parametrize(("running", "passed"), [(2, True), (1, False)])
def test_a_global_service_has_a_task_on_every_node_that_it_is_for(running: int, passed: bool) -> None:
    swarm = cluster("m1", services=(replace(LIVE, running=running),))
    found = verify.service_check("demo_page", replace(PAGE, replicas=None), swarm)
    assert found == check("service", "demo_page", f"{running}/2 tasks, nginx:1.26.3", passed)


def test_a_global_service_that_no_node_is_for_fails() -> None:
    swarm = cluster("m1", services=(replace(LIVE, running=0, desired=0),))
    assert verify.service_check("demo_page", replace(PAGE, replicas=None), swarm).verdict is Verdict.FAILED


M1, W2 = node("m1"), node("w2")
OK, DEAD = (True, "HTTP/1.1 200 OK"), (False, "no answer within 10 s")


@pytest.mark.parametrize(
    ("asked", "answers", "lines"),
    [
        ([], [], []),
        ([(M1, "a")], [OK], [("a", "HTTP/1.1 200 OK, asked from m1", True)]),
        ([(M1, "a"), (W2, "a")], [OK, OK], [("a", "HTTP/1.1 200 OK, asked from 2 nodes", True)]),
        (
            [(M1, "a"), (W2, "a")],
            [OK, DEAD],
            [
                ("a", "HTTP/1.1 200 OK, asked from m1", True),
                ("a", "no answer within 10 s, asked from w2", False),
            ],
        ),
        (
            [(M1, "a"), (M1, "b"), (W2, "a"), (W2, "b")],
            [OK, DEAD, OK, DEAD],
            [
                ("a", "HTTP/1.1 200 OK, asked from 2 nodes", True),
                ("b", "no answer within 10 s, asked from 2 nodes", False),
            ],
        ),
        (
            [(M1, "a"), (W2, "a")],
            [(True, "same"), (False, "same")],
            [("a", "same, asked from m1", True), ("a", "same, asked from w2", False)],
        ),
    ],
    ids=["nobody", "one", "all agree", "one fails", "one address fails", "the words alone agree"],
)
def test_answers_that_agree_are_one_line(
    asked: list[tuple[Node, str]], answers: list[tuple[bool, str]], lines: list[tuple[str, str, bool]]
) -> None:
    assert list(verify.agreeing("port", asked, answers)) == [check("port", *line) for line in lines]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Checked:
    """The checks of a port's publication; `tasks` are the addresses where the service runs, and only
    those of `answering` answer."""

    def of_port(
        port: Port, *hosts: Host, tasks: Sequence[str] = (), answering: Sequence[str] = ()
    ) -> list[Finding]:
        monkeypatch.setattr(verify, "task_addresses", lambda *_: list(tasks))
        monkeypatch.setattr(verify, "ask", lambda _path, _port, _node, at: OK if at in answering else DEAD)
        settings, swarm = declared("m1 w1"), cluster("m1 w1")
        stack = compose.Stack("demo", (replace(PAGE, ports=(port,)),), ())
        seen = observed(settings, swarm, *hosts)
        return list(
            verify.port_checks(Run(settings, [stack], seen, decide(settings, KNOWN, seen)), swarm, stack)
        )

    return of_port


HOST, MESH = compose.Port(80, 8080, mode="host"), compose.Port(80, 8080)
IN_HOST_MODE, THROUGH_THE_MESH = "port 8080 (host)", "port 8080 (ingress)"


def test_a_port_in_host_mode_is_asked_where_the_tasks_run(checked: Checked) -> None:
    (found,) = checked(HOST, tasks=["10.0.0.21"], answering=["10.0.0.21"])
    assert found == check(IN_HOST_MODE, "10.0.0.21", "HTTP/1.1 200 OK, asked from 2 nodes", True)


def test_a_port_in_host_mode_fails_where_no_task_runs(checked: Checked) -> None:
    assert checked(HOST) == [check(IN_HOST_MODE, "demo_page", "no node runs a task of it", False)]


def test_a_port_of_the_mesh_is_asked_on_every_node_that_answers(checked: Checked) -> None:
    assert checked(MESH, answering=["10.0.0.11", "10.0.0.21"]) == [
        check(THROUGH_THE_MESH, at, f"HTTP/1.1 200 OK, asked from {name}", True)
        for name, at in (("m1", "10.0.0.11"), ("w1", "10.0.0.21"))
    ]
    (alone,) = checked(MESH, silent("w1"), answering=["10.0.0.11"])
    assert (alone.where, alone.verdict) == (("10.0.0.11",), Verdict.OK)


def test_a_port_of_the_mesh_is_not_checked_where_the_kernel_has_no_ip_vs(checked: Checked) -> None:
    lacking, asked = checked(MESH, idle("w1", ip_vs=False), answering=["10.0.0.11"])
    assert lacking == unknown(THROUGH_THE_MESH, "w1", "no IP_VS in the kernel there")
    assert (asked.where, asked.verdict) == (("10.0.0.11",), Verdict.OK)


def test_udp_is_not_asked(checked: Checked) -> None:
    assert checked(compose.Port(53, 53, protocol="udp")) == []


def test_all_is_checked_role_by_role_and_service_by_service() -> None:
    settings, stack = declared("m1 w1"), compose.Stack("demo", (PAGE,), ())
    swarm = cluster("m1", W1, services=(LIVE,))
    seen = observed(settings, swarm)
    found = list(verify.verify(Run(settings, [stack], seen, decide(settings, KNOWN, seen))))
    assert [(one.check, *one.where, one.verdict is Verdict.OK) for one in found] == [
        ("one leader", "swarm", True),
        (MANAGER, "m1", True),
        (WORKER, "w1", True),
        ("service", "demo_page", True),
    ]
    assert found[0].what == "m1"


@pytest.mark.parametrize("leaders", ["", "m1 m2"])
def test_no_leader_and_two_are_one_failure(leaders: str) -> None:
    settings = declared("m1 m2 m3")
    names = settings.nodes
    swarm = cluster("", *(entry(one.name, leader=one.name in leaders.split()) for one in names))
    seen = observed(settings, swarm)
    first = next(verify.verify(Run(settings, [], seen, decide(settings, KNOWN, seen))))
    assert first == check("one leader", "swarm", ", ".join(leaders.split()) or "none", False)


def test_where_no_swarm_is_to_be_seen_there_is_one_check_and_it_fails() -> None:
    settings = declared("m1 w1")
    seen = observed(settings, None)
    (found,) = verify.verify(Run(settings, [], seen, decide(settings, KNOWN, seen)))
    assert found == check("swarm", "lab", "no host is in a swarm", False)

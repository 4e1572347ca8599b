"""A look at a host: the Engine's API through the pipes of a stand-in for ssh."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from components import look
from components.observation import (
    BOOT_SECONDS,
    NAME_LABEL,
    NAMESPACE_LABEL,
    STACK_LABEL,
    Host,
    Service,
    under_way,
)
from tests.unit.builders import (
    MARK,
    cluster,
    declared,
    down,
    entry,
    idle,
    leaderless,
    member,
    node,
    silent,
    stuck,
)

# Prints the facts, then answers each request as `answers.json` beside it has it: [status, body].
SSH = """#!python
import json, pathlib, sys, time
told = json.loads((pathlib.Path(__file__).parent / "answers.json").read_text())
host = told.get(sys.argv[3], told)
sys.stderr.write(host.get("stderr", ""))
sys.stderr.flush()
sys.stdout.buffer.write(host.get("facts", "").encode("latin-1"))
sys.stdout.flush()
time.sleep(host.get("silence", 0))
if "paths" not in host:
    sys.exit(255)
for line in sys.stdin:
    if line.startswith("GET "):
        status, body = host["paths"][line.split()[1]]
        text = body if isinstance(body, str) else json.dumps(body)
        head = f"HTTP/1.1 {status} X\\r\\nContent-Length: {len(text)}\\r\\n\\r\\n"
        sys.stdout.write(head + text)
        sys.stdout.flush()
        time.sleep(host.get("pause", 0))
"""
ROUTES = "route default via 10.0.0.1 dev eth0\nroute 10.0.0.0/24 dev eth0 proto kernel\n"
INFO = {
    "ServerVersion": "26.1.5+dfsg1",
    "Swarm": {
        "NodeID": "id-m1",
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "RemoteManagers": [{"NodeID": "id-m1", "Addr": "10.0.0.11:2377"}],
        "Cluster": {
            "ID": "ours",
            "DefaultAddrPool": ["10.20.0.0/16"],
            "DataPathPort": 4789,
            "Spec": {
                "Orchestration": {"TaskHistoryRetentionLimit": 5},
                "CAConfig": {"NodeCertExpiry": 7_776_000 * 10**9},
            },
        },
    },
}
NOT_A_MANAGER = {"message": "This node is not a swarm manager."}
NODES = [
    {
        "ID": "id-m1",
        "Spec": {"Role": "manager", "Availability": "drain", "Labels": {NAME_LABEL: "m1"}},
        "Description": {"Hostname": "m1"},
        "Status": {"State": "ready", "Addr": "0.0.0.0"},
        "ManagerStatus": {"Leader": True, "Reachability": "reachable", "Addr": "10.0.0.11:2377"},
    },
    {
        "ID": "id-m2",
        "Spec": {"Role": "manager", "Availability": "drain", "Labels": {NAME_LABEL: "m2"}},
        "Description": {"Hostname": "m2"},
        "Status": {"State": "down", "Addr": "10.0.0.12"},
        "ManagerStatus": {"Reachability": "unreachable", "Addr": "10.0.0.12:2377"},
    },
    {
        "ID": "id-w1",
        "Spec": {"Role": "worker", "Availability": "active", "Labels": {NAME_LABEL: "w1"}},
        "Description": {"Hostname": "w1"},
        "Status": {"State": "ready", "Addr": "10.0.0.21"},
    },
]
SERVICES = [
    {
        "ID": "s1",
        "Spec": {
            "Name": "demo_page",
            "Labels": {NAMESPACE_LABEL: "demo"},
            "TaskTemplate": {"ContainerSpec": {"Image": "nginx:1.26.3@sha256:0"}},
        },
        "ServiceStatus": {"RunningTasks": 1, "DesiredTasks": 2},
        "UpdateStatus": {"State": "updating"},
    }
]


def facts(clock=None, ip_vs="yes", **more):
    clock = time.time() if clock is None else clock
    return f"clock {clock}\nip_vs {ip_vs}\n{ROUTES}" + "".join(f"{k} {v}\n" for k, v in more.items()) + "\n"


def manager(**changes):
    paths = {
        "/nodes": [200, NODES],
        "/info": [200, INFO],
        "/services?status=true": [200, SERVICES],
        "/configs": [200, [{"Spec": {"Labels": {STACK_LABEL: MARK}}}, {"Spec": {"Labels": {}}}]],
        "/secrets": [200, []],
    }
    return {"facts": facts(), "paths": {**paths, **changes}}


def with_swarm(**changes):
    return {**INFO, "Swarm": {**INFO["Swarm"], "Cluster": None, **changes}}


@pytest.fixture
def ssh(program):
    """Tells the stand-in what the host answers."""
    path = program("ssh", SSH)

    def answer(**told):
        path.with_name("answers.json").write_text(json.dumps(told))

    return answer


@pytest.fixture
def seen(ssh, tmp_path):
    """What a look at a host gives that answers like this."""

    def at(**told):
        ssh(**told)
        return look.look("m1", tmp_path / "ssh_config")

    return at


def test_a_manager_shows_the_swarm(seen):
    host = seen(**manager())
    assert host.problem is None
    assert (host.engine, host.state, host.node_id, host.manager) == ("26.1.5+dfsg1", "active", "id-m1", True)
    assert host.managers == ("10.0.0.11",)
    assert host.ip_vs
    assert abs(host.skew) < 5
    assert host.routes == ("default via 10.0.0.1 dev eth0", "10.0.0.0/24 dev eth0 proto kernel")
    assert host.cluster == cluster(
        "m1 w1",
        entry("m1", reachable=True),
        down("m2"),
        entry("w1", reachable=False),
        services=(Service("s1", "demo_page", "demo", "nginx:1.26.3@sha256:0", 1, 2, "updating"),),
    )
    assert host.cluster.entries["id-w1"].ready
    assert not host.cluster.services[0].settled


@pytest.mark.parametrize(
    ("path", "body", "bare"),
    [(None, None, True), ("/services?status=true", SERVICES, False), ("/secrets", [{}], False)],
)
def test_a_swarm_is_bare_only_without_services_secrets_and_configs(seen, path, body, bare):
    empty = {one: [200, []] for one in ("/services?status=true", "/configs", "/secrets")}
    changed = {path: [200, body]} if path else {}
    assert seen(**manager(**{**empty, **changed})).cluster.bare is bare


def test_a_manager_without_a_leader_is_told_by_its_failure_to_list_nodes(seen):
    """Asking it for /info would block: so it isn't asked."""
    no_leader = {"message": "rpc error: code = Unknown desc = The swarm does not have a leader."}
    host = seen(facts=facts(), paths={"/nodes": [500, no_leader]})
    assert (host.leaderless, host.member, host.cluster) == (True, True, None)


def test_a_worker_shows_its_membership_and_its_managers(seen):
    info = with_swarm(NodeID="id-w1", ControlAvailable=False)
    host = seen(facts=facts(ip_vs="no"), paths={"/nodes": [503, NOT_A_MANAGER], "/info": [200, info]})
    assert (host.state, host.node_id, host.manager, host.cluster) == ("active", "id-w1", False, None)
    assert host.managers == ("10.0.0.11",)
    assert not host.ip_vs


def test_a_host_in_no_swarm_is_no_member(seen):
    info = with_swarm(NodeID="", LocalNodeState="inactive", ControlAvailable=False, RemoteManagers=None)
    host = seen(facts=facts(), paths={"/nodes": [503, NOT_A_MANAGER], "/info": [200, info]})
    assert (host.problem, host.member, host.node_id, host.managers) == (None, False, "", ())


def test_a_host_s_clock_is_compared_with_ours(seen):
    told = manager()
    told["facts"] = facts(clock=time.time() - 3600)
    assert seen(**told).skew == pytest.approx(-3600, abs=5)


@pytest.mark.parametrize(
    ("told", "problem", "answers"),
    [
        (
            {"stderr": "Warning: something\nssh: connect to host 10.0.0.11 port 22: No route to host\n"},
            "ssh: connect to host 10.0.0.11 port 22: No route to host",
            False,
        ),
        ({"stderr": "Host key verification failed.\n"}, "Host key verification failed.", False),
        ({}, "the SSH session ended early", False),
        (
            {"facts": facts(), "stderr": "sh: 6: exec: docker: not found\n"},
            "sh: 6: exec: docker: not found",
            True,
        ),
        (
            {"facts": facts(), "stderr": "Cannot connect to the Docker daemon\n"},
            "Cannot connect to the Docker daemon",
            True,
        ),
        ({"facts": "Welcome!\n\n", "stderr": "go away\n"}, "go away", True),
        (
            {
                "facts": facts(),
                "paths": {"/nodes": [503, NOT_A_MANAGER], "/info": [500, {"message": "broken"}]},
            },
            "its Docker Engine answers: broken",
            True,
        ),
    ],
    ids=[
        "nobody is there",
        "the host's key is another",
        "nothing is said",
        "Docker isn't installed",
        "the engine is down",
        "no facts come",
        "the engine fails",
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_who_found_it(seen, told, problem, answers):
    assert seen(**told) == Host("m1", problem=problem, answers=answers)


def test_a_host_with_a_problem_says_how_long_it_is_up(seen):
    assert seen(facts=facts(clock=1000, booted=940), stderr="no engine\n").age == 60


@pytest.mark.parametrize(
    "told",
    [
        {"facts": "\xff\xfe garbage\n\n", "stderr": "oh\n"},
        {"facts": "clock %s.%N\nip_vs no\n\n", "stderr": "oh\n"},
        {"facts": facts(), "paths": {"/nodes": [200, "no JSON"]}},
        {"facts": facts(), "paths": {"/nodes": [500, "no JSON"]}},
    ],
    ids=[
        "bytes that are no text",
        "a clock that is no number",
        "an answer without JSON",
        "an error without JSON",
    ],
)
def test_a_host_that_talks_nonsense_is_a_problem_of_that_host_alone(seen, told):
    host = seen(**told)
    assert host.problem


@pytest.mark.parametrize(
    ("told", "limit", "who"),
    [
        ({"silence": 30}, 0.2, "it"),
        ({"facts": facts(), "silence": 30, "paths": {}}, 2, "its Docker Engine"),
    ],
    ids=["the host", "the engine"],
)
def test_silence_ends_at_the_limit_and_says_whose_it_is(seen, monkeypatch, told, limit, who):
    monkeypatch.setattr(look, "LOOK_SECONDS", limit)
    began = time.monotonic()
    host = seen(**told)
    assert host.problem == f"{who} gave no answer within {limit} s"
    assert host.answers is host.late is ("facts" in told)
    assert time.monotonic() - began < 20, "it waited for what is silent for 30 s"


def test_a_jump_host_s_process_that_outlives_the_session_prolongs_nothing(program, tmp_path, monkeypatch):
    monkeypatch.setattr(look, "LOOK_SECONDS", 1)
    program("ssh", "#!/bin/sh\nsleep 30\n")
    began = time.monotonic()
    host = look.look("m1", tmp_path / "ssh_config")
    assert host.problem == "it gave no answer within 1 s"
    assert time.monotonic() - began < 20, "it waited for the child, which sleeps for 30 s"


def test_no_process_and_no_open_file_is_left_of_a_look(seen):
    seen(**manager())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        seen(**manager())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.fixture
def observe(ssh, monkeypatch):
    """Observes m1, w1 and, lost, w2, by a clock that only sleeping moves; gives the hosts, what was
    said, and how long it slept."""
    clock = SimpleNamespace(now=0, time=time.time, monotonic=lambda: clock.now)
    clock.sleep = lambda seconds: setattr(clock, "now", clock.now + seconds)
    monkeypatch.setattr(look, "time", clock)

    def at(patience=2, **told):
        ssh(**told)
        said = []
        settings = declared("m1 w1", node("w2", lost=True))
        return look.observe(settings, ["demo"], said.append, patience=patience), said, clock.now

    return at


def test_all_hosts_are_looked_at_but_those_that_are_lost(observe):
    steady = manager(**{"/services?status=true": [200, []]})
    hosts, said, slept = observe(m1=steady, w1={"stderr": "No route to host\n"})
    assert list(hosts) == ["m1", "w1"]
    assert hosts["m1"].cluster
    assert hosts["w1"].problem == "No route to host"
    assert (said, slept) == ([], 0)


def test_what_is_under_way_is_waited_for_within_bounds_and_said_once(observe):
    hosts, said, slept = observe(m1=manager(), w1={"stderr": "No route to host\n"})
    assert said == ["waiting, 2 s at most: demo_page: 1 of 2 tasks run"]
    assert hosts["m1"].cluster
    assert slept == 2


def test_without_patience_nothing_is_waited_for(observe):
    hosts, said, slept = observe(0, m1=manager(), w1={"stderr": "No route to host\n"})
    assert hosts["m1"].cluster
    assert (said, slept) == ([], 0)


SWARM = cluster("m1 w1", down("w2"), services=(Service("s1", "demo_page", "demo", "nginx", 1, 2),))
WHOLE = cluster("m1 w1", services=(Service("s1", "demo_page", "demo", "nginx", 2, 2),))
MORE = cluster("m1 w1", services=(Service("s1", "demo_page", "demo", "nginx", 3, 2),))


@pytest.mark.parametrize(
    ("hosts", "stacks", "said"),
    [
        ([idle("m1"), idle("w1")], ["demo"], []),
        ([member("m1", WHOLE), member("w1", WHOLE), silent("w2")], ["demo"], []),
        ([leaderless("m1"), leaderless("m2")], [], ["m1, m2: in a swarm without a leader"]),
        ([member("m1", SWARM), member("w2", SWARM)], [], ["w2: not Ready yet"]),
        ([member("m1", SWARM), silent("w2")], ["other"], []),
        ([member("m1", SWARM)], ["demo"], ["demo_page: 1 of 2 tasks run"]),
        ([member("m1", MORE), member("w1", MORE)], ["demo"], []),
        ([Host("m1", problem="no engine", age=20)], [], ["m1: no engine"]),
        ([Host("m1", problem="no engine", age=BOOT_SECONDS - 1)], [], ["m1: no engine"]),
        ([Host("m1", problem="no engine", age=BOOT_SECONDS)], [], []),
        ([idle("m1", age=20)], [], []),
        ([Host("m1", problem="late", age=20), Host("w1", problem="late", age=20)], [], ["m1, w1: late"]),
        ([stuck("m1", late=True)], [], ["m1: its Docker Engine gave no answer within 8 s"]),
        ([stuck("m1", late=True, age=20)], [], ["m1: its Docker Engine gave no answer within 8 s"]),
        ([stuck("m1")], [], []),
    ],
    ids=[
        "no swarm",
        "all is well but for a silent member",
        "an election",
        "a node that comes back",
        "a silent member, services of others",
        "tasks that start",
        "tasks of a node that is down beside their successors",
        "a host that boots",
        "a host that boots as long as any does",
        "a host that is up for longer",
        "a host that boots and is all there",
        "two hosts that boot",
        "an engine that is late",
        "an engine that is late on a host that boots",
        "an engine that fails at once",
    ],
)
def test_what_is_about_to_change_by_itself_is_told(hosts, stacks, said):
    assert list(under_way({host.name: host for host in hosts}, stacks)) == said


@pytest.mark.parametrize(
    ("running", "desired", "update", "settled"),
    [
        (2, 2, None, True),
        (2, 2, "completed", True),
        (2, 2, "rollback_completed", True),
        (3, 2, None, True),
        (0, 0, None, True),
        (1, 2, None, False),
        (1, 2, "completed", False),
        (2, 2, "updating", False),
        (3, 2, "updating", False),
        (2, 2, "paused", False),
        (2, 2, "rollback_started", False),
        (2, 2, "rollback_paused", False),
    ],
)
def test_a_service_is_settled_when_its_tasks_run_and_nothing_moves(running, desired, update, settled):
    assert Service("s1", "demo_page", "demo", "nginx", running, desired, update).settled is settled

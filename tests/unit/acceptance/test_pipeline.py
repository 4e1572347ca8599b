"""The acceptance pipeline: its order, what is told of it, what it reads out of what commands print."""

import itertools
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from acceptance import environment, hosts, pipeline, report, stages
from acceptance.pipeline import STAGES, Result
from acceptance.report import Conditions
from acceptance.stages import failover, mesh
from swarm.declare.compose import Port, Service
from swarm.declare.reader import Problem

CONDITIONS = Conditions("dev", "6 virtual machines", "Docker Engine 26.1.5", date(2026, 11, 24))


def give(*broken: str, order: tuple[str, ...] = STAGES) -> list[Result]:
    """The results of a pipeline, some of whose stages fail."""
    return pipeline.give(
        order, lambda name: Result(name, 61.2, ("x",), (), "why" if name in broken else None)
    )


def test_every_stage_is_given_in_order_and_the_hosts_are_destroyed_at_both_ends() -> None:
    results = give()
    assert [result.stage for result in results] == list(STAGES)
    assert STAGES[0] == STAGES[-1] == "destroy"
    assert not pipeline.failed(results)


@pytest.mark.parametrize("broken", STAGES[1:-1])
def test_a_stage_that_fails_ends_it_but_the_hosts_are_destroyed(broken: str) -> None:
    results = give(broken)
    assert [result.stage for result in results] == [*STAGES[: STAGES.index(broken) + 1], "destroy"]
    assert pipeline.failed(results)


def test_one_stage_alone_is_given_alone() -> None:
    assert [result.stage for result in give(order=("verify",))] == ["verify"]
    assert pipeline.failed(give("verify", order=("verify",)))


def test_every_stage_has_something_to_do() -> None:
    assert set(stages.DOES) == set(STAGES)


def test_a_stage_of_which_nothing_could_be_checked_is_not_ok() -> None:
    assert Result("edge", 0, (), ("no edge",)).verdict == "not checked"
    assert Result("mesh", 0, ("names",), ("no IP_VS",)).verdict == "ok"


@pytest.mark.parametrize(
    ("seconds", "text"), [(6.6, "0:07"), (59.4, "0:59"), (59.6, "1:00"), (3599.7, "60:00"), (754, "12:34")]
)
def test_times_are_in_minutes_and_seconds(seconds: float, text: str) -> None:
    assert pipeline.clock(seconds) == text


def test_the_table_says_what_was_not_reached() -> None:
    rows = list(report.rows(STAGES, give("converge")))
    assert [row[0] for row in rows] == [*STAGES, "all"]
    assert [row[1] for row in rows] == ["ok"] * 3 + ["FAILED"] + ["not reached"] * 6 + ["ok", "FAILED"]
    assert rows[-1] == ("all", "FAILED", "5:06", "5", "")


def test_the_table_for_people_shows_brackets_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    results = [Result("mesh", 1, ("x",), ("no [ESP] here",))]
    Console(width=120).print(report.table(("mesh",), results))
    assert "no [ESP] here" in capsys.readouterr().out


def within(case: ET.Element, path: str) -> ET.Element:
    found = case.find(path)
    assert found is not None
    return found


def test_junit_has_a_case_for_each_stage() -> None:
    results = [*give("mesh")[:-1], Result("destroy", 2, ("no host is left",))]
    suite = ET.fromstring(report.junit(STAGES, results, "dev"))
    cases = {case.get("name"): case for case in suite}
    assert [case.get("name") for case in suite] == list(STAGES)
    assert within(cases["mesh"], "failure").text == "why"
    assert within(cases["play"], "skipped").get("message") == "not reached"
    assert cases["verify"].get("time") == "61.2"
    assert within(cases["destroy"], "system-out").text == "no host is left"


def test_junit_takes_whatever_a_program_prints() -> None:
    failed = Result("up", 1, ("\x1b[1mok",), (), "\x1b[31mbroken\x00\nlast")
    failure = within(ET.fromstring(report.junit(("up",), [failed], "dev")), ".//failure")
    assert (failure.get("message"), failure.text) == ("[31mbroken", "[31mbroken\nlast")


def test_junit_counts_what_could_not_be_checked_as_skipped() -> None:
    (case,) = ET.fromstring(report.junit(("edge",), [Result("edge", 0, (), ("no edge",))], "dev"))
    assert within(case, "skipped").get("message") == "no edge"


def test_the_page_says_where_and_when_and_has_the_log() -> None:
    text = report.page(CONDITIONS, give(), STAGES, "## 1. destroy\n")
    assert "2026-11-24, stack\n`dev`: 6 virtual machines. Docker Engine 26.1.5." in text
    assert "| play | ok | 1:01 | 1 |  |" in text
    assert text.endswith("## 1. destroy\n")


@pytest.mark.parametrize(
    ("said", "there"),
    [
        (
            "w1  10.0.0.121  up, Docker Engine 26.1.5\nw2  10.0.0.122  stopped",
            {"w1": "10.0.0.121", "w2": "10.0.0.122"},
        ),
        ("w1  running\nw2  not created\nw3  shutoff", {"w1": "", "w2": "", "w3": ""}),
        ("lab x: not there", {}),
        ("no machines", {}),
    ],
    ids=["the lab's", "vagrant's", "no lab", "none"],
)
def test_machines_are_read_from_what_their_tool_says(said: str, there: dict[str, str]) -> None:
    assert environment.machines(said) == there


def test_the_log_has_what_the_machines_tool_says_and_nothing_of_vagrants_own() -> None:
    assert environment.logged("starting swarm-manager-01 and swarm-manager-02 ...\n")
    for line in (
        "Bringing machine 'swarm-manager-01' up with 'libvirt' provider...\n",
        "==> swarm-manager-01:  -- Kernel: /home/somebody/vmlinuz\n",
        "    swarm-manager-01: SSH username: vagrant\n",
        "\n",
    ):
        assert not environment.logged(line)


def test_nodes_without_a_machine_are_not_declared() -> None:
    declared: list[Mapping[str, Any]] = [
        {"name": "m1", "host": "10.0.0.1", "role": "leader"},
        {"name": "w1", "host": "10.0.0.2"},
    ]
    (leader,) = environment.narrowed(declared, {"m1": "10.9.9.1"})
    assert leader == {"name": "m1", "host": "10.9.9.1", "role": "leader"}
    assert environment.narrowed(declared, {"m1": "", "w1": ""}) == declared


def test_keys_that_are_made_with_the_machines_are_no_problem_before() -> None:
    rule = "no ed25519 or ecdsa host key of it is in /x"
    assert stages.to_be_made(Problem("swarm:ssh.privateKeyFile", "/x", "there is no such file", ""))
    assert stages.to_be_made(Problem("swarm:nodes (m1).host", "10.0.0.1", rule, ""))
    assert not stages.to_be_made(Problem("swarm:stacks (demo).compose", "x", "there is no such file", ""))
    assert not stages.to_be_made(Problem("swarm:nodes", None, "exactly one node has the role leader", ""))


@pytest.mark.parametrize(
    ("number", "size"), [(None, None), ("6", "3,3"), ("4", "2,2"), ("3", "1,2"), ("2", "1,1")]
)
def test_of_fewer_machines_the_first_are_a_leader_and_two_workers(
    number: str | None, size: str | None
) -> None:
    assert hosts.size(number) == (("--nodes", size) if size else ())


def test_the_addresses_and_the_replicas_are_read_from_curl() -> None:
    said = (
        "*   Trying 10.20.1.5:80...\n* Connected to dnsrr (10.20.1.5) port 80 (#0)\nanswered by dnsrr-1\n"
        "* Host dnsrr:80 was resolved.\n*   Trying 10.20.1.6:80...\nanswered by dnsrr-2\n"
    )
    assert mesh.read(said) == ({"10.20.1.5", "10.20.1.6"}, {"dnsrr-1", "dnsrr-2"})


def test_a_worker_that_a_service_is_bound_to_is_known() -> None:
    bound = Service("redis", "redis", constraints=("node.role == worker", "node.hostname == w1"))
    assert failover.pinned([bound, Service("web", "nginx")]) == {"w1"}


@pytest.mark.parametrize(
    ("found", "service", "settled"),
    [
        ({"w3": 3}, Service("redis", "redis", replicas=3), True),
        ({"w3": 2}, Service("redis", "redis", replicas=3), False),
        ({"w2": 1, "w3": 2}, Service("redis", "redis", replicas=3), False),
        ({"w3": 1}, Service("web", "nginx", replicas=2, ports=(Port(80, 8081, mode="host"),)), True),
        ({"w3": 1}, Service("web", "nginx", replicas=2, ports=(Port(80, 8080),)), False),
    ],
    ids=["all", "too few", "one elsewhere", "a port of the host's", "a port of the mesh"],
)
def test_tasks_are_settled_on_the_worker_that_is_left(
    found: dict[str, int], service: Service, settled: bool
) -> None:
    assert failover.settled(found, service, {"w3"}) is settled


@pytest.mark.parametrize(
    ("answers", "evenly"),
    [
        ({"vip-1": 500, "vip-2": 500}, True),
        ({"vip-1": 390, "vip-2": 610}, False),
        ({"vip-1": 1000}, False),
        ({"vip-1": 500, None: 500}, False),
        ({"vip-1": 450, "vip-2": 450, None: 100}, False),
    ],
    ids=["half each", "one has too few", "one has all", "one is silent", "some are lost"],
)
def test_requests_are_spread_over_both_replicas_or_not(answers: dict[str | None, int], evenly: bool) -> None:
    assert mesh.evenly(answers) is evenly


def test_a_thousand_requests_are_asked_of_all_nodes_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[tuple[str, int]] = Counter()
    passed: list[tuple[str, bool]] = []
    replica = itertools.cycle(["answered by vip-1", "answered by vip-2"])

    def answer(node: Any, port: int) -> str:
        asked[node.name, port] += 1
        return next(replica)

    nodes = [SimpleNamespace(name=name, lost=False) for name in ("m1", "w1", "w2", "w3")]
    stage: Any = SimpleNamespace(
        found=SimpleNamespace(settings=SimpleNamespace(nodes=nodes)),
        check=lambda what, holds, found: passed.append((what, holds)),
    )
    monkeypatch.setattr(mesh, "answer", answer)
    mesh.spread(stage, 8082)
    assert asked == {(node.name, 8082): 250 for node in nodes}
    ((what, holds),) = passed
    assert holds
    assert what.startswith("1000 requests, on 4 nodes in turn: ")


def test_a_page_that_is_asked_is_its_first_line() -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"answered by vip-2\n")

        def log_message(self, *_: str) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        node: Any = SimpleNamespace(host="127.0.0.1")
        port = server.server_port
        assert mesh.answer(node, port) == "answered by vip-2"
        server.shutdown()
    assert mesh.answer(node, port) is None

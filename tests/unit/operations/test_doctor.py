"""The doctor: what is sent between hosts, and what each outcome means."""

import json
import shutil
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from operations import pulumi_cli
from operations.doctor import examination as doctor
from operations.doctor import exchange, facts, mtu, neighbors, overlay, ports, programs, undeclared
from operations.doctor import hosts as checks
from operations.doctor.exchange import Message, Outcome, Sessions
from operations.doctor.facts import Facts, Link
from operations.doctor.ports import Hosts
from swarm.decide.decisions import decide
from swarm.declare import compose
from swarm.declare.labels import OWNER_LABEL, STACK_LABEL
from swarm.declare.settings import Proxy, Settings
from swarm.finding import Finding, Verdict
from swarm.observe.model import VXLAN_IDS, Cluster, Host, Service, SwarmNode, SwarmObject
from swarm.run import Run
from swarm.script import render
from tests.unit.builders import (
    KNOWN,
    MARK,
    SSH,
    address,
    cluster,
    declared,
    down,
    entry,
    idle,
    leaderless,
    member,
    node,
    observed,
    silent,
    stuck,
)
from tests.unit.given import Program

OK, WARNING, FAILED, UNKNOWN = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.UNKNOWN
SWARM = cluster("m1 w1 w2")
PORTS = ("port 2377/tcp", "port 7946/tcp", "port 7946/udp", "port 4789/udp")


def told(name: str, *peers: str, mtu: int = 1500, **changes: Any) -> Facts:
    usual = {"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"}
    links = {address(peer): Link("eth0", mtu) for peer in peers}
    return replace(Facts(None, "perl", 5 * 10**9, usual, ("127.0.0.1", address(name)), links), **changes)


def known(
    names: str,
    swarm: Cluster | None = None,
    *special: Host,
    facts: dict[str, Facts] | None = None,
    settings: Settings | None = None,
) -> Hosts:
    """All hosts answer and have the tools, but for special ones; other facts by name."""
    settings = settings or declared(names)
    observation = observed(settings, swarm, *special)
    every = [one.name for one in settings.nodes if not one.lost]
    usual = {
        name: Facts(problem=host.problem)
        if host.problem and not host.answers
        else told(name, *(peer for peer in every if peer != name))
        for name, host in observation.items()
    }
    return Hosts(settings, observation, usual | (facts or {}))


def all_arrive(hosts: Hosts) -> Outcome:
    return Outcome(arrived={one.arrival for one in ports.messages(hosts)})


Rows = list[tuple[str | Verdict, ...]]


def rows(found: list[Finding], *names: str) -> Rows:
    return [(one.verdict, one.check, *one.where) for one in found if not names or one.check in names]


def of_ports(hosts: Hosts, outcome: Outcome | None = None) -> list[Finding]:
    sent = ports.messages(hosts)
    outcome = all_arrive(hosts) if outcome is None else outcome
    return list(ports.findings(hosts, sent, outcome))


# What is sent.


def test_each_host_sends_to_each_other_what_a_swarm_needs() -> None:
    sent = ports.messages(known("m1 w1"))
    assert [(one.sender, one.target, one.words) for one in sent] == [
        ("m1", "w1", "tcp/10.0.0.21/7946/64"),
        ("m1", "w1", "udp/10.0.0.21/7946/64"),
        ("m1", "w1", "udp/10.0.0.21/4789/64"),
        ("m1", "w1", "whole/10.0.0.21/4789/1472"),
        ("w1", "m1", "tcp/10.0.0.11/2377/64"),
        ("w1", "m1", "tcp/10.0.0.11/7946/64"),
        ("w1", "m1", "udp/10.0.0.11/7946/64"),
        ("w1", "m1", "udp/10.0.0.11/4789/64"),
        ("w1", "m1", "whole/10.0.0.11/4789/1472"),
    ]


def test_members_are_connected_to_and_sent_nothing() -> None:
    hosts = known("m1 w1 w2", cluster("m1 w1"))
    sent = {(one.target, one.way) for one in ports.messages(hosts)}
    assert sent == {
        ("m1", "connect"),
        ("w1", "connect"),
        ("w2", "tcp"),
        ("w2", "udp"),
        ("w2", "whole"),
    }


def test_datagrams_between_tasks_go_to_the_data_path_s_address_and_port() -> None:
    settings = declared("m1", node("w1", data_path_address="10.9.0.1"), data_path_port=4790)
    hosts = known("", settings=settings, facts={"m1": told("m1", links={"10.9.0.1": Link("eth1", 9000)})})
    words = [one.words for one in ports.messages(hosts) if one.target == "w1"]
    assert words == [
        "tcp/10.0.0.21/7946/64",
        "udp/10.0.0.21/7946/64",
        "udp/10.9.0.1/4790/64",
        "whole/10.9.0.1/4790/1472",
    ]


def test_the_swarm_s_own_data_path_port_goes_before_the_usual_one() -> None:
    assert known("m1", cluster("m1", data_path_port=4791)).data_path == 4791


@pytest.mark.parametrize(
    ("changes", "pairs"),
    [
        ({"m1": Facts(problem="no route")}, {("w1", "w2"), ("w2", "w1")}),
        ({"m1": told("m1", tool=None)}, {("w1", "w2"), ("w2", "w1")}),
    ],
)
def test_who_can_t_be_asked_neither_sends_nor_is_sent_to(
    changes: dict[str, Facts], pairs: set[tuple[str, ...]]
) -> None:
    sent = ports.messages(known("m1 w1 w2", facts=changes))
    assert {(one.sender, one.target) for one in sent} == pairs


def test_a_narrow_interface_sends_no_more_than_it_carries() -> None:
    sent = ports.messages(known("m1 w1", facts={"m1": told("m1", "w1", mtu=1400)}))
    assert [one.size for one in sent if one.way == "whole"] == [1372, 1472]


def test_the_port_of_managers_is_tried_where_a_manager_is_or_is_to_be() -> None:
    swarm = cluster("m1", entry("m2", role="worker"))
    hosts = known("m1 m2 m3 w1", swarm)
    assert {one.target for one in ports.messages(hosts) if one.port == 2377} == {"m1", "m3"}


# What it means.


def test_what_arrives_is_counted_in_pairs() -> None:
    found = of_ports(known("m1 w1 w2"))
    assert [(one.verdict, one.check, one.what) for one in found] == [
        (OK, "port 2377/tcp", "sent and received: 2 of 2 pairs"),
        (OK, "port 7946/tcp", "sent and received: 6 of 6 pairs"),
        (OK, "port 7946/udp", "sent and received: 6 of 6 pairs"),
        (OK, "port 4789/udp", "sent and received: 6 of 6 pairs"),
    ]


def test_what_doesn_t_arrive_fails_for_its_sender_and_its_port_alone() -> None:
    hosts = known("m1 w1 w2")
    lost = ("w1", "udp/4789", "m1", 64)
    found = of_ports(hosts, Outcome(arrived=set(all_arrive(hosts).arrived) - {lost}))
    (bad,) = [one for one in found if one.verdict is not OK]
    assert (bad.verdict, bad.check, bad.where) == (FAILED, "port 4789/udp", ("m1",))
    assert bad.what == "what is sent to w1 doesn't arrive"
    assert bad.remedy == "Let 4789/udp in on w1 (10.0.0.21): its firewall, or one on the way"
    assert "sent and received: 5 of 6 pairs" in [one.what for one in found]


MESSAGE = Message("tcp", "m1", "w1", "10.0.0.21", 7946)
CONNECT = replace(MESSAGE, way="connect")
TIMEOUT = {("m1", "tcp/10.0.0.21/7946/64"): "Connection timed out"}


@pytest.mark.parametrize(
    ("message", "outcome", "verdict", "host", "words"),
    [
        (MESSAGE, Outcome(arrived={MESSAGE.arrival}), OK, "m1", "sent and received"),
        (MESSAGE, Outcome(), FAILED, "m1", "what is sent to w1 doesn't arrive"),
        (MESSAGE, Outcome(failures=TIMEOUT), FAILED, "m1", "doesn't arrive: Connection timed out"),
        (MESSAGE, Outcome(mute={"m1": "no more processes"}), UNKNOWN, "m1", "can't send: no more processes"),
        (MESSAGE, Outcome(silent={"w1": "no perl"}), UNKNOWN, "w1", "it can't listen: no perl"),
        (
            MESSAGE,
            Outcome(taken={("w1", "tcp/7946"): "Address already in use"}),
            UNKNOWN,
            "w1",
            "nothing can be received where the port is taken",
        ),
        (CONNECT, Outcome(), OK, "m1", "connections are accepted"),
        (
            CONNECT,
            Outcome(failures={("m1", CONNECT.words): "Connection refused"}),
            FAILED,
            "m1",
            "what is sent to w1 doesn't arrive: Connection refused",
        ),
        (CONNECT, Outcome(mute={"m1": "killed"}), UNKNOWN, "m1", "it can't send: killed"),
    ],
)
def test_a_message_means(message: Message, outcome: Outcome, verdict: Verdict, host: str, words: str) -> None:
    found = ports.arrival(message, outcome)
    assert (found.verdict, found.where) == (verdict, (host,))
    assert words in found.what


@pytest.mark.parametrize(
    ("host", "where", "verdict", "words"),
    [
        (idle("w1"), "tcp/7946", FAILED, "Restart its Docker Engine"),
        (idle("w1"), "udp/4789", FAILED, "swarm:dataPathPort"),
        (stuck("w1"), "tcp/7946", UNKNOWN, ""),
    ],
    ids=["gossip", "data path", "an engine that may be in a swarm"],
)
def test_a_port_that_is_taken_is_a_finding_of_its_own(
    host: Host, where: str, verdict: Verdict, words: str
) -> None:
    hosts = known("m1 w1", None, host)
    outcome = replace(all_arrive(hosts), taken={("w1", where): "Address already in use"})
    found = of_ports(hosts, outcome)[0]
    assert (found.verdict, found.where) == (verdict, ("w1",))
    assert "Address already in use" in found.what
    assert words in found.remedy


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        (
            known("m1 w1", cluster("m1 w1")),
            [
                (UNKNOWN, "port 7946/udp", "w1"),
                (UNKNOWN, "port 7946/udp", "m1"),
                (UNKNOWN, "port 4789/udp", "w1"),
                (UNKNOWN, "port 4789/udp", "m1"),
            ],
        ),
        (
            known("m1 w1", None, silent("w1")),
            [(UNKNOWN, port, "w1") for port in (PORTS[0], *(one for one in PORTS[1:] for _ in "12"))],
        ),
        (
            known("m1 w1", facts={"m1": told("m1", tool=None)}),
            [(UNKNOWN, port, "m1") for port in (PORTS[0], *(one for one in PORTS[1:] for _ in "12"))],
        ),
    ],
    ids=["members", "a silent host", "a host without tools"],
)
def test_what_can_t_be_checked_is_listed(hosts: Hosts, said: list[tuple[Verdict, str, str]]) -> None:
    found = [one for one in of_ports(hosts) if one.verdict is UNKNOWN]
    assert sorted(rows(found)) == sorted(said)
    assert all(one.what for one in found)


# MTU.


def mtu_rows(hosts: Hosts, outcome: Outcome | None = None) -> Rows:
    found = mtu.findings(hosts, ports.messages(hosts), outcome or all_arrive(hosts))
    return [(one.verdict, one.check, *one.where) for one in found]


INTERFACE, PATH = mtu.INTERFACE, mtu.PATH
M1_LOST = ("w1", "udp/4789", "m1", 1472)
M1_LOST_SMALL = ("w1", "udp/4789", "m1", 64)


@pytest.mark.parametrize(
    ("changes", "lost", "said"),
    [
        ({}, [], [(OK, INTERFACE), (OK, PATH)]),
        ({"m1": told("m1", "w1", mtu=9000)}, [], [(OK, INTERFACE), (OK, PATH)]),
        ({"m1": told("m1", "w1", mtu=1499)}, [], [(WARNING, INTERFACE), (OK, PATH)]),
        ({}, [M1_LOST], [(OK, INTERFACE), (FAILED, PATH)]),
        ({}, [M1_LOST, M1_LOST_SMALL], [(OK, INTERFACE), (UNKNOWN, PATH)]),
        ({"m1": told("m1")}, [], [(FAILED, INTERFACE), (UNKNOWN, PATH)]),
        ({"m1": Facts(problem="no route")}, [], [(UNKNOWN, INTERFACE)]),
    ],
    ids=[
        "all is well",
        "jumbo frames",
        "a tunnel",
        "large datagrams get lost",
        "all datagrams get lost",
        "no way there",
        "a silent host",
    ],
)
def test_the_mtu_is(
    changes: dict[str, Facts], lost: list[tuple[str, str, str, int]], said: list[tuple[Verdict, str]]
) -> None:
    hosts = known("m1 w1", facts=changes)
    outcome = Outcome(arrived=set(all_arrive(hosts).arrived) - set(lost))
    assert [one[:2] for one in mtu_rows(hosts, outcome) if one[2] == "m1"] == said


def test_the_path_to_a_member_can_t_be_tried() -> None:
    assert (UNKNOWN, PATH, "m1") in mtu_rows(known("m1 w1", cluster("m1 w1")))


def test_a_narrow_interface_is_answered_with_the_option_that_fits_it() -> None:
    (found,) = {
        one.remedy
        for one in mtu.findings(known("m1 w1", facts={"m1": told("m1", "w1", mtu=1400)}), [], Outcome())
        if one.verdict is WARNING
    }
    assert "com.docker.network.driver.mtu: 1350" in found


# One host by itself.


def of_host(
    *changed: Host,
    facts: dict[str, Facts] | None = None,
    check: str | None = None,
    settings: Settings | None = None,
    swarm: Cluster | None = None,
) -> list[Finding]:
    hosts = known("m1 w1", swarm, *changed, facts=facts, settings=settings)
    return [one for one in checks.check(hosts) if check is None or one.check == check]


@pytest.mark.parametrize(
    ("host", "ssh", "engine", "words"),
    [
        (idle("w1"), OK, OK, ""),
        (silent("w1"), FAILED, None, ""),
        (stuck("w1"), OK, FAILED, "Start its Docker Engine"),
        (stuck("w1", problem="sh: exec: docker: not found"), OK, FAILED, "Install Docker Engine"),
        (stuck("w1", problem="Permission denied"), OK, FAILED, "Let the SSH user use Docker"),
        (replace(leaderless("w1"), answers=True), OK, FAILED, "Start the other managers"),
    ],
    ids=["well", "down", "engine down", "no engine", "no rights", "no leader"],
)
def test_a_host_and_its_engine_answer_or_not(
    host: Host, ssh: Verdict, engine: Verdict | None, words: str
) -> None:
    found = {(one.check, *one.where): one for one in of_host(host)}
    assert found["SSH", "w1"].verdict is ssh
    assert getattr(found.get(("engine", "w1")), "verdict", None) is engine
    assert words in getattr(found.get(("engine", "w1")), "remedy", "")
    untold = ("all that an engine tells", "w1") in found
    assert untold == (host.engine == "")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, OK),
        ({"w1": told("w1", addresses=("10.0.0.99",))}, WARNING),
        ({"m1": told("m1", addresses=(address("m1"), address("w1")))}, FAILED),
        ({"w1": Facts(problem="no route")}, UNKNOWN),
    ],
    ids=["its own", "translated", "another's too", "unknown"],
)
def test_an_address_is(changes: dict[str, Facts], verdict: Verdict) -> None:
    found = [one for one in of_host(facts=changes, check="address") if "w1" in one.where]
    assert [one.verdict for one in found] == [verdict]


def test_an_address_for_traffic_between_tasks_has_to_be_the_host_s_own_too() -> None:
    settings = declared("m1", node("w1", data_path_address="10.9.0.1"))
    found = of_host(settings=settings, facts={"m1": told("m1")}, check="address")
    assert rows(found) == [(OK, "address", "m1"), (OK, "address", "w1"), (WARNING, "address", "w1")]


def test_an_address_that_is_declared_by_name_isn_t_checked() -> None:
    settings = declared("m1", node("w1", host="w1.example"))
    found = of_host(settings=settings, facts={"m1": told("m1")}, check="address")
    assert rows(found) == [(OK, "address", "m1"), (UNKNOWN, "address", "w1")]


FORWARD, BRIDGE = checks.FORWARD, checks.BRIDGE


@pytest.mark.parametrize(
    ("sysctls", "verdicts"),
    [
        ({FORWARD: "1", BRIDGE: "1"}, [OK, OK]),
        ({FORWARD: "0", BRIDGE: "1"}, [FAILED, OK]),
        ({FORWARD: "1", BRIDGE: "0"}, [OK, WARNING]),
        ({FORWARD: "1"}, [OK, UNKNOWN]),
        ({BRIDGE: "1"}, [UNKNOWN, OK]),
    ],
)
def test_the_kernel_s_settings_are(sysctls: dict[str, str], verdicts: list[Verdict]) -> None:
    found = of_host(facts={"w1": told("w1", sysctls=sysctls)}, check="sysctl")
    assert [one.verdict for one in found if one.where == ("w1",)] == verdicts


@pytest.mark.parametrize(("there", "verdict"), [("yes", OK), ("no", WARNING), ("unknown", UNKNOWN)])
@pytest.mark.parametrize("module", ["br_netfilter", "ip_vs", "ip_vs_rr"])
def test_a_module_that_not_all_need_is_warned_of(module: str, there: str, verdict: Verdict) -> None:
    found = of_host(idle("w1", kernel={module: there}), check=f"kernel: {module}")
    assert [one.verdict for one in found if one.where == ("w1",)] == [verdict]


def test_free_space_in_a_folder_of_the_engine_s_own_choice_is_filled_in() -> None:
    found = of_host(idle("w1", data_root="/data"), facts={"w1": told("w1", free=10**9)}, check="disk")
    assert rows(found) == [(OK, "disk", "m1"), (WARNING, "disk", "w1")]


@pytest.mark.parametrize(
    ("swarm", "special", "settings", "verdicts"),
    [
        (None, [], None, [OK, OK]),
        (SWARM, [], None, [OK, OK]),
        (SWARM, [member("w1", SWARM, routes=("10.20.7.0/24 dev br0",))], None, [OK, FAILED]),
        (None, [idle("w1", routes=("10.0.0.0/8 dev eth0",))], None, [UNKNOWN]),
        (SWARM, [silent("m1")], None, [UNKNOWN]),
        (
            None,
            [idle("w1", routes=("10.20.7.0/24 dev br0",))],
            declared("m1 w1", pool="10.20.0.0/16"),
            [OK, FAILED],
        ),
    ],
    ids=["before a swarm", "in a swarm", "a later network", "none is free", "no manager", "as declared"],
)
def test_the_address_pool_is(
    swarm: Cluster | None,
    special: list[Host],
    settings: Settings | None,
    verdicts: list[Verdict],
) -> None:
    found = of_host(*special, swarm=swarm, settings=settings, check="address pool")
    assert [one.verdict for one in found] == verdicts


def test_all_is_told_of_hosts_that_are_well() -> None:
    kernel = dict.fromkeys(("overlay", "vxlan", "br_netfilter", "ip_vs", "ip_vs_rr"), "yes")
    well = [idle(n, engine_id=n, hostname=n, kernel=kernel, free=10**10) for n in ("m1", "w1")]
    assert {one.verdict for one in of_host(*well)} == {OK}


# The kernel's neighbor table.


def crowded(tasks: int, networks: int = 1, nodes: str = "m1 w1 w2") -> Cluster:
    """A swarm with so many tasks, and overlay networks beside one of another kind."""
    many = {f"net-{n}": SwarmObject(f"n{n}", {VXLAN_IDS: str(n)}) for n in range(networks)}
    service = Service("s1", "demo_page", "demo", "nginx", tasks, tasks)
    return cluster(nodes, services=(service,), networks={**many, "other": SwarmObject("x")})


def shows(limit: int, name: str = "w1") -> Facts:
    return told(name, sysctls={neighbors.LIMIT: str(limit)})


@pytest.mark.parametrize(
    ("swarm", "limit", "verdict"),
    [
        (crowded(20), 1024, OK),
        (crowded(253), 1024, OK),  # 2 x (2 x 253 + 3 x 1) + 3 = 1021
        (crowded(254), 1024, WARNING),
        (crowded(254), 65536, OK),
        (crowded(20, networks=160), 1024, WARNING),
        (crowded(0, networks=0), 128, OK),
    ],
)
def test_a_member_s_neighbor_table_is_checked_against_nodes_tasks_and_networks(
    swarm: Cluster, limit: int, verdict: Verdict
) -> None:
    hosts = known("m1 w1 w2", swarm, facts={"w1": shows(limit)})
    (found,) = [one for one in neighbors.check(hosts, []) if one.where == ("w1",)]
    assert found.verdict is verdict


def test_the_remedy_for_a_small_neighbor_table_has_lines_that_suffice() -> None:
    hosts = known("m1 w1 w2", crowded(30_000), facts={"w1": shows(1024)})
    found = neighbors.limit(hosts, "w1", neighbors.entries(hosts, []))
    assert f"{neighbors.LIMIT} = {neighbors.entries(hosts, [])}" in found.remedy
    assert "gc_thresh1 = " in found.remedy


def test_what_is_declared_counts_before_it_is_there() -> None:
    networks = (compose.Network("net", "demo_net"), compose.Network("other", "other", external=True))
    services = (compose.Service("a", "nginx", replicas=10), compose.Service("b", "nginx", replicas=None))
    hosts = known("m1 w1")
    assert neighbors.entries(hosts, []) == 2 * (2 * 1) + 2
    stack = compose.Stack("demo", services, networks)
    assert neighbors.entries(hosts, [stack]) == 2 * (2 * (10 + 2) + 2 * 2) + 2


@pytest.mark.parametrize(
    ("facts", "verdict", "words"),
    [
        (shows(1), OK, "Docker raises it when the host joins"),
        (told("w1"), UNKNOWN, "as in a container"),
        (Facts(problem="no route"), UNKNOWN, "no answer"),
    ],
    ids=["in no swarm", "a container", "silent"],
)
def test_a_neighbor_table_that_docker_will_enlarge_or_nobody_shows_is_no_warning(
    facts: Facts, verdict: Verdict, words: str
) -> None:
    (found,) = [one for one in neighbors.check(known("m1 w1", facts={"w1": facts}), []) if "w1" in one.where]
    assert found.verdict is verdict
    assert words in found.what


# Nodes that nobody declares.


def undeclared_in(*entries: SwarmNode, **more: Any) -> list[Finding]:
    settings = declared("m1 w1", **more)
    swarm = cluster("m1 w1", *entries)
    return list(undeclared.check(decide(settings, KNOWN, observed(settings, swarm))))


def test_nodes_that_nobody_declares_are_told_of_with_what_they_can_see() -> None:
    manager = entry("m9", labels={}, hostname="lap", id="id-lap", address="192.0.2.9")
    worker = down("w9", labels={}, hostname="old")
    found = undeclared_in(manager, worker)
    assert [(one.verdict, one.check) for one in found] == [
        (FAILED, "undeclared nodes"),
        (WARNING, "undeclared nodes"),
    ]
    assert "lap (id-lap, 192.0.2.9), a manager, is ready: it sees every secret" in found[0].what
    assert "docker node demote id-lap; docker node rm --force id-lap" in found[0].remedy
    assert "old (id-w9, " in found[1].what
    assert "is down" in found[1].what


def test_a_node_that_never_said_its_name_is_told_of_by_its_id() -> None:
    (found,) = undeclared_in(entry("w9", labels={}, hostname="", address="", state="unknown"))
    assert "a node without a name (id-w9, at an unknown address), a worker, is unknown" in found.what
    assert "name id-w9 in swarm:otherNodes" in found.remedy


def test_nodes_that_are_declared_or_may_stay_are_well() -> None:
    (found,) = undeclared_in(entry("w9", labels={}, hostname="old"), other_nodes=("old",))
    assert (found.verdict, found.where) == (OK, ())


def test_without_a_swarm_there_are_no_undeclared_nodes() -> None:
    settings = declared("m1 w1")
    plan = decide(settings, KNOWN, observed(settings, None))
    assert list(undeclared.check(plan)) == []


# What a host tells.


def test_facts_are_read_from_what_the_script_prints() -> None:
    text = (
        "tool perl\ntool python3\nfree 10 4096\nsysctl net.ipv4.ip_forward 1\n"
        "address 10.0.0.11 eth0\nlink 10.0.0.21 eth0 1500\nend\n"
    )
    assert facts.parse(text) == Facts(
        tool="perl",
        free=40960,
        sysctls={"net.ipv4.ip_forward": "1"},
        addresses=("10.0.0.11",),
        links={"10.0.0.21": Link("eth0", 1500)},
    )


def test_the_script_tells_of_a_real_host(tmp_path: Path, program: Program) -> None:
    program("ssh", '#!/bin/sh\nshift 3\nexec sh -c "$*"\n')
    peers = ["127.0.0.1", "localhost", "no-such-host.invalid", "0.0.0.256"]
    found = facts.ask(tmp_path / "ssh_config", "m1", "/", peers, 8)
    assert found.problem is None
    assert found.tool in ("perl", "python3")
    assert found.free
    assert found.free > 0
    assert "127.0.0.1" in found.addresses
    assert found.links["127.0.0.1"].device == "lo"
    assert list(found.links) == ["127.0.0.1", "localhost"]


def test_a_host_that_says_nothing_is_a_problem_in_its_own_words(tmp_path: Path, program: Program) -> None:
    program("ssh", "#!/bin/sh\necho 'tool perl'; echo 'Connection closed' >&2; exit 255\n")
    assert facts.ask(tmp_path, "m1", "/", [], 8) == Facts(problem="Connection closed")


def test_a_silent_host_is_waited_for_within_bounds(tmp_path: Path, program: Program) -> None:
    program("ssh", "#!/bin/sh\nexec sleep 30\n")
    assert facts.ask(tmp_path, "m1", "/", [], 0.2).problem == "it gave no answer within 0.2 s"


# The programs.


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize("listener", programs.TOOLS)
@pytest.mark.parametrize("sender", programs.TOOLS)
def test_each_program_hears_the_other_and_ends_with_its_session(listener: str, sender: str) -> None:
    if not (shutil.which(listener) and shutil.which(sender)):
        pytest.skip("the tool isn't there")
    port, shut = free_port(), free_port()
    ways = {("tcp", 64), ("udp", 64), ("udp", 4000), ("whole", 1472)}
    sent = [Message(way, "m1", "w1", "127.0.0.1", port, size) for way, size in sorted(ways)]
    refused = Message("connect", "m1", "w1", "127.0.0.1", shut)
    accepted = replace(refused, port=port)
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        other = taken.getsockname()[1]
        wanted = [f"tcp/{port}", f"udp/{port}", f"tcp/{other}"]
        with Sessions({"w1": programs.listen(listener, 30, wanted)}, "token") as sessions:
            outcome = exchange.exchange(
                sessions,
                [*sent, refused, accepted],
                lambda name, words: programs.send(sender, "token", name, words),
            )
            session = sessions.sessions["w1"]
    assert outcome.arrived == {one.arrival for one in sent}
    assert outcome.failures == {("m1", refused.words): "Connection refused"}
    assert outcome.taken == {("w1", f"tcp/{other}"): "Address already in use"}
    assert (outcome.silent, outcome.mute) == ({}, {})
    assert session.returncode == 0, "it was killed rather than ended by its session"


def test_datagrams_that_were_lost_are_sent_once_more_and_connections_are_not(tmp_path: Path) -> None:
    port, shut = free_port(), free_port()
    lost, kept = (Message("udp", "m1", "w1", "127.0.0.1", port, size) for size in (64, 65))
    refused = Message("connect", "m1", "w1", "127.0.0.1", shut)
    rounds: list[list[str]] = []

    def send(name: str, words: list[str]) -> list[str]:
        # The first time the path loses one of them.
        said = [one for one in words if rounds or one != lost.words]
        rounds.append(words)
        return programs.send("perl", "token", name, said)

    with Sessions({"w1": programs.listen("perl", 30, [f"udp/{port}"])}, "token") as sessions:
        outcome = exchange.exchange_twice(sessions, [lost, kept, refused], send)
    assert rounds == [[lost.words, kept.words, refused.words], [lost.words]]
    assert outcome.arrived == {lost.arrival, kept.arrival}
    assert outcome.failures == {("m1", refused.words): "Connection refused"}


THROUGH_A_JUMP = node("m1", ssh=replace(SSH, proxy=Proxy("jump", SSH)))


@pytest.mark.parametrize(
    ("settings", "sessions"),
    [
        (declared("m1 w1"), 2),
        (declared("m1 w1", parallel=1), 1),
        (declared(" ".join(["m1", *(f"w{n}" for n in range(1, 20))])), 20),
        (declared(" ".join(f"w{n}" for n in range(1, 20)), THROUGH_A_JUMP), 8),
    ],
    ids=["all", "as told", "all of many", "few through a jump host"],
)
def test_sessions_are_begun_at_once_as_looks_are(settings: Settings, sessions: int) -> None:
    assert doctor.at_once(settings) == sessions


def test_strangers_are_not_counted() -> None:
    port = free_port()
    with Sessions({"w1": programs.listen("perl", 30, [f"udp/{port}"])}, "token") as sessions:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for said in (b"", b"\xff\n\n", b"other m1 .", b"token m1 ."):
                stranger.sendto(said, ("127.0.0.1", port))
        sessions.wait_for([("w1", f"udp/{port}", "m1", 10)])
    assert sessions.arrived == {("w1", f"udp/{port}", "m1", 10)}


def test_a_listener_that_fails_is_silent_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "READY_SECONDS", 0.3)
    monkeypatch.setattr(exchange, "END_SECONDS", 0.1)
    commands = {
        "m1": ["sh", "-c", "echo 'no such network' >&2; echo 'see --help'"],
        "m2": ["sh", "-c", "echo ready"],
        "m3": ["true"],
        "w1": ["sleep", "30"],
        "w2": ["sh", "-c", "echo ready; exec cat"],
    }
    began = time.monotonic()
    with Sessions(commands) as sessions:
        assert sessions.silent == {
            "m1": "no such network",
            "m2": "the SSH session ended early",
            "m3": "the SSH session ended early",
            "w1": "it isn't ready after 0.3 s",
        }
    assert time.monotonic() - began < 20, "it waited for what sleeps for 30 s"


@pytest.mark.parametrize(
    ("parallel", "before", "ready"),
    # All at once: the first waits until the second has looked, however slowly that starts.
    [(1, "sleep 0.5", {"m1", "w1"}), (0, "until [ -e looked ]; do sleep 0.1; done", {"m1"})],
)
def test_those_that_aren_t_started_at_a_time_wait_until_the_ones_before_are_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallel: int, before: str, ready: set[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first = f"{before}; touch there; echo ready; exec cat"
    second = "[ -e there ]; found=$?; touch looked; [ $found = 0 ] && echo ready && exec cat"
    commands = {"m1": ["sh", "-c", first], "w1": ["sh", "-c", second]}
    with Sessions(commands, parallel=parallel) as sessions:
        assert sessions.ready == ready


def test_a_sender_that_fails_is_mute_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SEND_SECONDS", 0.2)
    failures, mute = exchange.speak(
        {"m1": ["sh", "-c", "echo gone away >&2; exit 255"], "w1": ["sleep", "30"]}
    )
    assert failures == {}
    assert mute == {"m1": "gone away", "w1": "sending took longer than 0.2 s"}


# Between tasks.


@pytest.mark.parametrize(
    ("late", "code", "runs", "said"),
    [(2, 125, 3, "ready\n"), (9, 125, 5, ""), (9, 1, 1, "")],
    ids=["the network is late", "there is no network", "the program in it fails"],
)
def test_a_container_is_started_again_where_its_engine_gives_up_on_the_network(
    tmp_path: Path, program: Program, late: int, code: int, runs: int, said: str
) -> None:
    count = f"echo run >>{tmp_path}/runs; [ $(wc -l <{tmp_path}/runs) -gt {late} ] || exit {code}; echo ready"
    program("docker", f'#!/bin/sh\ncase "$1" in\nimport) cat ;;\nrun) {count} ;;\nesac\n')
    command = ["sh", "-c", render(overlay.CONTAINER), "sh", "net", "name", "listen"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode == 0, done.stdout) == (bool(said), said)
    assert len((tmp_path / "runs").read_text().splitlines()) == runs


def deep(hosts: Hosts, outcome: Outcome | None = None) -> list[Finding]:
    plan = decide(hosts.settings, KNOWN, hosts.observation)
    if outcome is None:
        return list(overlay.check(hosts, plan))
    return list(overlay.findings(overlay.messages({"w1": "10.20.1.2", "w2": "10.20.1.3"}), outcome))


def arrived(*lost: tuple[str, str, str, int]) -> Outcome:
    sent = overlay.messages({"w1": "10.20.1.2", "w2": "10.20.1.3"})
    return Outcome(arrived={one.arrival for one in sent} - set(lost))


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (arrived(), [(OK, "w1", "w2")] * 3),
        (
            arrived(("w2", "udp/7946", "w1", 64), ("w2", "udp/7946", "w1", 4000)),
            [(FAILED, "w1"), (OK, "w2"), (OK, "w2"), (OK, "w2")],
        ),
        (
            arrived(("w2", "udp/7946", "w1", 1422)),
            [(FAILED, "w1"), (OK, "w1", "w2"), (OK, "w1", "w2"), (OK, "w2")],
        ),
        (
            replace(arrived(("w2", "udp/7946", "w1", 64)), mute={"w1": "gone"}),
            [(UNKNOWN, "w1")] + [(OK, "w2")] * 3,
        ),
    ],
    ids=["all arrive", "nothing arrives", "large ones don't arrive", "nothing can be sent"],
)
def test_between_tasks(outcome: Outcome, said: list[tuple[str | Verdict, ...]]) -> None:
    assert [(one.verdict, *one.where) for one in deep(known("m1 w1 w2", SWARM), outcome)] == said


def test_a_container_that_can_t_be_put_on_a_node_is_listed() -> None:
    (found,) = overlay.findings([], Outcome(silent={"w1": "no room"}))
    assert (found.verdict, found.where) == (FAILED, ("w1",))
    assert found.what.endswith("no room")


@pytest.mark.parametrize(
    "swarm",
    [
        None,
        cluster("m1 w1", labels={STACK_LABEL: "other/one", OWNER_LABEL: "another's"}),
        cluster("m1 w1", labels={STACK_LABEL: MARK, OWNER_LABEL: "another's"}),
        cluster("m1 w1", labels={}, label_configs={"other-one": "other/one"}),
        cluster("m1 w1", labels={}),
    ],
    ids=["no swarm", "another's", "another state's", "another's by its mark", "nobody's"],
)
def test_no_network_is_made_in_a_swarm_that_isn_t_ours(
    swarm: Cluster | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay, "attempt", None)
    (found,) = deep(known("m1 w1", swarm))
    assert found.verdict is FAILED
    assert found.what.startswith("refused")


def test_nodes_that_no_task_gets_to_are_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        overlay, "attempt", lambda hosts, control, nodes: ([], Outcome(mute=dict.fromkeys(nodes, "")))
    )
    swarm = cluster("m1 w1 w2", down("w3"), entry("w4", availability="pause"), entry("w6", state="unknown"))
    settings = declared("m1 w1 w2 w3 w4 w5 w6")
    hosts = known(
        "",
        swarm,
        stuck("w3"),
        member("w6", swarm),
        settings=settings,
        facts={"w2": told("w2", tool=None)},
    )
    found = {one.where[0]: one.what for one in deep(hosts)[:-1]}
    assert found == {
        "m1": "its availability is drain: no task gets there",
        "w2": "neither perl nor python3 is there",
        "w3": "its Docker Engine gives no answer",
        "w4": "its availability is pause: no task gets there",
        "w5": "it isn't a node of the swarm",
        "w6": "it is unknown in the swarm",
    }


# The command.


@pytest.mark.parametrize(
    ("problem", "code"), [(None, 0), ("No route to host", 1)], ids=["nothing failed", "something failed"]
)
def test_the_exit_code_tells_whether_something_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: str | None, code: int
) -> None:
    settings = declared("m1")
    observation = {"m1": idle("m1", problem=problem)} if not problem else {"m1": silent("m1")}
    plan = decide(settings, KNOWN, observation)
    monkeypatch.setattr(pulumi_cli, "select", lambda _: None)
    monkeypatch.setattr(doctor, "prepare", lambda *_, **__: Run(settings, [], observation, plan))
    monkeypatch.setattr(facts, "ask", lambda *_: told("m1"))
    monkeypatch.setattr(doctor, "try_ports", lambda known: (ports.messages(known), all_arrive(known)))
    assert doctor.main("lab", deep=False, json=True) == code
    found = json.loads(capsys.readouterr().out)
    assert set(found[0]) == {"check", "hosts", "finding", "verdict", "remedy"}
    assert doctor.main("lab", deep=False, json=False) == code
    table = capsys.readouterr().out
    assert ("FAILED" in table) == bool(code)
    assert "all" in table

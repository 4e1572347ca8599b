"""`make doctor` on three hosts: before there is a swarm, in it, and what it finds when something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from lab import Lab
from swarm.waiting import until
from tests.integration.deployment import Deployment, temporary

PORTS = ("port 2377/tcp", "port 7946/tcp", "port 7946/udp", "port 4789/udp")
M1, W1, W2 = "swarm-manager-01", "swarm-worker-01", "swarm-worker-02"
LISTEN = (
    "perl -MIO::Socket::INET -e '"
    '$s = IO::Socket::INET->new(Proto => "udp", LocalPort => 7946); $| = 1; print "there\\n"; <STDIN>'
    "'"
)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A manager and two workers that are in no swarm, and a stack of them without services."""
    with temporary("doctor", 1, 2) as lab:
        made = Deployment(lab, tmp_path_factory.mktemp("project"))
        made.configure(stacks=[])
        yield made


def doctor(hosts: Deployment, *options: str, fails: bool = False) -> list[dict[str, Any]]:
    """The doctor's findings; its exit code is as expected."""
    done = hosts.operation("doctor", "--json", *options)
    assert done.returncode == fails, done.stdout
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def of(found: list[dict[str, Any]], *checks: str) -> list[tuple[str, list[str], str]]:
    """Verdict, hosts and finding of what is not well, in these checks."""
    return [
        (one["verdict"], one["hosts"], one["finding"])
        for one in found
        if one["check"] in checks and one["verdict"] != "ok"
    ]


def left_behind(hosts: Deployment) -> str:
    """What of the doctor's is on the hosts: programs, containers, images, networks."""
    look = "pgrep -x perl; docker ps -aq; docker images -q; docker network ls -q --filter name=swarm-doctor"
    return "".join(hosts.lab.run(node.name, f"{look} || true") for node in hosts.lab.nodes)


def test_before_a_swarm_every_port_is_really_tried(hosts: Deployment) -> None:
    found = doctor(hosts)
    assert not [one for one in found if one["verdict"] == "FAILED"]
    assert of(found, *PORTS, "MTU of the path") == []
    said = {one["check"]: one["finding"] for one in found}
    assert said["port 2377/tcp"] == "sent and received: 2 of 2 pairs"
    assert [said[port] for port in PORTS[1:]] == ["sent and received: 6 of 6 pairs"] * 3
    assert said["MTU of the path"] == "1500 bytes arrive in one piece"
    assert left_behind(hosts) == ""


def test_a_firewall_between_two_hosts_is_found_for_its_pair_and_protocol(hosts: Deployment) -> None:
    source = hosts.lab.node(W2).address
    drop = f"-s {source} -p tcp --dport 7946 -j DROP", "-p udp --dport 4789 -j DROP"
    for rule in drop:
        hosts.lab.run(W1, f"iptables -I INPUT {rule}")
    found = doctor(hosts, fails=True)
    for rule in drop:
        hosts.lab.run(W1, f"iptables -D INPUT {rule}")
    assert of(found, *PORTS) == [
        ("FAILED", [W2], f"what is sent to {W1} doesn't arrive: Connection timed out"),
        ("FAILED", [M1, W2], f"what is sent to {W1} doesn't arrive"),
    ]
    remedies = [one["remedy"] for one in found if one["verdict"] == "FAILED"]
    assert ["Let 7946/tcp in" in remedies[0], "Let 4789/udp in" in remedies[1]] == [True, True]


def test_a_port_that_is_taken_and_a_path_too_narrow_are_found(hosts: Deployment) -> None:
    hosts.lab.run(W2, f"(sleep 60 | {LISTEN}) >/dev/null 2>&1 & ip link set eth0 mtu 1400")
    found = doctor(hosts, fails=True)
    hosts.lab.run(W2, "ip link set eth0 mtu 1500; pkill -x perl; pkill -x sleep")
    ((verdict, who, what), *others) = of(found, "port 7946/udp")
    assert (verdict, who) == ("FAILED", [W2])
    assert what.startswith("it can't be opened there, though the host is in no swarm")
    assert others == [("not checked", [W2], "nothing can be received where the port is taken")]
    assert [one[:2] for one in of(found, "MTU of the interface")] == [("warning", [W2])]
    assert [one[:2] for one in of(found, "MTU of the path")] == [("FAILED", [M1, W1])]


def test_what_a_preview_knows_too_it_refuses(hosts: Deployment) -> None:
    file = "/etc/docker/daemon.json"
    restart_engine(hosts.lab, f"mkdir -p /etc/docker; echo '{{\"live-restore\": true}}' >{file}")
    output = hosts.preview(changes=True)
    restart_engine(hosts.lab, f"rm {file}")
    assert f"{W2}: live-restore is on, and Docker joins no swarm with it" in output


def restart_engine(lab: Lab, change: str) -> None:
    lab.stop_engine(W2)
    lab.run(W2, change)
    lab.start_engine(W2)


def test_in_a_swarm_connections_are_tried_and_datagrams_by_deep_alone(hosts: Deployment) -> None:
    hosts.up()
    found = doctor(hosts)
    assert {(verdict, *who) for verdict, who, _ in of(found, *PORTS)} == {("not checked", M1, W1, W2)}
    said = {one["check"]: one["finding"] for one in found if one["verdict"] == "ok"}
    assert said["port 7946/tcp"] == "connections are accepted: 6 of 6 pairs"

    found = doctor(hosts, "--deep")
    assert [
        one["finding"] for one in found if one["check"] == "between tasks" and one["verdict"] == "ok"
    ] == [
        f"{packets} arrive: 2 of 2 pairs"
        for packets in ("small packets", "packets of 4000 bytes", "packets of 1450 bytes")
    ]
    assert of(found, "between tasks") == [
        ("not checked", [M1], "its availability is drain: no task gets there")
    ]
    assert left_behind(hosts) == ""


def test_nothing_is_left_of_a_doctor_that_was_killed(hosts: Deployment) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-m", "operations", "doctor", hosts.stack, "--deep"],
        cwd=hosts.folder,
        env=hosts.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    there = "until docker ps -q | grep -q .; do sleep 0.1; done"
    hosts.lab.run(W1, f"timeout 60 sh -c '{there}'")
    killed.kill()
    killed.wait()
    until("nothing left behind", lambda: left_behind(hosts) == "", 30)


def test_an_engine_that_is_stopped_and_a_host_that_is_down_are_named(hosts: Deployment) -> None:
    hosts.lab.stop_engine(W1)
    hosts.lab.stop(W2)
    found = doctor(hosts, "--deep", fails=True)
    assert [(verdict, who) for verdict, who, _ in of(found, "engine", "SSH")] == [
        ("FAILED", [W1]),
        ("FAILED", [W2]),
    ]
    assert ("not checked", [W2], "it gives no answer over SSH") in of(found, "port 7946/tcp")

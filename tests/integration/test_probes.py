"""Probes of fake hosts by real SSH: what is left behind, what is asked of whom, how many at a time."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from swarm import ssh
from swarm.declare.settings import Node, Proxy, Settings, Ssh
from swarm.observe import probe
from swarm.observe.model import Observation
from swarm.waiting import until
from tests.fakes.api import stored
from tests.fakes.deployment import FakeDeployment
from tests.fakes.fleet import Fleet, fleet
from tests.fakes.host import Host
from tests.fakes.sshd import PORT

MANY = 24  # more than twice as many as sshd lets begin at a time


@pytest.fixture(scope="module")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.fixture
def hosts(fakes: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """In no swarm, and probed from an empty folder."""
    monkeypatch.chdir(tmp_path)
    fakes.restore()
    return fakes


def declared(hosts: Fleet, **ways: Ssh | None) -> Settings:
    """Settings of these nodes, by host and, maybe, number: each reached at its host, its own way. The first
    is the leader."""
    usual = Ssh("root", PORT, private_key_file=hosts.private_key, known_hosts_file=hosts.known_hosts)
    listed: list[Node] = []
    for name, way in ways.items():
        role = "worker" if listed else "leader"
        host = hosts[re.sub(r"-of-\d+$", "", name)]
        listed.append(Node(name, host.address, role, availability="active", ssh=way or usual))
    return Settings("swarm", "fakes", tuple(listed))


def seen(settings: Settings, **more: object) -> Observation:
    """A probe of them all, once."""
    ssh.write_config(settings)
    return probe.observe(settings, [], lambda _: None, patience=0, **more)  # type: ignore[arg-type]


def dialing(socket: Path) -> list[int]:
    """The processes that speak with an engine."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue  # it has ended
        if b"dial-stdio" in command and str(socket).encode() in environment:
            found.append(int(process.name))
    return found


def test_no_process_is_left_on_a_host_whose_engine_never_answers(hosts: Fleet) -> None:
    host = hosts["swarm-worker-01"]
    host.hang()
    way = Ssh(
        "root",
        PORT,
        private_key_file=hosts.private_key,
        known_hosts_file=hosts.known_hosts,
        connect_timeout=1,
    )
    found = seen(declared(hosts, **{"swarm-worker-01": way}))["swarm-worker-01"]
    assert (found.problem, found.late) == ("its Docker Engine gave no answer within 2 s", True)
    until("no process left", lambda: not dialing(host.path), 5, pace=0.05)


@pytest.mark.parametrize(
    ("trouble", "words"), [(Host.deny_docker, "permission denied"), (Host.stop_engine, "no such file")]
)
def test_why_an_engine_is_not_there_is_told_at_once(
    hosts: Fleet, trouble: Callable[[Host], None], words: str
) -> None:
    trouble(hosts["swarm-worker-01"])
    settings = declared(hosts, **{"swarm-manager-01": None, "swarm-worker-01": None})
    host = seen(settings)["swarm-worker-01"]
    assert words in str(host.problem)
    assert (host.late, host.answers) == (False, True)


def test_what_all_managers_tell_alike_is_asked_of_the_leader_without_contents(hosts: Fleet) -> None:
    names = [f"swarm-manager-0{n}" for n in (1, 2, 3)]
    hosts.swarm(*names)
    found = seen(declared(hosts, **dict.fromkeys(names)), configs=["site"])
    assert all((swarm := found[name].cluster) and swarm.complete for name in names)
    asked = {name: [f"{one.name} {one.query}" for one in hosts[name].requests] for name in names}
    rest = re.compile("/(services|tasks|networks|secrets|configs)")
    by = [name for name in names if any(rest.search(one) for one in asked[name])]
    assert by == ["swarm-manager-01"]
    configs = [one for one in asked["swarm-manager-01"] if "/configs" in one]
    assert [one.partition(" {")[0] for one in configs] == ["GET /configs", "GET /configs/site"]
    assert "swarm.pulumi.stack" in configs[0], "all of them are asked for, with their contents"


def test_large_configs_of_somebody_never_come_over_the_line(hosts: Fleet) -> None:
    swarm = hosts.swarm("swarm-manager-01", "swarm-manager-02")
    content = base64.b64encode(bytes(900_000)).decode()
    for number in range(30):
        config = stored(
            "configs", {"Name": f"theirs-{number}", "Labels": {}, "Data": content}, swarm.change()
        )
        swarm.objects["configs"][config["ID"]] = config
    found = seen(declared(hosts, **{"swarm-manager-01": None, "swarm-manager-02": None}))
    assert all(host.cluster and not host.problem for host in found.values())
    assert sum(one.size for host in hosts.hosts.values() for one in host.requests) < len(content) / 10


def test_behind_a_jump_host_all_of_many_hosts_answer_and_none_is_turned_away(hosts: Fleet) -> None:
    jump = Ssh("root", PORT, private_key_file=hosts.private_key, known_hosts_file=hosts.known_hosts)
    way = replace(jump, proxy=Proxy(hosts["swarm-manager-01"].address, jump))
    names = [f"swarm-worker-0{1 + n % 3}-of-{n}" for n in range(MANY)]
    found = seen(declared(hosts, **dict.fromkeys(names, way)))
    assert {name: host.problem for name, host in found.items() if host.problem} == {}
    assert "MaxStartups" not in (hosts["swarm-manager-01"].sshd.folder / "log").read_text()


@pytest.fixture
def deployment(hosts: Fleet, tmp_path: Path) -> FakeDeployment:
    return FakeDeployment(hosts, tmp_path)


def test_a_manager_that_is_cut_off_is_named_at_once(deployment: FakeDeployment, hosts: Fleet) -> None:
    deployment.up()
    hosts["swarm-manager-03"].engine.cut_off = True
    began = time.monotonic()
    said = deployment.preview()
    assert "waiting" not in said
    assert time.monotonic() - began < probe.BRIEF_SECONDS
    assert re.search("swarm-manager-03: its SSH answers.*2377/tcp, 7946/tcp and udp, 4789/udp", said)


@pytest.mark.parametrize(("tool", "package"), [("timeout", "coreutils"), ("flock", "util-linux")])
def test_what_a_host_lacks_is_named_before_anything_is_changed(
    deployment: FakeDeployment, hosts: Fleet, tool: str, package: str
) -> None:
    """As some BusyBoxes have them: without the options that scripts use."""
    script = f'#!/bin/sh\ncase $1 in -*) exit 1 ;; esac\nexec /usr/bin/{tool} "$@"\n'
    hosts["swarm-worker-02"].sshd.shadow(tool, script)
    said = deployment.pulumi("preview", fails=True)
    assert f"swarm-worker-02: no {tool} there" in said
    assert f"Install {package}" in said
    assert not any(host.changes() for host in hosts.hosts.values())

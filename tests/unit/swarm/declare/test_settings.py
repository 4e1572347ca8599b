"""The configuration: what it means, and what is said about every problem in it."""

import copy
import json
import shutil
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from swarm import ssh
from swarm.declare import encryption, load
from swarm.declare.compose.model import Stack
from swarm.declare.environment import ASTRAY, PUBLISHED_PASSPHRASE
from swarm.declare.reader import ConfigurationError, Problem, Reader
from swarm.declare.settings import Edge, Settings, Ssh
from tests.unit.given import Program

COMPOSE = "services: {page: {image: 'nginx:1.26.3'}}\n"
VALID: dict[str, Any] = {
    "ssh": {"privateKeyFile": "id", "knownHostsFile": "known_hosts"},
    "nodes": [
        {"name": "m1", "host": "10.0.0.11", "role": "leader"},
        {"name": "m2", "host": "10.0.0.12", "role": "manager"},
        {"name": "w1", "host": "worker-1.example", "role": "worker"},
    ],
    "stacks": [{"name": "demo", "compose": "demo.yaml"}],
}
EDGE = {"image": "haproxy:3.0.11", "nodes": ["w1"], "ports": {"80": 8080}}
PUBLISHING = "services: {page: {image: 'nginx:1.26.3', ports: ['8080:80']}}\n"
HOSTS = ("10.0.0.11", "10.0.0.12", "10.0.0.13", "worker-1.example", "jump.example", "[10.0.0.12]:2222")


@pytest.fixture
def folder(keys: Path, tmp_path: Path, program: Program) -> Iterator[Path]:
    """A project's folder, on a machine on which nobody can be dialled."""
    for name in ("id", "locked", "garbage"):
        shutil.copy(keys / name, tmp_path / name)
    key = (keys / "id.pub").read_text()
    (tmp_path / "known_hosts").write_text("".join(f"{host} {key}" for host in HOSTS))
    (tmp_path / "rsa_only").write_text("10.0.0.11 ssh-rsa AAAAB3NzaC1yc2E=\n")
    (tmp_path / "demo.yaml").write_text(COMPOSE)
    (tmp_path / "published.yaml").write_text(PUBLISHING)
    dialled = tmp_path / "dialled"
    for name in ("ssh", "ssh-keyscan", "docker"):
        program(name, f"#!/bin/sh\necho {name} >>{dialled}\n")
    yield tmp_path
    assert not dialled.exists()


def values(changes: Mapping[str, Any] | None = None, *, as_text: bool = True) -> dict[str, object]:
    """The valid configuration with some values changed: {"nodes.1.role": "boss"}; None removes."""
    changed = copy.deepcopy(VALID)
    for path, value in (changes or {}).items():
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        inner: Any = changed
        for part in way:
            inner = inner[part] if isinstance(part, int) else inner.setdefault(part, {})
        if value is None:
            del inner[last]
        elif last == len(inner):
            inner.append(value)
        else:
            inner[last] = value
    # The engine hands lists and mappings to a program as JSON, everything else as text.
    show = (lambda one: one if isinstance(one, str) else json.dumps(one)) if as_text else (lambda one: one)
    return {f"swarm:{key}": show(value) for key, value in changed.items()}


def loaded(
    folder: Path, changes: Mapping[str, Any] | None = None, stack: str = "lab", **how: bool
) -> tuple[Settings, list[Stack]]:
    return load.load(values(changes, **how), folder, "swarm", stack)


def problems(folder: Path, changes: dict[str, Any], stack: str = "lab", **how: Any) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, changes, stack, **how)
    return caught.value.problems


# What is changed in the valid configuration, and the one problem: key, value, rule, remedy.
PROBLEMS = {
    "an unknown key": (
        {"node": []},
        ("swarm:node", None, "there is no such key", "Did you mean `nodes`"),
    ),
    "an unknown key of a node": (
        {"nodes.1.hots": "x"},
        ("swarm:nodes[1].hots", None, "there is no such key", "Did you mean `host`"),
    ),
    "an unknown key like no other": (
        {"ssh.zzz": 1},
        ("swarm:ssh.zzz", None, "there is no such key", "Keys there are user, port, privateKeyFile"),
    ),
    "an unknown key of a jump host": (
        {"ssh.proxy": {"host": "jump.example", "prot": 23}},
        ("swarm:ssh.proxy.prot", None, "there is no such key", "Did you mean `port`"),
    ),
    "two leaders": (
        {"nodes.1.role": "leader"},
        ("swarm:nodes", "m1, m2", "exactly one node has the role leader, and here 2", "Leave it to one"),
    ),
    "no leader": (
        {"nodes.0.role": "manager"},
        ("swarm:nodes", None, "exactly one node has the role leader, and here 0", "Give it to the manager"),
    ),
    "no nodes": (
        {"nodes": None},
        ("swarm:nodes", None, "exactly one node has the role leader", "Give it"),
    ),
    "nodes that are no list": (
        {"nodes": {"m1": {}}},
        ("swarm:nodes", None, "must be a list of nodes", ""),
    ),
    "a node that is no mapping": (
        {"nodes.2": "w1"},
        ("swarm:nodes[2]", None, "must be a mapping", "Its keys are name, host, role"),
    ),
    "two nodes of one name": (
        {"nodes.2.name": "m2"},
        ("swarm:nodes[2].name", "m2", "nodes 1, 2 share it", "Change or remove one"),
    ),
    "two nodes on one host": (
        {"nodes.2.host": "10.0.0.12"},
        ("swarm:nodes[2].host", "10.0.0.12", "nodes 1, 2 share it", "Change or remove one"),
    ),
    "two nodes of one advertised address": (
        {"nodes.1.advertiseAddress": "10.9.0.1", "nodes.2.advertiseAddress": "10.9.0.1"},
        ("swarm:nodes[2].advertiseAddress", "10.9.0.1", "nodes 1, 2 share it", "Change or remove one"),
    ),
    "a missing name": ({"nodes.1.name": None}, ("swarm:nodes[1].name", None, "is missing", "Add it")),
    "a missing role": ({"nodes.1.role": None}, ("swarm:nodes[1].role", None, "leader, manager", "Add it")),
    "a name with capitals": (
        {"nodes.1.name": "M2"},
        ("swarm:nodes[1].name", "M2", "must be lower-case letters, digits and hyphens", "Correct it"),
    ),
    "an address out of range": (
        {"nodes.1.host": "10.0.0.300"},
        ("swarm:nodes[1].host", "10.0.0.300", "must be a host name or an IPv4 address", "Correct it"),
    ),
    "a host that would be an option of ssh": (
        {"nodes.1.host": "-oProxyCommand=x"},
        ("swarm:nodes[1].host", "-oProxyCommand=x", "must be a host name", "Correct it"),
    ),
    "an advertised name": (
        {"nodes.1.advertiseAddress": "m2.example"},
        ("swarm:nodes[1].advertiseAddress", "m2.example", "must be an IPv4 address", "Correct it"),
    ),
    "a wrong role": (
        {"nodes.1.role": "boss"},
        ("swarm:nodes[1].role", "boss", "must be leader, manager or worker", "Correct it"),
    ),
    "a wrong availability": (
        {"nodes.1.availability": "drained"},
        ("swarm:nodes[1].availability", "drained", "must be active, pause or drain", "Correct it"),
    ),
    "labels in a list": (
        {"nodes.1.labels": ["disk=ssd"]},
        ("swarm:nodes[1].labels", None, "must be a mapping of names", "Correct it"),
    ),
    "a word that is neither true nor false": (
        {"nodes.1.lost": "yes"},
        ("swarm:nodes[1].lost", "yes", "must be true or false", "Correct it"),
    ),
    "a port out of range": (
        {"ssh.port": 65536},
        ("swarm:ssh.port", 65536, "must be a port, 1 to 65535", "Correct it"),
    ),
    "a port of a node that is no number": (
        {"nodes.1.ssh.port": "ssh"},
        ("swarm:nodes[1].ssh.port", "ssh", "must be a port, 1 to 65535", "Correct it"),
    ),
    "a data path port out of Docker's range": (
        {"dataPathPort": 80},
        ("swarm:dataPathPort", 80, "must be a port, 1024 to 49151", "Correct it"),
    ),
    "no host at a time": (
        {"parallel": 0},
        ("swarm:parallel", 0, "must be a number of hosts, 1 to 1000", "Correct it"),
    ),
    "a duration without a unit": (
        {"certificateExpiry": "2160"},
        ("swarm:certificateExpiry", "2160", "must be a duration of 1h or more", "Correct it"),
    ),
    "certificates of less than an hour": (
        {"certificateExpiry": "59m59s"},
        ("swarm:certificateExpiry", "59m59s", "must be a duration of 1h or more", "Correct it"),
    ),
    "a heartbeat after which a dead node is missed too late": (
        {"dispatcherHeartbeat": "61s"},
        ("swarm:dispatcherHeartbeat", "61s", "must be a duration of 1s to 1m", "Correct it"),
    ),
    "a pool with a host's address": (
        {"addressPool": "10.20.0.1/16"},
        ("swarm:addressPool", "10.20.0.1/16", "must be an IPv4 network of /23 or larger", "Correct it"),
    ),
    "a pool of a single subnet": (
        {"addressPool": "10.20.0.0/24"},
        ("swarm:addressPool", "10.20.0.0/24", "must be an IPv4 network of /23 or larger", "Correct it"),
    ),
    "a host that may be silent and is no node": (
        {"unreachable": ["w1", "w2"]},
        ("swarm:unreachable", "w2", "there is no node of this name", "Correct it"),
    ),
    "another node of a name that none can have": (
        {"otherNodes": ["build-7 build-8"]},
        ("swarm:otherNodes", None, "must be a list of host names or IDs", "Correct it"),
    ),
    "a negative history": (
        {"taskHistoryLimit": -1},
        ("swarm:taskHistoryLimit", -1, "must be a number, 0 to 1000", "Correct it"),
    ),
    "a missing key file": (
        {"ssh.privateKeyFile": "gone"},
        ("swarm:ssh.privateKeyFile", "gone", "there is no such file", "Correct the path, or make the file"),
    ),
    "a missing key file of one node": (
        {"nodes.1.ssh.privateKeyFile": "gone"},
        ("swarm:nodes[1].ssh.privateKeyFile", "gone", "there is no such file", "Correct the path"),
    ),
    "a missing known_hosts file": (
        {"ssh.knownHostsFile": "gone"},
        ("swarm:ssh.knownHostsFile", "gone", "there is no such file", "Correct the path, or make the file"),
    ),
    "a missing key file of the jump host": (
        {"ssh.proxy": {"host": "jump.example", "privateKeyFile": "gone"}},
        ("swarm:ssh.proxy.privateKeyFile", "gone", "there is no such file", "Correct the path"),
    ),
    "an encrypted key": (
        {"ssh.privateKeyFile": "locked"},
        ("swarm:ssh.privateKeyFile", "locked", "can't be used: ", "Give a private key without a passphrase"),
    ),
    "a file that is no key": (
        {"ssh.privateKeyFile": "garbage"},
        ("swarm:ssh.privateKeyFile", "garbage", "can't be used: ", "Give a private key"),
    ),
    "a host of unknown key": (
        {"nodes.1.host": "10.0.0.99"},
        ("swarm:nodes (m2).host", "10.0.0.99", "host key of it is in", "`ssh-keyscan -t ed25519 10.0.0.99`"),
    ),
    "a host that is known on another port only": (
        {"nodes.0.ssh.port": 2222},
        ("swarm:nodes (m1).host", "10.0.0.11", "host key", "`ssh-keyscan -p 2222 -t ed25519 10.0.0.11`"),
    ),
    "a host of which only an RSA key is known": (
        {"nodes.0.ssh.knownHostsFile": "rsa_only"},
        ("swarm:nodes (m1).host", "10.0.0.11", "no ed25519 or ecdsa host key of it is in", "ssh-keyscan"),
    ),
    "a jump host of unknown key": (
        {"ssh.proxy": {"host": "elsewhere.example"}},
        ("proxy.host", "elsewhere.example", "host key of it is in", "ssh-keyscan"),
    ),
    "a missing key file of a node's own jump host": (
        {"nodes.1.ssh.proxy": {"host": "jump.example", "privateKeyFile": "gone"}},
        ("swarm:nodes[1].ssh.proxy.privateKeyFile", "gone", "there is no such file", "Correct the path"),
    ),
    "a jump host without a host": (
        {"ssh.proxy": {"port": 22}},
        ("swarm:ssh.proxy.host", None, "is missing", "Add it"),
    ),
    "two stacks of one name": (
        {"stacks.1": {"name": "demo", "compose": "demo.yaml"}},
        ("swarm:stacks", "demo", "two stacks have this name", "Rename one"),
    ),
    "a label of the program's own": (
        {"nodes.1.labels": {"swarm.pulumi.edge": "yes"}},
        ("swarm:nodes[1].labels", None, "swarm.pulumi. is ours", "Correct it"),
    ),
    "an edge that asks itself": (
        {"edge": {**EDGE, "ports": {"8080": 8080}}},
        ("swarm:edge.ports.8080", 8080, "the edge listens on this port itself", "Listen on another one"),
    ),
    "a stack with the edge's name": (
        {"edge": EDGE, "stacks.0": {"name": "edge", "compose": "published.yaml"}},
        ("swarm:stacks", "edge", "swarm:edge makes a stack of this name", "Rename one"),
    ),
    "an edge that is no mapping": ({"edge": "yes"}, ("swarm:edge", None, "must be a mapping", "image")),
    "an edge without an image": (
        {"edge": {**EDGE, "image": None}},
        ("swarm:edge.image", None, "is missing", "Add it"),
    ),
    "an edge on no node": (
        {"edge": {**EDGE, "nodes": []}},
        ("swarm:edge.nodes", None, "must be a list of names of nodes", "Correct it"),
    ),
    "an edge on a node that isn't there": (
        {"edge": {**EDGE, "nodes": ["w2"]}, "stacks.0.compose": "published.yaml"},
        ("swarm:edge.nodes", "w2", "there is no node of this name", "Correct it"),
    ),
    "an edge on a drained node": (
        {"edge": {**EDGE, "nodes": ["m2", "w1"]}, "stacks.0.compose": "published.yaml"},
        ("swarm:edge.nodes", "m2", "its availability isn't active", "availability to active"),
    ),
    "an edge on a node whose role is wrong": (
        {"edge": EDGE, "stacks.0.compose": "published.yaml", "nodes.2.role": "boss"},
        ("swarm:nodes[2].role", "boss", "leader, manager or worker", "Correct it"),
    ),
    "an edge without a port": (
        {"edge": {**EDGE, "ports": {}}},
        ("swarm:edge.ports", None, "must be a mapping of ports", "Correct it"),
    ),
    "ports of an edge in a list": (
        {"edge": {**EDGE, "ports": ["80:8080"]}},
        ("swarm:edge.ports", None, "must be a mapping of ports", "Correct it"),
    ),
    "a port of an edge out of range": (
        {"edge": {**EDGE, "ports": {"80": 80800}}},
        ("swarm:edge.ports", None, "must be a mapping of ports", "Correct it"),
    ),
    "an edge of an unknown mode": (
        {"edge": {**EDGE, "mode": "udp"}, "stacks.0.compose": "published.yaml"},
        ("swarm:edge.mode", "udp", "must be http or tcp", "Correct it"),
    ),
    "a port behind the edge that nothing publishes": (
        {"edge": EDGE},
        ("swarm:edge.ports.80", 8080, "no service of the stacks publishes", "Give the `published` port"),
    ),
    "a port behind the edge of a file that can't be read": (
        {"edge": EDGE, "stacks.0.compose": "gone.yaml"},
        ("swarm:stacks (demo).compose", "gone.yaml", "No such file", "Correct the path"),
    ),
    "a missing Compose file": (
        {"stacks.0.compose": "gone.yaml"},
        ("swarm:stacks (demo).compose", "gone.yaml", "No such file", "Correct the path"),
    ),
    "no private key for one node alone": (
        {
            "ssh": {"knownHostsFile": "known_hosts"},
            "nodes.0.ssh.privateKeyFile": "id",
            "nodes.2.ssh.privateKeyFile": "id",
        },
        ("swarm:nodes[1].ssh.privateKeyFile", None, "is missing", "for all nodes as swarm:ssh.privateKey"),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_each_problem_is_named_once_with_key_value_rule_and_remedy(
    folder: Path, changes: dict[str, Any], expected: tuple[str, str | int | None, str, str]
) -> None:
    (found,) = problems(folder, changes)
    key, value, rule, remedy = expected
    assert (found.key, str(found.value).removeprefix(f"{folder}/")) == (key, str(value))
    assert rule in found.rule
    assert remedy in found.remedy


def test_many_problems_are_listed_at_once_each_on_its_line(folder: Path) -> None:
    changes = {
        "adpot": "true",
        "nodes.0.role": "manager",
        "nodes.1.role": "boss",
        "nodes.2.host": "300.1.1.1",
        "addressPool": "10.0.0.0/30",
        "certificateExpiry": "1s",
        "ssh.privateKeyFile": "gone",
        "stacks.0.compose": "gone.yaml",
    }
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, changes)
    title, *lines = str(caught.value).splitlines()
    assert title == "the configuration has 8 problems; nothing was changed:"
    assert len(lines) == 8
    for text in (
        "- swarm:adpot: there is no such key. Did you mean `adopt`.",
        "- swarm:nodes: exactly one node has the role leader, and here 0 have.",
        '- swarm:nodes[1].role is "boss": must be leader, manager or worker.',
        '- swarm:nodes[2].host is "300.1.1.1": must be a host name or an IPv4 address.',
        '- swarm:addressPool is "10.0.0.0/30": must be an IPv4 network of /23 or larger',
        '- swarm:certificateExpiry is "1s": must be a duration of 1h or more',
        f'- swarm:ssh.privateKeyFile is "{folder}/gone": there is no such file.',
        f'- swarm:stacks (demo).compose is "{folder}/gone.yaml": can\'t be read: No such file',
    ):
        assert [line for line in lines if text in line], text


def test_problems_in_the_compose_file_are_listed_with_those_of_the_configuration(folder: Path) -> None:
    (folder / "demo.yaml").write_text("services: {page: {image: x, tty: true}}\n")
    keys = [one.key for one in problems(folder, {"nodes.1.role": "boss"})]
    assert keys == ["swarm:nodes[1].role", f"{folder}/demo.yaml:1: services.page.tty"]


def test_the_same_problems_are_said_in_the_same_order_in_every_run(folder: Path) -> None:
    changes = {f"nodes.1.{letter * 9}": 1 for letter in "abcdefgh"}
    keys = [one.key for one in problems(folder, changes)]
    assert keys == [f"swarm:nodes[1].{letter * 9}" for letter in "abcdefgh"]


def test_without_the_ssh_key_one_problem_names_it_rather_than_one_for_each_node(folder: Path) -> None:
    found = problems(folder, {"ssh": {"knownHostsFile": "known_hosts"}})
    assert len(found) == 1
    assert "privateKeyFile" in found[0].key


@pytest.mark.parametrize("as_text", [False, True], ids=["parsed", "as the engine gives it"])
def test_an_edge_is_one_more_stack_after_the_others(folder: Path, as_text: bool) -> None:
    changes = {"edge": {**EDGE, "ports": {"443": "8080", "80": 8080}}, "stacks.0.compose": "published.yaml"}
    settings, stacks = loaded(folder, changes, as_text=as_text)
    assert settings.edge == Edge("haproxy:3.0.11", ("w1",), {80: 8080, 443: 8080}, "http")
    assert [one.name for one in stacks] == ["demo", "edge"]
    assert [one.name for one in settings.stacks] == ["demo"]


def test_a_lost_host_needs_no_known_key(folder: Path) -> None:
    settings, _ = loaded(folder, {"nodes.2.host": "10.0.0.99", "nodes.2.lost": True})
    assert settings.node("w1").lost


@pytest.mark.parametrize("as_text", [False, True], ids=["parsed", "as the engine gives it"])
def test_what_is_left_out_has_its_default(folder: Path, as_text: bool) -> None:
    settings, stacks = loaded(folder, as_text=as_text)
    availability = {one.name: one.availability for one in settings.nodes}
    assert availability == {"m1": "drain", "m2": "drain", "w1": "active"}
    assert settings.leader.name == "m1"
    assert [one.manager for one in settings.nodes] == [True, True, False]
    assert {(one.ssh.user, one.ssh.port, one.ssh.proxy) for one in settings.nodes} == {("root", 22, None)}
    assert settings.address_pool is None
    assert settings.data_path_port is settings.certificate_expiry is None
    assert settings.dispatcher_heartbeat is settings.parallel is None
    assert not settings.adopt
    assert not settings.allow_unreachable
    assert settings.unreachable == settings.other_nodes == ()
    assert [(one.name, one.services[0].image) for one in stacks] == [("demo", "nginx:1.26.3")]


@pytest.mark.parametrize("as_text", [False, True], ids=["parsed", "as the engine gives it"])
def test_what_is_declared_is_read(folder: Path, as_text: bool) -> None:
    changes = {
        "addressPool": "10.30.0.0/16",
        "dataPathPort": 4790,
        "taskHistoryLimit": 2,
        "certificateExpiry": "720h",
        "dispatcherHeartbeat": "15s",
        "parallel": 2,
        "adopt": "true",
        "allowUnreachable": True,
        "unreachable": ["w1"],
        "otherNodes": ["build-7", "x1ubdk4fgtbg3fqzj5qj3lzmv"],
        "nodes.0.availability": "active",
        "nodes.0.advertiseAddress": "10.9.0.11",
        "nodes.2.labels": {"disk": "ssd", "size": 3, "fast": True},
    }
    settings, _ = loaded(folder, changes, as_text=as_text)
    assert settings.address_pool == IPv4Network("10.30.0.0/16")
    assert (settings.data_path_port, settings.task_history_limit) == (4790, 2)
    assert (settings.certificate_expiry, settings.dispatcher_heartbeat) == (720 * 3600, 15)
    assert settings.parallel == 2
    assert (settings.adopt, settings.allow_unreachable) == (True, True)
    assert settings.unreachable == ("w1",)
    assert settings.other_nodes == ("build-7", "x1ubdk4fgtbg3fqzj5qj3lzmv")
    assert settings.leader.availability == "active"
    assert (settings.leader.address, settings.leader.advertised) == ("10.9.0.11", "10.9.0.11")
    assert settings.node("m2").advertised == "10.0.0.12"
    assert settings.node("w1").advertised is None, "an engine can't advertise a name"
    assert settings.node("w1").labels == {"disk": "ssd", "size": "3", "fast": "true"}


def test_a_node_s_own_way_is_laid_over_that_of_all_nodes(folder: Path) -> None:
    changes = {"ssh.user": "ops", "nodes.1.ssh": {"port": 2222}, "nodes.2.ssh": {"user": "admin"}}
    settings, _ = loaded(folder, changes)
    assert [(one.ssh.user, one.ssh.port) for one in settings.nodes] == [
        ("ops", 22),
        ("ops", 2222),
        ("admin", 22),
    ]
    assert {one.ssh.private_key_file for one in settings.nodes} == {folder / "id"}


def test_a_jump_host_is_reached_like_the_nodes_unless_told_otherwise(folder: Path) -> None:
    settings, _ = loaded(folder, {"ssh.user": "ops", "ssh.proxy": {"host": "jump.example", "user": "guest"}})
    for one in settings.nodes:
        assert one.ssh.proxy
        assert one.ssh.proxy.host == "jump.example"
        assert (one.ssh.proxy.ssh.user, one.ssh.user) == ("guest", "ops")
        assert one.ssh.proxy.ssh.private_key_file == folder / "id"


def test_a_jump_host_may_have_a_way_of_its_own_by_every_key(folder: Path) -> None:
    for new, of in (("own", "id"), ("own_hosts", "known_hosts")):
        shutil.copy(folder / of, folder / new)
    hosts = "[jump.example]:23 " + (folder / "known_hosts").read_text().split(" ", 1)[1]
    (folder / "own_hosts").write_text(hosts)
    own = {"user": "guest", "port": 23, "privateKeyFile": "own", "knownHostsFile": "own_hosts"}
    settings, _ = loaded(folder, {"ssh.proxy": {"host": "jump.example", "connectTimeout": "9s", **own}})
    for one in settings.nodes:
        assert one.ssh.proxy
        assert one.ssh.proxy.ssh == Ssh(
            "guest",
            23,
            private_key_file=folder / "own",
            known_hosts_file=folder / "own_hosts",
            connect_timeout=9,
        )
        assert one.ssh.connect_timeout == 4


# The ways of all nodes and of m2; how m2's jump host is reached: user, port, key, known hosts.
JUMPS = {
    "for all nodes": (
        {"user": "ops", "proxy": {"host": "jump.example"}},
        {},
        ("ops", 22, "id", "known_hosts"),
    ),
    "for all nodes, and the node has its own way": (
        {"proxy": {"host": "jump.example"}},
        {"user": "ops", "privateKeyFile": "own", "knownHostsFile": "own_hosts"},
        ("ops", 22, "own", "own_hosts"),
    ),
    "for all nodes, with a way of its own": (
        {"user": "ops", "proxy": {"host": "jump.example", "user": "guest", "privateKeyFile": "own"}},
        {"user": "admin"},
        ("guest", 22, "own", "known_hosts"),
    ),
    "the node's own": (
        {"user": "ops"},
        {"proxy": {"host": "jump.example"}},
        ("ops", 22, "id", "known_hosts"),
    ),
    "the node's own, which has its own way too": (
        {"user": "ops"},
        {"user": "admin", "knownHostsFile": "own_hosts", "proxy": {"host": "jump.example"}},
        ("admin", 22, "id", "own_hosts"),
    ),
    "the node's own, with a way of its own": (
        {"user": "ops"},
        {"user": "admin", "proxy": {"host": "jump.example", "user": "guest", "privateKeyFile": "own"}},
        ("guest", 22, "own", "known_hosts"),
    ),
    "the node's own, in place of that of all nodes": (
        {"user": "ops", "proxy": {"host": "gone.example", "user": "guest", "privateKeyFile": "own"}},
        {"proxy": {"host": "jump.example"}},
        ("ops", 22, "id", "known_hosts"),
    ),
}


@pytest.mark.parametrize(("shared", "own", "reached"), JUMPS.values(), ids=JUMPS.keys())
def test_a_jump_host_is_reached_as_the_node_is_but_for_what_is_its_own_when_it_is(
    folder: Path,
    shared: dict[str, str | dict[str, str]],
    own: dict[str, str | dict[str, str]],
    reached: tuple[str, int, str, str],
) -> None:
    shutil.copy(folder / "id", folder / "own")
    shutil.copy(folder / "known_hosts", folder / "own_hosts")
    with (folder / "known_hosts").open("a") as known:
        known.write(f"gone.example {(folder / 'known_hosts').read_text().split(' ', 1)[1].splitlines()[0]}\n")
    settings, _ = loaded(folder, {"ssh": VALID["ssh"] | shared, "nodes.1.ssh": own})
    proxy = settings.node("m2").ssh.proxy
    user, port, key, hosts = reached
    assert proxy
    assert proxy.host == "jump.example"
    assert proxy.ssh.proxy is None
    assert (proxy.ssh.user, proxy.ssh.port) == (user, port)
    assert (proxy.ssh.private_key_file, proxy.ssh.known_hosts_file) == (folder / key, folder / hosts)
    blocks = ssh.config_text(settings, settings.leader).split("\n\n")
    assert (
        f'Host m2_proxy\n  HostName "jump.example"\n  User "{user}"\n  Port {port}\n'
        f'  IdentityFile "{folder / key}"\n  UserKnownHostsFile "{folder / hosts}"\n  ConnectTimeout 4'
    ) in blocks
    assert [block for block in blocks if block.startswith("Host m2\n") and "ProxyJump m2_proxy" in block]
    assert any("ProxyJump m1_proxy" in block for block in blocks) == ("proxy" in shared)


@pytest.mark.parametrize(
    ("stack", "passphrase", "accepted"),
    [
        ("lab", PUBLISHED_PASSPHRASE, True),
        ("dev", PUBLISHED_PASSPHRASE, True),
        ("production", PUBLISHED_PASSPHRASE, False),
        ("production", "of my own", True),
    ],
)
def test_the_published_passphrase_is_refused_but_for_lab_and_dev(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stack: str, passphrase: str, accepted: bool
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", passphrase)
    if accepted:
        loaded(folder, stack=stack)
    else:
        (found,) = problems(folder, {}, stack)
        assert found.key == "PULUMI_CONFIG_PASSPHRASE"
        assert passphrase not in str(found)


SECRET = "swördfish"
# Where somebody may have written a secret.
WRITTEN = (
    {"ssh.privateKeyy": SECRET},
    {"ssh.privateKeyy": {"content": [SECRET]}},
    {"ssh": SECRET},
    {"ssh": [SECRET]},
    {"ssh.proxy": SECRET},
    {"ssh.proxy": {"host": "jump.example", "password": SECRET}},
    {"ssh.privateKeyFile": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n"},
    {"ssh.privateKeyFile": SECRET * 50},
    {"nodes.1.sshh": {"privateKey": SECRET}},
    {"nodes.1.labels": [SECRET]},
    {"nodes.1.labels": SECRET},
    {"nodes.1": SECRET},
    {"nodes.1.name": {"a": SECRET}},
    {"nodes": SECRET},
    {"nodes": {"m1": SECRET}},
    {"stacks.0": SECRET},
    {"stacks.0.variables": SECRET},
    {"stacks.0.variables": {"A": [SECRET]}},
    {"stacks": SECRET},
    {"secret": {"key": SECRET}},
    {"secrets": SECRET},
    {"secrets": [SECRET]},
    {"secrets": {"a": {"b": SECRET}}},
    {"unreachable": [{"a": SECRET}]},
    {"otherNodes": SECRET},
    {"edge": SECRET},
    {"edge": {**EDGE, "password": SECRET}},
    {"edge": {**EDGE, "ports": SECRET}},
)


@pytest.mark.parametrize("as_text", [False, True], ids=["parsed", "as the engine gives it"])
@pytest.mark.parametrize("changes", WRITTEN, ids=map(str, WRITTEN))
def test_what_may_be_a_secret_is_not_shown_with_a_problem(
    folder: Path, changes: dict[str, Any], as_text: bool
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, changes, as_text=as_text)
    # The engine blots a secret out where it finds the plain text of it, and not where it is escaped.
    assert "rdfish" not in str(caught.value)


def test_under_a_key_with_a_secret_in_it_no_value_is_shown(folder: Path) -> None:
    written = values({"addressPool": "swordfish", "nodes.1.role": "swordfish", "parallel": "swordfish"})
    keys = ["swarm:addressPool", "swarm:nodes", "swarm:parallel"]
    with pytest.raises(ConfigurationError) as caught:
        load.load(written, folder, "swarm", "lab", keys)
    assert "swordfish" not in str(caught.value)
    said = [one.key for one in caught.value.problems if "has a secret in it" in one.rule]
    assert sorted(said) == keys


def test_a_problem_is_one_line_whatever_a_key_is_called(folder: Path) -> None:
    (found,) = problems(folder, {"nodes.1.a\x1b[2J\nb": 1})
    assert str(found).startswith("swarm:nodes[1].a?[2J?b: there is no such key.")


@pytest.mark.parametrize("text", ['{"a": ' * 5000, f"[{'9' * 5000}]", "[" * 5000, "{"])
def test_a_value_beyond_any_use_is_a_problem(folder: Path, text: str) -> None:
    (found,) = [one for one in problems(folder, {"nodes": text}) if one.key == "swarm:nodes"]
    assert found.rule == "must be a list of nodes"


def encrypted(
    folder: Path, source: str, secret: tuple[str, ...] = ("swarm:secrets",)
) -> list[tuple[str, ...]]:
    """What is said of the secrets of a stack's file of this text, in which each is called `key`."""
    (folder / "Pulumi.lab.yaml").write_text(source)
    reader = Reader(secret)
    encryption.check(reader, values({"secrets": {"key": "swordfish"}}), secret, folder / "Pulumi.lab.yaml")
    assert not [one for one in reader.problems if "swordfish" in str(one)]
    return [(one.key, one.rule) for one in reader.problems]


def test_a_secret_in_plain_is_refused_without_showing_it(folder: Path) -> None:
    assert encrypted(folder, "", ()) == [("swarm:secrets", "is there for all to read")]


@pytest.mark.parametrize("key", ["swarm:secrets", "secrets", "swarm:config:secrets"])
@pytest.mark.parametrize("plain", ["swordfish", "{a: {secure: x}}", "[{secure: x}]", "{secure: {a: b}}", "1"])
def test_a_secret_in_plain_beside_an_encrypted_one_is_refused(folder: Path, key: str, plain: str) -> None:
    source = f"config: {{'{key}': {{one: {{secure: 'v1:x'}}, key: {plain}}}}}"
    assert encrypted(folder, source) == [("swarm:secrets.key", "is there for all to read")]


@pytest.mark.parametrize(
    "source",
    [
        "config: {'swarm:secrets': {key: {secure: 'v1:x'}}}",
        "config: {'swarm:secrets': {secure: 'v1:x'}}",
        "config: {}",
        "",
        "config: [",
    ],
)
def test_secrets_that_are_all_encrypted_or_come_from_elsewhere_are_taken(folder: Path, source: str) -> None:
    assert encrypted(folder, source) == []


@pytest.mark.parametrize("name", ASTRAY)
def test_a_variable_that_would_send_the_docker_provider_elsewhere_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "theirs")
    (found,) = problems(folder, {})
    assert (found.key, "theirs" in str(found)) == (name, False)
    monkeypatch.setenv(name, "")
    loaded(folder)


@pytest.mark.parametrize("stack", ["..", "-x", ".hidden"])
def test_a_stack_s_name_that_is_no_folder_s_is_refused(folder: Path, stack: str) -> None:
    (found,) = problems(folder, {}, stack)
    assert "must begin with a letter or a digit" in found.rule


# What ssh_config, or a shell, would take for more than a name or a path.
FORGED = ("a\n  ProxyCommand x", "a\0b", 'a"b', "${HOME}", "a\x1b[2J", "a\u2028b")


@pytest.mark.parametrize("value", FORGED, ids=ascii)
@pytest.mark.parametrize("key", ["user", "privateKeyFile", "knownHostsFile", "proxy.host", "proxy.user"])
def test_a_value_that_would_be_more_than_that_to_ssh_is_refused(folder: Path, key: str, value: str) -> None:
    first = {"ssh.proxy": {"host": "jump.example"}} if "proxy" in key else {}
    (found,) = problems(folder, {**first, f"ssh.{key}": value})
    assert found.key == f"swarm:ssh.{key}"
    assert "must be" in found.rule


@pytest.mark.parametrize("user", ["-oProxyCommand=x", "a b", "a'b", "%h", "$x", "a;b", "~", "a\\\\b", "ä"])
def test_a_user_that_is_no_login_name_is_refused(folder: Path, user: str) -> None:
    assert [one.key for one in problems(folder, {"ssh.user": user})] == ["swarm:ssh.user"]


@pytest.mark.parametrize("user", ["root", "_apt", "ci.deploy-2", "AD\\deploy", "deploy@example.org", "host$"])
def test_a_user_that_is_a_login_name_is_taken(folder: Path, user: str) -> None:
    assert loaded(folder, {"ssh.user": user})[0].leader.ssh.user == user


def test_a_folder_whose_name_ssh_config_can_not_hold_is_refused(folder: Path) -> None:
    other = folder / 'a"b'
    other.mkdir()
    for name in ("id", "known_hosts", "demo.yaml"):
        shutil.copy(folder / name, other / name)
    rules = {one.key: one.rule for one in problems(other, {})}
    assert all("the folder's name included" in rule for rule in rules.values())
    assert set(rules) == {"swarm:ssh.privateKeyFile", "swarm:ssh.knownHostsFile"}


@pytest.mark.parametrize("labels", [{"a=b": "c"}, {"": "c"}, {"a b": "c"}, {"a": "b\nc"}, {"a\n": "b"}])
def test_a_label_that_would_not_come_back_as_it_is_is_refused(folder: Path, labels: dict[str, str]) -> None:
    (found,) = problems(folder, {"nodes.1.labels": labels})
    assert found.key == "swarm:nodes[1].labels"


@pytest.mark.parametrize("labels", [{"a": ""}, {"a": "b=c d,e"}, {"é.x/y": "ü"}, {"a,b": '"'}])
def test_any_other_label_is_taken(folder: Path, labels: dict[str, str]) -> None:
    assert loaded(folder, {"nodes.1.labels": labels})[0].node("m2").labels == labels

"""A probe of a host: the Engine's API through the pipes of a stand-in for ssh."""

import json
import random
import re
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceptance.stages import mesh
from operations.doctor import facts as facts_of_doctor
from operations.doctor import overlay
from swarm.declare.labels import NAME_LABEL, NAMESPACE_LABEL, OWNER_LABEL, STACK_LABEL
from swarm.declare.settings import Node, Proxy, Settings, Ssh
from swarm.observe import facts as facts_of_probe
from swarm.observe import probe
from swarm.observe.model import KEY_CHANGED, Cluster, Host, Observation, Service, SwarmObject
from swarm.observe.settling import BOOT_SECONDS, PENDING, late_engines, under_way
from swarm.script import render
from tests.unit.builders import (
    MARK,
    OWNER,
    certificate,
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
from tests.unit.builders import SSH as SSH_KEYS
from tests.unit.given import Program

ROUTES = "route default via 10.0.0.1 dev eth0\nroute 10.0.0.0/24 dev eth0 proto kernel\n"
LABELS = {STACK_LABEL: MARK, OWNER_LABEL: OWNER}
Json = dict[str, Any]
SPEC: Json = {
    "Name": "default",
    "Labels": LABELS,
    "Orchestration": {"TaskHistoryRetentionLimit": 5},
    "CAConfig": {"NodeCertExpiry": 7_776_000 * 10**9},
    "Dispatcher": {"HeartbeatPeriod": 5 * 10**9},
}
INFO: Json = {
    "ID": "an-engine",
    "Name": "m1.example",
    "ServerVersion": "26.1.5+dfsg1",
    "LiveRestoreEnabled": True,
    "DockerRootDir": "/var/lib/docker",
    "Swarm": {
        "NodeID": "id-m1",
        "NodeAddr": "10.0.0.11",
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "RemoteManagers": [{"NodeID": "id-m1", "Addr": "10.0.0.11:2377"}],
        "Cluster": {
            "ID": "ours",
            "Version": {"Index": 10},
            "DefaultAddrPool": ["10.20.0.0/16"],
            "DataPathPort": 4789,
            "Spec": SPEC,
        },
    },
}
NOT_A_MANAGER = {"message": "This node is not a swarm manager."}
OWN_LABELS = {name: {NAME_LABEL: name, OWNER_LABEL: OWNER} for name in ("m1", "m2", "w1")}
NODES: list[Json] = [
    {
        "ID": "id-m1",
        "Version": {"Index": 7},
        "Spec": {"Role": "manager", "Availability": "drain", "Labels": OWN_LABELS["m1"]},
        "Description": {"Hostname": "m1"},
        "Status": {"State": "ready", "Addr": "0.0.0.0"},
        "ManagerStatus": {"Leader": True, "Reachability": "reachable", "Addr": "10.0.0.11:2377"},
    },
    {
        "ID": "id-m2",
        "Version": {"Index": 12},
        "Spec": {"Role": "manager", "Availability": "drain", "Labels": OWN_LABELS["m2"]},
        "Description": {"Hostname": "m2"},
        "Status": {"State": "down", "Addr": "10.0.0.12"},
        "ManagerStatus": {"Reachability": "unreachable", "Addr": "10.0.0.12:2377"},
    },
    {
        "ID": "id-w1",
        "Version": {"Index": 9},
        "Spec": {"Role": "worker", "Availability": "active", "Labels": OWN_LABELS["w1"]},
        "Description": {"Hostname": "w1"},
        "Status": {"State": "ready", "Addr": "10.0.0.21"},
    },
]
SERVICES: list[Json] = [
    {
        "ID": "s1",
        "Spec": {
            "Name": "demo_page",
            "Labels": {NAMESPACE_LABEL: "demo"},
            "TaskTemplate": {"ContainerSpec": {"Image": "nginx:1.26.3@sha256:0"}},
            "Mode": {"Replicated": {"Replicas": 2}},
        },
        "UpdateStatus": {"State": "updating"},
    }
]


CONFIGS = [
    {"ID": "c1", "Spec": {"Name": "mark", "Labels": {STACK_LABEL: MARK}}},
    {"ID": "c2", "Spec": {"Name": "site", "Labels": {}}},
    {"ID": "c3", "Spec": {"Name": "bare", "Labels": None}},
]
NETWORKS = [
    {
        "Id": "n1",
        "Name": "demo_back",
        "Options": {"encrypted": ""},
        "IPAM": {"Config": [{"Subnet": "10.20.1.0/24", "Gateway": "10.20.1.1"}]},
    },
    {"Id": "n2", "Name": "bare", "Options": None, "IPAM": {"Config": None}},
]


def task(
    service: str, slot: int, state: str, desired: str = "running", created: int = 1, error: str = ""
) -> Json:
    """A task as the engine lists it; `created` orders those of a slot."""
    return {
        "ServiceID": service,
        "Slot": slot,
        "NodeID": "id-w1",
        "CreatedAt": f"2026-01-01T00:00:0{created}Z",
        "DesiredState": desired,
        "Status": {"State": state, **({"Err": error} if error else {})},
    }


TASKS = [task("s1", 1, "running"), task("s1", 2, "pending"), task("s2", 1, "running")]


def facts(clock: float | None = None, ip_vs: str = "yes", **more: Any) -> str:
    clock = time.time() if clock is None else clock
    others = "".join(f"{key} {value}\n" for key, value in more.items())
    return f"clock {clock}\nkernel vxlan yes\nkernel ip_vs {ip_vs}\n{ROUTES}{others}\n"


CLUSTER_ID, NODE_ID = "0cluster1cluster2cluster3", "9node8node7node6node5node"


def certified(**changes: Any) -> str:
    """The facts of a host whose certificate may be read."""
    return facts(certificate=line_of(certificate(CLUSTER_ID, NODE_ID, **changes)))


def line_of(pem: str) -> str:
    """A certificate's file in one line, as the script tells it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "swarm/certificates/swarm-node.crt"
        path.parent.mkdir(parents=True)
        path.write_text(pem)
        command = ["sh", "-c", facts_of_probe.script(folder)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search("^certificate (.*)$", told, re.M)
    assert found
    return found[1]


def read_certificate(pem: str) -> tuple[str, ...]:
    told = facts_of_probe.Facts({"certificate": [line_of(pem)]})
    return told.cluster_id, told.node_id


def manager(**changes: Any) -> Json:
    paths = {
        "/nodes": [200, NODES],
        "/info": [200, INFO],
        "/services": [200, SERVICES],
        probe.WANTED_TASKS: [200, TASKS],
        probe.MARKED_CONFIGS: [200, CONFIGS[:1]],
        "/configs/site": [200, CONFIGS[1]],
        "/secrets": [200, []],
        probe.SWARM_NETWORKS: [200, NETWORKS],
    }
    return {"facts": facts(), "paths": {**paths, **changes}}


def with_swarm(**changes: Any) -> Json:
    return {**INFO, "Swarm": {**INFO["Swarm"], "Cluster": None, **changes}}


CHANGED = """\
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Host key for 10.0.0.11 has changed and you have requested strict checking.
Host key verification failed.
"""
NOT_IN_A_SWARM = with_swarm(NodeID="", LocalNodeState="inactive", ControlAvailable=False, RemoteManagers=None)


def in_haste(seconds: float) -> Ssh:
    """A way on which a connection may take less than the second that people can declare."""
    timeout: Any = seconds
    return replace(SSH_KEYS, connect_timeout=timeout)


def swarm_of(host: Host) -> Cluster:
    """The swarm that a host shows."""
    assert host.cluster
    return host.cluster


Seen = Callable[..., Host]
Observed = tuple[Observation, list[str], int]
Observe = Callable[..., Observed]
Asked = Callable[..., list[str]]


@pytest.fixture
def ssh(program: Program) -> Callable[..., None]:
    """Tells the stand-in what the host answers."""
    path = program("ssh", "#!python\n" + Path(__file__).with_name("ssh.py").read_text())

    def answer(**told: Any) -> None:
        path.with_name("answers.json").write_text(json.dumps(told))
        path.with_name("asked.log").write_text("")

    return answer


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """What each host was asked since the stand-in was told: its name for a session, a path after it for a
    request."""
    return lambda: (tmp_path / "bin" / "asked.log").read_text().splitlines()


@pytest.fixture
def seen(ssh: Callable[..., None], tmp_path: Path) -> Seen:
    """What a probe of a host gives that answers like this."""

    def at(limit: float = 8, complete: bool = False, **told: Any) -> Host:
        ssh(**told)
        way = in_haste(limit / 2)
        args = probe.ProbeArgs(node("m1", ssh=way), tmp_path / "ssh_config", ["site"], complete=complete)
        return probe.probe_host(args)

    return at


def test_a_manager_shows_the_swarm(seen: Seen) -> None:
    host = seen(**manager())
    assert host.problem is None
    assert (host.engine, host.state, host.node_id, host.manager) == ("26.1.5+dfsg1", "active", "id-m1", True)
    assert host.managers == ("10.0.0.11",)
    assert (host.manager_ids, host.error, host.cluster_id) == (("id-m1",), "", "")
    assert host.leads
    assert host.ip_vs
    assert abs(host.skew) < 5
    assert host.routes == ("default via 10.0.0.1 dev eth0", "10.0.0.0/24 dev eth0 proto kernel")
    assert host.cluster == cluster(
        "m1 w1",
        entry("m1", reachable=True),
        down("m2"),
        entry("w1", reachable=False),
        services=(Service("s1", "demo_page", "demo", "nginx:1.26.3@sha256:0", 1, 2, "updating"),),
        networks={
            "demo_back": SwarmObject("n1", {"encrypted": ""}, {"10.20.1.0/24": "10.20.1.1"}),
            "bare": SwarmObject("n2"),
        },
        configs={"site": SwarmObject("c2")},
        labels=LABELS,
        spec=SPEC,
        version=10,
        label_configs={"mark": MARK},
        index=12,
    )
    assert host.cluster.entries["id-w1"].ready
    assert not host.cluster.services[0].settled


def counted(seen: Seen, mode: Json, condition: str, *tasks: Json) -> tuple[int, ...]:
    """How many tasks run and are wanted, of a service like this."""
    template = {**SERVICES[0]["Spec"]["TaskTemplate"], "RestartPolicy": {"Condition": condition}}
    service = {**SERVICES[0], "Spec": {**SERVICES[0]["Spec"], "Mode": mode, "TaskTemplate": template}}
    ended = [one for one in tasks if one["DesiredState"] == "shutdown"]
    paths = {
        "/services": [200, [service]],
        probe.WANTED_TASKS: [200, [one for one in tasks if one not in ended]],
        probe.ended_tasks(["s1"]): [200, ended],
    }
    (found,) = swarm_of(seen(**manager(**paths))).services
    return found.running, found.desired


LEFT = "assigned node no longer meets constraints"
ONE: Json = {"Replicated": {"Replicas": 1}}
EVERYWHERE: Json = {"Global": {}}


@pytest.mark.parametrize(
    ("mode", "condition", "tasks", "count"),
    [
        (ONE, "none", [task("s1", 1, "complete", "shutdown")], (1, 1)),
        (ONE, "on-failure", [task("s1", 1, "complete", "shutdown")], (1, 1)),
        (ONE, "any", [task("s1", 1, "complete", "shutdown")], (0, 1)),
        (ONE, "none", [task("s1", 1, "failed", "shutdown")], (0, 1)),
        (ONE, "none", [task("s1", 1, "complete", "shutdown"), task("s1", 1, "starting", created=2)], (0, 1)),
        (ONE, "any", [task("s1", 1, "running"), task("s1", 1, "starting", created=2)], (0, 1)),
        (EVERYWHERE, "any", [task("s1", 0, "running")], (1, 1)),
        (EVERYWHERE, "any", [task("s1", 0, "ready", "ready")], (0, 1)),
        (EVERYWHERE, "any", [], (0, 0)),
        (EVERYWHERE, "none", [task("s1", 0, "failed", "shutdown")], (0, 1)),
        (EVERYWHERE, "none", [task("s1", 0, "running", "shutdown")], (0, 0)),
        (EVERYWHERE, "none", [task("s1", 0, "rejected", "shutdown", error="no such image")], (0, 1)),
        (EVERYWHERE, "none", [task("s1", 0, "rejected", "shutdown", error=LEFT)], (0, 0)),
    ],
    ids=[
        "ended well",
        "ended well, if it may",
        "ended well, but is to go on",
        "failed for good",
        "ended well before it was changed",
        "is being replaced",
        "runs everywhere",
        "is to be started again",
        "has no node",
        "failed for good on a node",
        "is on a node that is down",
        "was rejected for good",
        "was on a node that isn't for it any more",
    ],
)
def test_of_each_slot_the_newest_task_counts_that(
    seen: Seen,
    mode: Json,
    condition: str,
    tasks: list[Json],
    count: tuple[int, ...],
) -> None:
    assert counted(seen, mode, condition, *tasks) == count


def test_an_engine_tells_who_it_is_and_a_host_what_its_kernel_has(seen: Seen) -> None:
    told = manager()
    told["facts"] = facts(free="500000 4096", lacks="flock")
    host = seen(**told)
    assert host.lacks == ("flock",)
    assert (host.engine_id, host.hostname, host.live_restore) == ("an-engine", "m1.example", True)
    assert (host.data_root, host.free) == ("/var/lib/docker", 2_048_000_000)
    assert host.kernel == {"vxlan": "yes", "ip_vs": "yes"}


@pytest.mark.parametrize(
    ("root", "told"), [("/data/docker", {"free": "500000 4096"}), ("/var/lib/docker", {})]
)
def test_free_space_isn_t_known_where_the_engine_s_folder_is_another_or_the_host_is_silent(
    seen: Seen, root: str, told: Json
) -> None:
    answers = manager(**{"/info": [200, {**INFO, "DockerRootDir": root}]})
    answers["facts"] = facts(**told)
    assert seen(**answers).free is None


def test_the_facts_are_told_by_a_real_shell(program: Program) -> None:
    """Whatever this machine has: the clock, and a word on each module."""
    program("docker", "#!/bin/sh\n")
    done = subprocess.run(["sh", "-c", facts_of_probe.script()], capture_output=True, text=True, check=True)
    told = [line.split() for line in done.stdout.splitlines()]
    assert abs(float(told[0][1]) - time.time()) < 10
    kernel = {words[1]: words[2] for words in told if words[:1] == ["kernel"]}
    assert list(kernel) == ["overlay", "vxlan", "br_netfilter", "ip_vs", "ip_vs_rr"]
    assert set(kernel.values()) <= {"yes", "no", "unknown"}
    assert told[-1] == []


@pytest.mark.parametrize(
    "shell",
    [
        facts_of_probe.script(),
        *map(render, (facts_of_doctor.SCRIPT, overlay.NETWORK, overlay.CONTAINER, mesh.ESP)),
    ],
)
def test_shellcheck_finds_nothing_in_what_hosts_are_asked(shell: str) -> None:
    command = ["shellcheck", "-s", "sh", "-f", "gcc", "-"]
    assert subprocess.run(command, input=shell, text=True, capture_output=True, check=False).stdout == ""


@pytest.mark.parametrize("labels", [None, {}])
def test_a_swarm_without_labels_has_none(seen: Seen, labels: Json | None) -> None:
    """Their place in the spec is left out, empty, or nothing."""
    without = {key: value for key, value in SPEC.items() if key != "Labels"}
    for spec in (without, {**without, "Labels": labels}):
        bare = {**INFO["Swarm"]["Cluster"], "Spec": spec}
        host = seen(**manager(**{"/info": [200, with_swarm(Cluster=bare)], probe.MARKED_CONFIGS: [200, []]}))
        swarm = swarm_of(host)
        assert (swarm.labels, swarm.label_configs, swarm.spec) == ({}, {}, spec)


def test_a_manager_without_a_leader_is_told_by_its_failure_to_list_nodes(seen: Seen) -> None:
    """Asking it for /info would block: so it isn't asked."""
    no_leader = {"message": "rpc error: code = Unknown desc = The swarm does not have a leader."}
    host = seen(facts=facts(), paths={"/nodes": [500, no_leader]})
    assert (host.leaderless, host.member, host.cluster) == (True, True, None)
    assert (host.node_id, host.cluster_id) == ("", "")


def test_a_manager_without_a_leader_tells_who_it_is_by_its_certificate(seen: Seen) -> None:
    no_leader = {"message": "rpc error: code = Unknown desc = The swarm does not have a leader."}
    host = seen(facts=certified(role="manager"), paths={"/nodes": [500, no_leader]})
    assert (host.leaderless, host.manager, host.state) == (True, True, "active")
    assert (host.cluster_id, host.node_id) == (CLUSTER_ID, NODE_ID)


def test_a_manager_whose_link_to_the_leader_fails_is_without_a_leader(seen: Seen) -> None:
    no_link = {"message": "rpc error: code = Unavailable desc = connection error"}
    info = with_swarm(NodeID="id-m1", ControlAvailable=True)
    host = seen(facts=facts(), paths={"/nodes": [503, no_link], "/info": [200, info]})
    assert (host.leaderless, host.manager, host.cluster) == (True, True, None)


def test_a_worker_shows_its_membership_and_its_managers(seen: Seen) -> None:
    info = with_swarm(NodeID="id-w1", ControlAvailable=False)
    host = seen(facts=facts(ip_vs="no"), paths={"/nodes": [503, NOT_A_MANAGER], "/info": [200, info]})
    assert (host.state, host.node_id, host.manager, host.cluster) == ("active", "id-w1", False, None)
    assert (host.managers, host.manager_ids) == (("10.0.0.11",), ("id-m1",))
    assert not host.ip_vs


def not_a_manager(facts_: str, **swarm: Any) -> Json:
    """What a host answers that is no manager, by what its engine tells of its membership."""
    return {"facts": facts_, "paths": {"/nodes": [503, NOT_A_MANAGER], "/info": [200, with_swarm(**swarm)]}}


IN_AN_ERROR = {"NodeID": "", "LocalNodeState": "error", "ControlAvailable": False, "Error": "it expired"}


def test_a_membership_in_an_error_is_told_by_the_certificate_and_its_words(seen: Seen) -> None:
    host = seen(**not_a_manager(certified(), **IN_AN_ERROR))
    assert (host.state, host.error, host.member) == ("error", "it expired", True)
    assert (host.cluster_id, host.node_id) == (CLUSTER_ID, NODE_ID)


def test_a_membership_in_an_error_whose_certificate_may_not_be_read_has_no_node_id(seen: Seen) -> None:
    host = seen(**not_a_manager(facts(), **IN_AN_ERROR))
    assert (host.error, host.cluster_id, host.node_id) == ("it expired", "", "")


@pytest.mark.parametrize(
    ("node_id", "cluster_id"), [(NODE_ID, CLUSTER_ID), ("id-w1", "")], ids=["agrees", "is of another time"]
)
def test_a_worker_tells_its_swarm_by_a_certificate_that(seen: Seen, node_id: str, cluster_id: str) -> None:
    host = seen(**not_a_manager(certified(), NodeID=node_id, ControlAvailable=False))
    assert (host.node_id, host.cluster_id) == (node_id, cluster_id)


def test_managers_that_a_host_has_not_met_have_no_node_id(seen: Seen) -> None:
    """One that is on its way knows of the managers but the addresses that it was given."""
    remote = [{"Addr": "10.0.0.11:2377", "NodeID": ""}, {"Addr": "[fd00::12]:2377", "NodeID": "id-m2"}]
    host = seen(**not_a_manager(facts(), LocalNodeState="pending", RemoteManagers=remote))
    assert (host.managers, host.manager_ids) == (("10.0.0.11", "[fd00::12]"), ("id-m2",))


@pytest.mark.parametrize("text_tag", [0x13, 0x0C], ids=["printable", "UTF-8"])
@pytest.mark.parametrize("role", ["worker", "manager"])
def test_a_certificate_tells_swarm_and_node(role: str, text_tag: int) -> None:
    pem = certificate(CLUSTER_ID, NODE_ID, role, text_tag)
    assert read_certificate(pem) == (CLUSTER_ID, NODE_ID)


def test_a_certificate_is_read_whole_whatever_is_in_it() -> None:
    pem = certificate(CLUSTER_ID, NODE_ID)
    first = "abcENDabc\n" + "-----END CERTIFICATE-----"
    assert line_of(f"-----BEGIN CERTIFICATE-----\nTHE\n{first}\n{pem}") == "THEabcENDabc"


def test_of_several_certificates_the_first_is_the_host_s() -> None:
    pem = certificate(CLUSTER_ID, NODE_ID) + "\n" + certificate("o" * 25, "p" * 25)
    assert read_certificate(pem) == (CLUSTER_ID, NODE_ID)


def test_of_a_subject_and_an_issuer_the_subject_counts() -> None:
    """Though an authority of one's own may be called as swarmkit's IDs are."""
    issued = certificate(CLUSTER_ID, NODE_ID, issuer="a" * 25)
    assert read_certificate(issued) == (CLUSTER_ID, NODE_ID)


@pytest.mark.parametrize("text", [[], [""], ["no base64"], ["AAA"], ["bm90IGEgY2VydGlmaWNhdGU="]])
def test_what_is_no_certificate_tells_nothing(text: list[str]) -> None:
    told = facts_of_probe.Facts({"certificate": text} if text else {})
    assert (told.cluster_id, told.node_id) == ("", "")


def test_a_certificate_of_real_tools_is_read_alike(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl isn't installed")
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    node = ["-subj", f"/O={CLUSTER_ID}/OU=swarm-worker/CN={NODE_ID}", "-keyout", "node.key"]
    for command in (
        [*new, "-subj", "/CN=swarm-ca", "-keyout", "ca.key", "-out", "ca.crt"],
        ["req", *new[2:], *node, "-out", "node.csr"],
        ["x509", "-req", "-in", "node.csr", *authority, "-out", "node.crt"],
    ):
        subprocess.run(["openssl", *command], cwd=tmp_path, capture_output=True, check=True)
    assert read_certificate((tmp_path / "node.crt").read_text()) == (CLUSTER_ID, NODE_ID)


def test_a_host_in_no_swarm_is_no_member(seen: Seen) -> None:
    host = seen(facts=facts(), paths={"/nodes": [503, NOT_A_MANAGER], "/info": [200, NOT_IN_A_SWARM]})
    assert (host.problem, host.member, host.node_id, host.managers) == (None, False, "", ())


def test_a_host_s_clock_is_compared_with_ours(seen: Seen) -> None:
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
        (
            {
                "stderr": "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
                "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\n"
                "Host key verification failed.\r\n"
            },
            f"{KEY_CHANGED}: it isn't the one in knownHostsFile, and somebody else may answer there",
            False,
        ),
        ({}, "the SSH session ended early", False),
        (
            {"facts": facts(), "stderr": "sh: 6: exec: docker: not found\n"},
            "its Docker Engine gives no answer: sh: 6: exec: docker: not found",
            True,
        ),
        (
            {"facts": facts(), "stderr": "Cannot connect to the Docker daemon\n"},
            "its Docker Engine gives no answer: Cannot connect to the Docker daemon",
            True,
        ),
        (
            {"noise": "This account is currently not available.\n", "code": 1},
            "its login shell doesn't run sh: This account is currently not available.",
            False,
        ),
        (
            {"stderr": "fish: Unknown command: sh\n", "code": 127},
            "its login shell doesn't run sh: fish: Unknown command: sh",
            False,
        ),
        (
            {"stderr": CHANGED},
            f"{KEY_CHANGED}: it isn't the one in knownHostsFile, and somebody else may answer there",
            False,
        ),
        (
            {"stderr": "No ED25519 host key is known for m1\nHost key verification failed.\n"},
            "No ED25519 host key is known for m1",
            False,
        ),
        (
            {"stderr": "open failed: No route to host\nConnection closed by UNKNOWN port 65535\n"},
            "open failed: No route to host",
            False,
        ),
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
        "the host's key isn't known",
        "the host's key is another",
        "nothing is said",
        "Docker isn't installed",
        "the engine is down",
        "nobody may log in",
        "there is no sh",
        "the host's key was another",
        "the host's key isn't known",
        "nobody is there behind a jump host",
        "the engine fails",
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_who_found_it(
    seen: Seen, told: Json, problem: str, answers: bool
) -> None:
    host = seen(**told)
    assert host == Host("m1", problem=problem, answers=answers)
    assert host.alarming == ("HAS CHANGED" in told.get("stderr", ""))


@pytest.mark.parametrize(
    "noise", ["Welcome!\n", "clock 1\nkernel ip_vs no\n\n", "\xff\xfe\n", "no line's end"]
)
def test_what_a_profile_prints_is_no_fact(seen: Seen, noise: str) -> None:
    host = seen(**manager(), noise=noise)
    assert (host.problem, host.node_id, host.ip_vs) == (None, "id-m1", True)
    assert abs(host.skew) < 5
    assert host.noise == noise.strip().splitlines()[-1].encode("latin-1").decode(errors="replace")


def test_a_slow_host_that_is_never_silent_gets_its_time(seen: Seen) -> None:
    assert swarm_of(seen(limit=1, **manager(), pause=0.3)).services


def test_a_host_that_talks_for_ever_doesn_t_get_it(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "TOTAL_SECONDS", 1)
    host = seen(limit=0.8, **manager(), pause=0.3)
    assert (host.late, host.cluster) == (True, None)


CUT = "kex_exchange_identification: Connection closed by remote host\n"


@pytest.mark.parametrize(
    ("stderr", "tries"),
    [
        (CUT, 2),
        (f"{CUT}Connection closed by 10.0.0.11 port 22\n", 2),
        ("channel 0: open failed: connect failed: No route to host\n" + CUT, 1),
        ("guest@10.0.0.1: Permission denied (publickey).\n" + CUT, 1),
        ("ssh: connect to host 10.0.0.1 port 22: Connection timed out\n" + CUT, 1),
        ("ssh: connect to host 10.0.0.11 port 22: Connection refused\n", 1),
    ],
)
def test_a_connection_that_was_cut_at_the_door_gets_one_more_try(
    seen: Seen, asked: Asked, monkeypatch: pytest.MonkeyPatch, stderr: str, tries: int
) -> None:
    monkeypatch.setattr(random, "uniform", lambda *_: 0)
    assert seen(stderr=stderr).problem
    assert asked() == ["m1"] * tries


def test_a_host_with_a_problem_says_how_long_it_is_up(seen: Seen) -> None:
    assert seen(facts=facts(clock=1000, booted=940), stderr="no engine\n").age == 60


@pytest.mark.parametrize(
    "told",
    [
        {"facts": "\xff\xfe garbage\n\n", "stderr": "oh\n"},
        {"facts": "clock %s.%N\nkernel ip_vs no\n\n", "stderr": "oh\n"},
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
def test_a_host_that_talks_nonsense_is_a_problem_of_that_host_alone(seen: Seen, told: Json) -> None:
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
def test_silence_ends_at_the_limit_and_says_whose_it_is(
    seen: Seen, told: Json, limit: float, who: str
) -> None:
    began = time.monotonic()
    host = seen(limit, **told)
    assert host.problem == f"{who} gave no answer within {limit} s"
    assert host.answers is host.late is ("facts" in told)
    assert time.monotonic() - began < 20, "it waited for what is silent for 30 s"


def test_a_jump_host_s_process_that_outlives_the_session_prolongs_nothing(
    program: Program, tmp_path: Path
) -> None:
    program("ssh", "#!/bin/sh\nsleep 30\n")
    began = time.monotonic()
    way = in_haste(0.5)
    host = probe.probe_host(probe.ProbeArgs(node("m1", ssh=way), tmp_path / "ssh_config"))
    assert host.problem == "it gave no answer within 1 s"
    assert time.monotonic() - began < 20, "it waited for the child, which sleeps for 30 s"


def test_no_process_and_no_open_file_is_left_of_a_probe(seen: Seen) -> None:
    seen(**manager())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        seen(**manager())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.fixture
def observe(ssh: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Observe:
    """Observes m1, w1 and, lost, w2, by a clock that only sleeping moves; gives the hosts, what was
    said, and how long it slept."""
    clock: Any = SimpleNamespace(now=0, time=time.time, monotonic=lambda: clock.now)
    clock.sleep = lambda seconds: setattr(clock, "now", clock.now + seconds)
    monkeypatch.setattr(probe, "time", clock)

    def at(patience: int = 2, settings: Settings | None = None, **told: Any) -> Observed:
        ssh(**told)
        said: list[str] = []
        settings = settings or declared("m1 w1", node("w2", lost=True))
        return probe.observe(settings, ["demo"], said.append, patience=patience), said, clock.now

    return at


def test_all_hosts_are_looked_at_but_those_that_are_lost(observe: Observe) -> None:
    steady = manager(**{"/services": [200, []]})
    hosts, said, slept = observe(m1=steady, w1={"stderr": "No route to host\n"})
    assert list(hosts) == ["m1", "w1"]
    assert hosts["m1"].cluster
    assert hosts["w1"].problem == "No route to host"
    assert (said, slept) == ([], 0)


def a_manager(name: str, nodes: list[Json] = NODES, **changes: Any) -> Json:
    """How another manager answers that has this list of nodes, and nothing else to tell of its own."""
    info = with_swarm(NodeID=f"id-{name}", Cluster=INFO["Swarm"]["Cluster"])
    return manager(**{"/nodes": [200, nodes], "/info": [200, info], **changes})


def others(*names: int) -> list[Json]:
    """The list of nodes as another manager has it: of these indexes, without a leader that answers."""
    return [{**one, "Version": {"Index": index}} for one, index in zip(NODES, names, strict=False)]


def whole(asked: Asked) -> list[str]:
    """The hosts that were asked for what all managers tell alike."""
    return [line.split()[0] for line in asked() if line.endswith("/services")]


def test_what_all_managers_tell_alike_is_asked_of_the_leader_alone(observe: Observe, asked: Asked) -> None:
    steady = {"/services": [200, []]}
    hosts, *_ = observe(0, declared("m1 m2"), m1=manager(**steady), m2=a_manager("m2"))
    assert whole(asked) == ["m1"]
    assert [line for line in asked() if line.startswith("m2")] == ["m2", "m2 /nodes", "m2 /info"]
    assert swarm_of(hosts["m2"]).networks == swarm_of(hosts["m1"]).networks != {}


def test_where_the_leader_s_host_is_silent_the_manager_that_has_come_farthest_is_asked(
    observe: Observe, asked: Asked
) -> None:
    dead = {"stderr": "No route to host\n"}
    old, new = a_manager("m2", others(1, 2)), a_manager("m3", others(1, 3))
    hosts, *_ = observe(0, declared("m1 m2 m3"), m1=dead, m2=old, m3=new)
    assert whole(asked) == ["m3"]
    assert swarm_of(hosts["m2"]).services == swarm_of(hosts["m3"]).services != ()


def test_where_that_one_fails_the_next_is_asked(observe: Observe, asked: Asked) -> None:
    dead, broken = {"stderr": "No route to host\n"}, {"/services": [500, {"message": "broken"}]}
    new, old = a_manager("m2", others(1, 3), **broken), a_manager("m3", others(1, 2))
    hosts, *_ = observe(0, declared("m1 m2 m3"), m1=dead, m2=new, m3=old)
    assert whole(asked) == ["m2", "m3"]
    assert hosts["m2"].problem == "its Docker Engine answers: broken"
    assert swarm_of(hosts["m3"]).services


def test_of_configs_only_those_are_asked_for_whose_names_matter(seen: Seen, asked: Asked) -> None:
    told = manager(**{"/configs/site": [404, {"message": "config site not found"}]})
    assert swarm_of(seen(**told)).configs == {}
    assert [line for line in asked() if "configs" in line] == [
        "m1 " + probe.MARKED_CONFIGS,
        "m1 /configs/site",
    ]
    another = manager(**{"/configs/site": [200, {"ID": "site9", "Spec": {"Name": "another"}}]})
    assert swarm_of(seen(**another)).configs == {}, "its ID begins like that"


NO_LEADER = {"message": "rpc error: code = Unknown desc = The swarm does not have a leader."}


@pytest.mark.parametrize(
    ("name", "changes", "started", "cut_off"),
    [
        ("m2", {}, 3600, True),
        ("m2", {}, 5, False),
        ("m9", {}, 3600, False),
        ("m9", {"host": "10.0.0.12"}, 3600, True),
        ("m9", {"host": "m9.example", "advertise_address": "10.0.0.12"}, 3600, True),
    ],
    ids=["known by its name", "just started", "of another swarm", "by its host", "by what it advertises"],
)
def test_a_manager_that_the_others_don_t_reach_is_cut_off(
    observe: Observe, name: str, changes: dict[str, str], started: int, cut_off: bool
) -> None:
    now = time.time()
    alone = {"facts": facts(clock=now, started=now - started), "paths": {"/nodes": [500, NO_LEADER]}}
    steady = manager(**{"/services": [200, []]})
    settings = declared("m1", node(name, **changes))
    hosts, _, slept = observe(2, settings, m1=steady, **{name: alone})
    assert hosts[name].cut_off is cut_off
    assert (slept == 0) is cut_off, "it is waited for in vain"


def test_what_is_under_way_is_waited_for_within_bounds_and_said_once(observe: Observe) -> None:
    idle_worker = {
        "facts": facts(),
        "paths": {"/nodes": [503, NOT_A_MANAGER], "/info": [200, NOT_IN_A_SWARM]},
    }
    hosts, said, slept = observe(m1=manager(), w1=idle_worker)
    assert said == ["waiting, 2 s at most: demo_page: 1 of 2 tasks run"]
    assert hosts["m1"].cluster
    assert slept == 2


@pytest.mark.parametrize(("told", "seconds"), [("silent", 2), ("no leader", 4)])
def test_a_leader_is_waited_for_only_briefly_while_most_managers_are_silent(
    observe: Observe, monkeypatch: pytest.MonkeyPatch, told: str, seconds: int
) -> None:
    monkeypatch.setattr(probe, "BRIEF_SECONDS", 2)
    no_leader = {"message": "rpc error: code = Unknown desc = The swarm does not have a leader."}
    alone, dead = {"facts": facts(), "paths": {"/nodes": [500, no_leader]}}, {"stderr": "No route to host\n"}
    *_, slept = observe(4, declared("m1 m2 m3"), m1=alone, m2=alone if told == "no leader" else dead, m3=dead)
    assert slept == seconds


@pytest.mark.parametrize(("parallel", "at_once"), [(None, 4), (2, 2), (1, 1)])
def test_hosts_are_looked_at_so_many_at_a_time(
    monkeypatch: pytest.MonkeyPatch, parallel: int | None, at_once: int
) -> None:
    together, counted, busy = threading.Barrier(at_once), threading.Lock(), []
    most = 0

    def one(args: probe.ProbeArgs) -> Host:
        nonlocal most
        name = args.node.name
        with counted:
            busy.append(name)
            most = max(most, len(busy))
        together.wait(10)  # for as many as there should be
        with counted:
            busy.remove(name)
        return Host(name)

    monkeypatch.setattr(probe, "probe_host", one)
    hosts = probe.observe(declared("m1 m2 m3 w1", parallel=parallel), [], print, patience=0)
    assert (list(hosts), most) == (["m1", "m2", "m3", "w1"], at_once)


def behind(jump: str, *names: str) -> list[Node]:
    """Nodes behind a jump host."""
    return [node(name, ssh=replace(SSH_KEYS, proxy=Proxy(jump, SSH_KEYS))) for name in names]


def test_behind_one_jump_host_few_are_looked_at_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counted, busy, most = threading.Lock(), {"j1": 0, "j2": 0}, {"j1": 0, "j2": 0}

    def one(args: probe.ProbeArgs) -> Host:
        assert args.node.ssh.proxy
        way = args.node.ssh.proxy.host
        with counted:
            busy[way] += 1
            most[way] = max(most[way], busy[way])
        time.sleep(0.02)
        with counted:
            busy[way] -= 1
        return Host(args.node.name)

    monkeypatch.setattr(probe, "probe_host", one)
    nodes = behind("j1", *(f"w{n}" for n in range(20))) + behind("j2", *(f"m{n}" for n in range(12)))
    hosts = probe.observe(declared("", *nodes), [], print, patience=0)
    assert len(hosts) == 32
    assert most == {"j1": 8, "j2": 8}


def test_many_hosts_are_looked_at_with_few_open_files(program: Program) -> None:
    """100 with 256, which is the limit of some systems: fewer at a time."""
    program("ssh", "#!/bin/sh\nsleep 0.05; echo 'No route to host' >&2; exit 255\n")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        nodes = [node(f"w{n}") for n in range(100)]
        hosts = probe.observe(declared("m1", *nodes), [], print, patience=0)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert {host.problem for host in hosts.values()} == {"No route to host"}


def test_without_patience_nothing_is_waited_for(observe: Observe) -> None:
    hosts, said, slept = observe(0, m1=manager(), w1={"stderr": "No route to host\n"})
    assert hosts["m1"].cluster
    assert (said, slept) == ([], 0)


SWARM = cluster("m1 w1", down("w2"), services=(Service("s1", "demo_page", "demo", "nginx", 1, 2),))
CUT_OFF = cluster("m1", down("m2"))
LACKING = cluster("m1 w1", services=(Service("s1", "demo_page", "demo", "nginx", 1, 2),))
WHOLE = cluster("m1 w1", services=(Service("s1", "demo_page", "demo", "nginx", 2, 2),))
MORE = cluster("m1 w1", services=(Service("s1", "demo_page", "demo", "nginx", 3, 2),))


@pytest.mark.parametrize(
    ("hosts", "stacks", "said"),
    [
        ([idle("m1"), idle("w1")], ["demo"], []),
        ([member("m1", WHOLE), member("w1", WHOLE), silent("w2")], ["demo"], []),
        ([leaderless("m1"), leaderless("m2")], [], ["m1, m2: in a swarm without a leader"]),
        ([member("m1", SWARM), member("w2", SWARM)], [], ["w2: not Ready yet"]),
        ([member("m1", SWARM), member("w2", SWARM, state="pending")], [], ["w2: not Ready yet"]),
        ([member("m1", SWARM), member("w1", SWARM, state="pending")], [], []),
        ([member("m1", SWARM), idle("w8", state="pending", node_id="id-w8")], [], [f"w8: {PENDING}"]),
        ([idle("w8", state="pending"), idle("w9", state="pending")], [], [f"w8, w9: {PENDING}"]),
        ([idle("w8", state="error")], [], []),
        ([member("m1", CUT_OFF), replace(leaderless("m2"), node_id="id-m2", cut_off=True)], [], []),
        ([member("m1", SWARM), silent("w2")], ["other"], []),
        ([member("m1", SWARM), silent("w2")], ["demo"], []),
        ([member("m1", LACKING)], ["demo"], ["demo_page: 1 of 2 tasks run"]),
        ([member("m1", LACKING), silent("w9")], ["demo"], ["demo_page: 1 of 2 tasks run"]),
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
        "a node that comes back, whose engine was just started",
        "a node that is Ready, whose engine was just started",
        "a host on its way into a swarm that doesn't list it",
        "hosts on their way into a swarm that isn't seen",
        "a membership in an error",
        "a manager that is cut off",
        "a silent member, services of others",
        "a node that is down, tasks that may have nowhere to run",
        "tasks that start",
        "tasks that start, and a host that is no member is silent",
        "tasks that an update is about to end",
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
def test_what_is_about_to_change_by_itself_is_told(
    hosts: list[Host], stacks: list[str], said: list[str]
) -> None:
    assert list(under_way({host.name: host for host in hosts}, stacks)) == said


def test_a_destroy_waits_for_engines_at_a_loss_alone() -> None:
    hosts = [
        silent("m1"),
        stuck("m2"),
        stuck("m3", late=True),
        leaderless("m4"),
        Host("w1", problem="x", age=1),
    ]
    said = list(late_engines({host.name: host for host in hosts}, ["demo"]))
    assert said == ["m3: its Docker Engine gave no answer within 8 s"]


def test_a_destroy_waits_for_hosts_that_are_on_their_way_into_a_swarm() -> None:
    """Whose it is can't be told yet; in ours or not, known or not."""
    hosts = [member("m1", SWARM), member("w1", SWARM, state="pending"), idle("w2", state="pending")]
    said = list(late_engines({host.name: host for host in hosts}, ["demo"]))
    assert said == [f"w1: {PENDING}", f"w2: {PENDING}"]


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
def test_a_service_is_settled_when_its_tasks_run_and_nothing_moves(
    running: int, desired: int, update: str | None, settled: bool
) -> None:
    assert Service("s1", "demo_page", "demo", "nginx", running, desired, update).settled is settled

"""The life of a node, in the order of the tests: roles, ways to reach it, departures."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.deployment import Deployment, changed
from tests.integration.drift import started, stopped

LEAVING, STUCK = "swarm-worker-02", "swarm-worker-03"


@pytest.fixture(scope="module")
def swarm(deployment: Deployment) -> Deployment:
    """Three managers, three workers, and a service made by hand with a task on each worker."""
    deployment.configure(stacks=[])
    deployment.up()
    deployment.docker("service create --detach --name pages --mode global redis:7.0.15")
    return deployment


def commands(node: str) -> set[str]:
    """The resources of a node that are commands."""
    return {f"{node}-membership", f"{node}-departure"}


def ids(deployment: Deployment) -> dict[str, str]:
    return {node["Hostname"]: node["ID"] for node in deployment.node_list()}


def tasks(deployment: Deployment) -> set[str]:
    return set(deployment.docker("service ps -q --filter desired-state=running pages").split())


def entry_gone(deployment: Deployment, name: str) -> bool:
    return name not in ids(deployment)


def test_a_role_is_changed_in_place_and_back(swarm: Deployment) -> None:
    before, running = ids(swarm), tasks(swarm)
    swarm.declare(LEAVING, role="manager", availability="active")
    assert "promote swarm-worker-02" in swarm.preview(changes=True)
    assert changed(swarm.up()) == {"updated": {"convergence"}}
    assert swarm.roles()[LEAVING] == "Reachable"

    swarm.declare(LEAVING, role="worker")
    assert changed(swarm.up()) == {"updated": {"convergence"}}
    assert swarm.roles()[LEAVING] == ""
    assert ids(swarm) == before
    assert tasks(swarm) == running


def test_the_leader_s_role_moved_to_another_manager_is_no_change(swarm: Deployment) -> None:
    swarm.declare("swarm-manager-01", role="manager")
    swarm.declare("swarm-manager-02", role="leader")
    swarm.preview()


def test_the_host_that_leads_becomes_a_worker_in_one_up(swarm: Deployment) -> None:
    before, leads = ids(swarm), swarm.leader()
    declared = swarm.declared
    for node in declared:
        if node["role"] == "leader" and node["name"] == leads:
            other = next(n["name"] for n in declared if n["role"] == "manager")
            swarm.declare(other, role="leader")
    swarm.declare(leads, role="worker", availability="drain")
    assert changed(swarm.up()) == {"updated": {"convergence"}}
    assert swarm.roles()[leads] == ""
    swarm.configure(nodes=declared)
    assert changed(swarm.up()) == {"updated": {"convergence"}}
    assert ids(swarm) == before
    swarm.preview()


def test_another_user_key_and_port_make_no_node_leave_or_join(swarm: Deployment, tmp_path: Path) -> None:
    before, running = ids(swarm), tasks(swarm)
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    user = (
        "useradd --create-home --groups docker deploy; mkdir -p /home/deploy/.ssh;"
        " cat >/home/deploy/.ssh/authorized_keys; /usr/sbin/sshd -p 2222"
    )
    for node in swarm.lab.nodes:
        swarm.lab.run(node.name, user, input=key.with_suffix(".pub").read_text())
    known = re.sub(r"(?m)^(\S+) ", r"[\1]:2222 ", swarm.lab.known_hosts.read_text())
    (tmp_path / "known_hosts").write_text(known)
    usual = swarm.settings["swarm:ssh"]
    other = {"privateKeyFile": str(key), "knownHostsFile": str(tmp_path / "known_hosts")}
    swarm.configure(ssh={"user": "deploy", "port": 2222, **other})
    assert changed(swarm.up()) == {"updated": {f"{name}-departure" for name in before}}
    swarm.preview()
    swarm.configure(ssh=usual)
    swarm.up()
    assert (ids(swarm), tasks(swarm)) == (before, running)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("addressPool", "10.40.0.0/16", "swarm:addressPool 10.40.0.0/16: the swarm was started with 10.20"),
        ("dataPathPort", 4790, "swarm:dataPathPort 4790: the swarm was started with 4789"),
    ],
)
def test_what_is_fixed_with_the_start_is_refused_later(
    swarm: Deployment, key: str, value: object, said: str
) -> None:
    usual = dict(swarm.settings)
    swarm.configure(**{key: value})
    output = swarm.preview(changes=True)
    assert said in output
    assert "destroy and make the swarm anew" in output
    swarm.settings = usual
    swarm.configure()


def test_a_drain_that_cannot_end_fails_in_words_and_is_skipped_at_the_user_s_word(swarm: Deployment) -> None:
    declared = swarm.declared
    swarm.docker(
        f"service create --detach --name bound --constraint node.hostname=={STUCK} redis:7.0.15 >/dev/null"
    )
    swarm.until("docker service ls | grep bound | grep -q 1/1")
    swarm.configure(nodes=[n for n in declared if n["name"] != STUCK], drainTimeout="3s")
    for _ in range(2):  # another up doesn't take what the first one left for done
        output = swarm.up(fails=True)
        assert f"{STUCK} is drained, and after 3 s this still waits: bound" in output
        assert "swarm:drainTimeout 0s" in output
        assert not entry_gone(swarm, STUCK)

    swarm.configure(drainTimeout="0s")
    assert changed(swarm.up()) == {"updated": {"convergence"}, "deleted": commands(STUCK)}
    assert entry_gone(swarm, STUCK)
    swarm.docker("service rm bound")
    swarm.configure(nodes=declared, drainTimeout="5m")
    swarm.up()


def test_a_node_that_is_down_is_taken_out_only_as_lost_and_never_dialled(
    swarm: Deployment, tmp_path: Path
) -> None:
    declared = swarm.declared
    old = ids(swarm)[LEAVING]
    stopped(LEAVING)(swarm)
    swarm.until(f"docker node ls --format '{{{{.ID}}}} {{{{.Status}}}}' | grep -q '{old} Down'")

    swarm.configure(nodes=[n for n in declared if n["name"] != LEAVING])
    output = swarm.preview(changes=True)
    assert f"{LEAVING}: taken out of the configuration while it is down" in output
    assert "put it back with `lost: true`" in output

    swarm.configure(nodes=declared)
    swarm.declare(LEAVING, lost=True)
    dialled = tmp_path / "dialled"
    (tmp_path / "ssh").write_text(f'#!/bin/sh\necho "$@" >>{dialled}\nexec /usr/bin/ssh "$@"\n')
    (tmp_path / "ssh").chmod(0o755)
    swarm.environment["PATH"] = f"{tmp_path}:{swarm.environment['PATH']}"
    assert changed(swarm.up()) == {"updated": {"convergence"}}
    assert entry_gone(swarm, LEAVING)
    swarm.preview()

    swarm.configure(nodes=[n for n in declared if n["name"] != LEAVING])
    assert changed(swarm.up()) == {"deleted": commands(LEAVING)}
    assert "swarm-worker-01" in dialled.read_text()
    assert LEAVING not in dialled.read_text()

    started(LEAVING)(swarm, LEAVING)
    swarm.configure(nodes=declared)
    assert "leaving a membership that the swarm doesn't know any more" in swarm.up()
    assert ids(swarm)[LEAVING] != old
    swarm.preview()


@pytest.mark.full
def test_a_join_that_the_network_swallows_for_a_while_is_made_again(swarm: Deployment) -> None:
    """After 20 s the engine says that it goes on by itself, and after 35 s it gives up."""
    drop = "OUTPUT -p tcp --dport 2377 -j DROP"
    swarm.lab.run(LEAVING, "docker swarm leave --force")
    swarm.lab.run(LEAVING, f"iptables -A {drop}; (sleep 60; iptables -D {drop}) >/dev/null 2>&1 &")
    output = swarm.up()
    assert "The attempt to join the swarm will continue in the background" in output
    assert "leaving its own attempt to join, which failed: rpc error" in output
    swarm.preview()

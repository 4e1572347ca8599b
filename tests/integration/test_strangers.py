"""Nothing of anybody else's is touched: other people's swarms, on fake hosts, in every state."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.deployment import FakeDeployment
from tests.fakes.fixtures import (
    LAST,
    LEADER,
    SECOND,
    THEIR_WORKER,
    THEIRS,
    THIRD,
    WORKER,
    elsewhere,
    fakes,
    fresh,
    living,
    stack,
)
from tests.fakes.fleet import Fleet
from tests.fakes.host import Host
from tests.fakes.model import Swarm

__all__ = ["fakes", "fresh", "living", "stack"]  # the fixtures

# The states of an engine, as `Host.be` takes them.
STATES: dict[str, dict[str, Any]] = {
    "active": {"state": "active"},
    "pending": {"state": "pending"},
    "pending, and knows nobody": {"state": "pending", "itself": False, "managers": False, "certified": False},
    "error": {"state": "error"},
    "error, without a certificate": {"state": "error", "certified": False},
    "locked": {"state": "locked"},
}


def theirs(fakes: Fleet, *names: str, **labels: str) -> Swarm:
    """Somebody's swarm on these hosts, with a service and a secret."""
    made = fakes.swarm(*names, **labels)
    spec = {"Name": "shop", "TaskTemplate": {"ContainerSpec": {"Image": "shop"}}, "Mode": {"Global": {}}}
    made.objects["services"]["s"] = {"ID": "s", "Version": {"Index": 1}, "Spec": spec}
    made.objects["secrets"]["p"] = {"ID": "p", "Version": {"Index": 1}, "Spec": {"Name": "pass"}}
    return made


def moves_to(fakes: Fleet, host: Host) -> Swarm:
    """A host of ours leaves, and is the only manager of somebody's swarm then."""
    fakes.run(host.name, "docker swarm leave --force")
    host.forget()
    return theirs(fakes, host.name)


def told(name: str) -> str:
    """How a host is refused for what it is in, as a pattern."""
    return rf"- {name}(: its swarm is locked| \(.*\): (in|on its way into) )"


def assert_lives(fakes: Fleet, swarm: Swarm, *hosts: str) -> None:
    """Somebody's swarm is as it was, and its hosts were asked for nothing but how they are."""
    assert fakes.world.swarms[swarm.id] == swarm
    assert not any(fakes[name].touched for name in hosts), [fakes[name].changes() for name in hosts]


# 1. Any membership that isn't known to be ours is a stranger's, in whatever state.


@pytest.mark.parametrize("state", STATES)
def test_a_sole_manager_of_another_swarm_is_refused(living: FakeDeployment, fakes: Fleet, state: str) -> None:
    swarm = theirs(fakes, THEIRS)
    fakes[THEIRS].be(**STATES[state])
    living.declare_also(fakes[THEIRS])
    assert "refused, nothing was changed" in living.pulumi("preview", fails=True)
    assert re.search(told(THEIRS), living.refused())
    assert_lives(fakes, swarm, THEIRS)


@pytest.mark.parametrize("state", STATES)
def test_so_is_a_worker_of_another_swarm(living: FakeDeployment, fakes: Fleet, state: str) -> None:
    swarm = theirs(fakes, THEIRS, THEIR_WORKER)
    fakes[THEIR_WORKER].be(**STATES[state])
    living.declare_also(fakes[THEIR_WORKER])
    assert re.search(told(THEIR_WORKER), living.refused())
    assert_lives(fakes, swarm, THEIRS, THEIR_WORKER)


@pytest.mark.parametrize("state", [one for one in STATES if one != "active"])
def test_no_swarm_is_started_beside_a_member_in_any_state(
    fresh: FakeDeployment, fakes: Fleet, state: str
) -> None:
    swarm = theirs(fakes, LEADER)
    fakes[LEADER].be(**STATES[state])
    fresh.refused()
    assert_lives(fakes, swarm, *fresh.names)


def test_an_engine_that_was_just_restarted_is_waited_for(living: FakeDeployment, fakes: Fleet) -> None:
    """Ours: nothing is to be done. Another's: refused. As soon as it is known which."""
    living.hurry(STEADY_SECONDS=30)
    swarm = theirs(fakes, THEIRS)
    living.declare_also(fakes[THEIRS])
    for name in (WORKER, THEIRS):
        fakes[name].be("pending", itself=False, managers=False, certified=False)
        threading.Timer(4, fakes[name].be, ["active"]).start()
    said = living.pulumi("preview", fails=True)
    assert f"{WORKER}, {THEIRS}: on its way into a swarm" in said
    assert f"{WORKER} (" not in said
    assert f"{THEIRS} ({fakes[THEIRS].address}): in swarm {swarm.id}" in said
    assert_lives(fakes, swarm, THEIRS)


def test_a_host_of_ours_in_error_leaves_by_the_id_that_is_known(living: FakeDeployment, fakes: Fleet) -> None:
    before = fakes[LAST].engine.node_id
    fakes[LAST].be("error")
    living.up()
    assert fakes[LAST].engine.state == "active"
    assert fakes[LAST].engine.node_id != before
    living.preview()


# 2. A node that leaves the configuration leaves the membership that was made, and no other.


def test_a_node_taken_out_stays_in_the_swarm_that_its_host_is_in_by_then(
    living: FakeDeployment, fakes: Fleet
) -> None:
    swarm = moves_to(fakes, fakes[LAST])
    living.take_out(LAST)
    assert f"{LAST}: taken out of the configuration while it is down" in living.refused()
    fakes.run(LEADER, f"docker node rm {LAST}")
    said = living.up()
    assert "stays in the swarm in which it is by now" in said
    assert_lives(fakes, swarm, LAST)
    living.preview()


# 3. A destroy makes hosts leave that are known as ours; the others are listed.


@pytest.mark.parametrize("case", ["its swarm is bare", "adopt is set", "our managers are silent"])
def test_a_destroy_leaves_another_swarm_alone(living: FakeDeployment, fakes: Fleet, case: str) -> None:
    swarm = moves_to(fakes, fakes[LAST])
    if case == "its swarm is bare":
        swarm.objects["services"].clear()
        swarm.objects["secrets"].clear()
    if case == "adopt is set":
        living.configure(adopt=True)
    if case == "our managers are silent":
        for name in (LEADER, SECOND, THIRD):
            fakes[name].power_off()
    said = living.destroy()
    assert f"{LAST} ({fakes[LAST].address}) was not made to leave its swarm" in said
    assert_lives(fakes, swarm, LAST)
    assert fakes[WORKER].engine.state == "inactive", "a host of ours"


def test_a_destroy_leaves_a_swarm_alone_that_adopt_would_take(fresh: FakeDeployment, fakes: Fleet) -> None:
    swarm = theirs(fakes, LEADER, SECOND, WORKER)
    fresh.configure(adopt=True)
    fresh.destroy()
    assert_lives(fakes, swarm, *fresh.names)


# 4. One owner.


@pytest.fixture
def second(living: FakeDeployment, fakes: Fleet, tmp_path: Path) -> FakeDeployment:
    """The same stack from another state, while the first one's swarm lives."""
    return elsewhere(fakes, tmp_path)


def test_a_swarm_of_the_same_name_from_another_state_is_refused(
    living: FakeDeployment, second: FakeDeployment, fakes: Fleet
) -> None:
    second.take_out(LAST)  # an older file
    said = second.refused()
    assert "looked after from another state" in said
    assert "swarm:adopt" in said
    assert not any(host.touched for host in fakes.hosts.values())
    second.destroy()
    assert not any(host.touched for host in fakes.hosts.values())
    living.preview()


def test_adopt_takes_all_of_it_over_from_the_other_owner(
    living: FakeDeployment, second: FakeDeployment, fakes: Fleet
) -> None:
    swarm = fakes[LEADER].swarm
    assert swarm is not None
    before, owner = set(swarm.nodes), swarm.spec["Labels"]["swarm.pulumi.owner"]
    second.configure(adopt=True)
    second.take_out(LAST)
    assert f"{LAST} (" in second.refused()
    assert "not declared here" in second.refused()
    second.configure(nodes=second.nodes())
    second.up()
    second.preview()
    owners = {swarm.spec["Labels"]["swarm.pulumi.owner"]}
    owners |= {node.labels["swarm.pulumi.owner"] for node in swarm.nodes.values()}
    assert len(owners) == 1
    assert owners != {owner}
    assert set(swarm.nodes) == before
    assert "looked after from another state" in living.refused()


def test_two_labels_are_refused(living: FakeDeployment, fakes: Fleet) -> None:
    """Ours, and what a program before the owner labels marked a swarm with."""
    fakes.run(LEADER, "echo x | docker config create --label swarm.pulumi.stack=shop/prod shop-prod -")
    fakes[LEADER].forget()
    assert "it carries the labels of 2 owners" in living.refused()
    assert not any(host.touched for host in fakes.hosts.values())


def test_a_moved_state_still_knows_its_swarm(
    living: FakeDeployment, fakes: Fleet, second: FakeDeployment, tmp_path: Path
) -> None:
    exported = tmp_path / "state.json"
    exported.write_text(living.export("--show-secrets"))
    second.pulumi("stack", "import", "--file", str(exported))
    second.preview()


# 5. No second swarm beside one that merely doesn't answer us.


def silence(host: Host) -> None:
    host.sshd.freeze()


def deny_docker(host: Host) -> None:
    host.deny_docker()


def change_key(host: Host) -> None:
    host.sshd.change_host_key()


def no_login(host: Host) -> None:
    host.sshd.lock_out()


REFUSALS = {
    "its host key is another": (change_key, "host key has CHANGED"),
    "its Docker socket is denied": (deny_docker, "permission denied"),
    "it lets nobody in": (no_login, "Permission denied"),
}


def test_hosts_that_are_silent_are_no_leave_to_start_a_swarm(fresh: FakeDeployment, fakes: Fleet) -> None:
    """They are a living majority of somebody's swarm, or ours from another state."""
    swarm = theirs(fakes, SECOND, THIRD)
    for name in (SECOND, THIRD):
        silence(fakes[name])
    fresh.configure(allowUnreachable=True)
    said = fresh.refused()
    assert "swarm:unreachable" in said
    assert fakes[LEADER].changes() == []
    assert_lives(fakes, swarm)


def test_it_takes_their_names(fresh: FakeDeployment, fakes: Fleet) -> None:
    for name in (THIRD, LAST):
        silence(fakes[name])
    fresh.configure(unreachable=[THIRD])
    assert f"{LAST} (" in fresh.refused()
    fresh.configure(unreachable=[THIRD, LAST])
    fresh.up()
    assert fakes[LEADER].engine.state == "active"
    fresh.preview()


def test_no_names_help_where_the_state_knows_the_managers(living: FakeDeployment, fakes: Fleet) -> None:
    for name in (SECOND, THIRD, WORKER, LAST):
        silence(fakes[name])
    fakes.run(LEADER, "docker swarm leave --force")
    fakes[LEADER].forget()
    living.configure(unreachable=[SECOND, THIRD, WORKER, LAST], allowUnreachable=True)
    assert f"{SECOND} (" in living.refused()
    assert fakes[LEADER].changes() == []


@pytest.mark.parametrize("how", REFUSALS)
def test_a_host_that_refuses_us_is_no_silent_one(fresh: FakeDeployment, fakes: Fleet, how: str) -> None:
    refuse, words = REFUSALS[how]
    refuse(fakes[LAST])
    fresh.configure(allowUnreachable=True)
    said = fresh.refused()
    assert re.search(rf"{LAST} \(.*\): it refuses us: .*{words}", said)
    fresh.configure(unreachable=[LAST])
    fresh.up()
    assert not fakes[LAST].touched

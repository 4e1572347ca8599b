"""Strangers that come in between, or are in our swarm; and nodes that leave it: on fake hosts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.fakes import membership
from tests.fakes.deployment import FakeDeployment
from tests.fakes.fixtures import (
    LAST,
    LEADER,
    SECOND,
    THEIRS,
    THIRD,
    WORKER,
    fakes,
    fresh,
    living,
    stack,
)
from tests.fakes.fleet import Fleet
from tests.fakes.model import Node, Swarm, word

__all__ = ["fakes", "fresh", "living", "stack"]  # the fixtures


def ours(fakes: Fleet) -> Swarm:
    swarm = fakes[LEADER].swarm
    assert swarm is not None
    return swarm


def owner(deployment: FakeDeployment) -> str:
    """The ID by which a state owns its swarm."""
    resources: list[dict[str, Any]] = json.loads(deployment.export())["deployment"]["resources"]
    return str(next(one for one in resources if one["type"] == "swarm:index:Cluster")["outputs"]["owner"])


# 6. An init is completed only where it was our own.


@pytest.mark.parametrize("name", [LEADER, WORKER])
def test_a_host_that_came_into_a_swarm_since_the_look_is_left_alone(
    fresh: FakeDeployment, fakes: Fleet, name: str
) -> None:
    made: list[Swarm] = []
    fakes[name].meanwhile("GET /info", lambda: made.append(fakes.swarm(name)), after=1)
    said = fresh.up(fails=True)
    assert "has come into a swarm since it was probed" in said
    assert fakes.world.swarms[made[0].id].spec["Labels"] == {}
    assert fakes[name].changes() == []
    assert fakes[name].swarm is made[0]


@pytest.mark.parametrize("has", ["nothing", "a network", "a label"])
def test_a_swarm_of_one_node_on_our_leader_is_somebodys(
    fresh: FakeDeployment, fakes: Fleet, has: str
) -> None:
    swarm = fakes.swarm(LEADER, **({"team": "shop"} if has == "a label" else {}))
    if has == "a network":
        network = {"Id": "n", "Name": "shop", "Driver": "overlay", "Scope": "swarm"}
        swarm.objects["networks"]["n"] = network
    assert "it isn't marked as ours" in fresh.refused()
    assert not any(host.touched for host in fakes.hosts.values())


def test_an_init_whose_answer_was_lost_is_ours(fresh: FakeDeployment, fakes: Fleet) -> None:
    """As after a kill: the state knows what it owns before it is made."""
    fakes[LEADER].tell("POST /swarm/init", 500, "no")
    fresh.up(fails=True)
    fakes[LEADER].behave()
    labels = {"swarm.pulumi.stack": "swarm/fakes", "swarm.pulumi.owner": owner(fresh)}
    before = fakes.swarm(LEADER, **labels)
    fresh.up()
    assert ours(fakes) is before
    assert len(before.nodes) == 5
    fresh.preview()


def test_an_up_that_failed_after_its_init_is_gone_on_with(fresh: FakeDeployment, fakes: Fleet) -> None:
    fakes[SECOND].tell("POST /swarm/join", 500, "no")
    fresh.up(fails=True)
    fakes[SECOND].behave()
    before = ours(fakes)
    fresh.up()
    assert ours(fakes) is before
    fresh.preview()


# 7. Strangers in our swarm are named, and managers among them refused.


def test_a_node_that_nobody_declares_is_named_until_it_may_stay(living: FakeDeployment, fakes: Fleet) -> None:
    membership.admit(ours(fakes), fakes[THEIRS].engine, "worker", {})
    assert re.search(rf"warning: {THEIRS} \(\w+\) is ready, and no node of this stack", living.preview())
    living.configure(otherNodes=[THEIRS])
    assert THEIRS not in living.preview()
    living.destroy()
    assert not fakes[THEIRS].touched


def test_a_manager_that_nobody_declares_is_refused_until_it_may_stay(
    living: FakeDeployment, fakes: Fleet
) -> None:
    membership.admit(ours(fakes), fakes[THEIRS].engine, "manager", {})
    said = living.refused()
    assert re.search(rf"{THEIRS} \(.*\): a manager of our swarm that nobody declares", said)
    assert not any(host.touched for host in fakes.hosts.values())
    living.configure(otherNodes=[THEIRS])
    living.preview()


def test_where_a_majority_is_missing_strangers_count_and_are_named(
    living: FakeDeployment, fakes: Fleet
) -> None:
    """Two of five are down, and two more don't answer us."""
    for name in ("ghost-1", "ghost-2"):
        node = Node(word(), None, name, "192.0.2.9", "manager")
        ours(fakes).nodes[node.id] = node
    living.configure(otherNodes=["ghost-1", "ghost-2"])
    living.preview()
    for name in (SECOND, THIRD):
        fakes[name].sshd.stop()
    said = living.refused()
    assert "ghost-1 (not declared), ghost-2 (not declared)" in said
    assert not any(host.touched for host in fakes.hosts.values())


# 8. Of several views the leader's counts.


@pytest.mark.parametrize("name", [SECOND, THIRD])
def test_a_managers_stale_view_is_not_taken_for_the_swarm(
    living: FakeDeployment, fakes: Fleet, name: str
) -> None:
    fakes[name].freeze_view()
    fakes.run(LEADER, f"docker node update --label-add by=hand {LAST}")
    assert f"update {LAST} --label-rm=by" in living.preview(changes=True)
    living.configure(
        nodes=[one | {"labels": {"by": "hand"}} for one in living.declared if one["name"] == LAST]
        + [one for one in living.declared if one["name"] != LAST]
    )
    living.preview()


# 9. What isn't dialed gets no token.


def test_a_lost_node_that_is_not_in_the_state_is_never_dialed(fresh: FakeDeployment, fakes: Fleet) -> None:
    fresh.declare_also(fakes[THEIRS], lost=True)
    known = fakes.known_hosts.read_text().splitlines(keepends=True)
    fakes.known_hosts.write_text("".join(one for one in known if fakes[THEIRS].address not in one))
    fresh.up()
    fresh.preview()
    assert fakes[THEIRS].received() == ""
    departures = [one for one in fresh.resources() if one["type"] == "command:remote:Command"]
    its_own = [one for one in departures if THEIRS in one["urn"]]
    assert its_own
    assert "SWMTKN" not in json.dumps(its_own)
    fresh.destroy()
    assert fakes[THEIRS].received() == ""


# 17. Nodes leave when they are taken out.


def test_a_node_taken_out_after_an_outage_leaves(living: FakeDeployment, fakes: Fleet) -> None:
    fakes[LAST].power_off()
    living.declare(WORKER, labels={"an": "up"})
    living.up()
    fakes[LAST].power_on()
    living.take_out(LAST)
    living.up()
    assert fakes[LAST].engine.state == "inactive"
    assert len(ours(fakes).nodes) == 4
    living.preview()


def test_a_node_whose_host_died_before_it_left_has_a_remedy(living: FakeDeployment, fakes: Fleet) -> None:
    fakes[LEADER].meanwhile("DELETE /nodes/*", fakes[LAST].sshd.stop)
    node = next(one for one in living.declared if one["name"] == LAST)
    living.take_out(LAST)
    said = living.up(fails=True)
    assert f"{LAST} was taken out of the configuration: its host is made to leave" in said
    assert "put it back with lost: true, pulumi up, then take it out" in said
    living.configure(nodes=[*living.declared, node | {"lost": True}])
    living.up()
    living.take_out(LAST)
    living.up()
    living.preview()


def test_allow_unreachable_dials_no_node_that_it_leaves_out(living: FakeDeployment, fakes: Fleet) -> None:
    fakes[LAST].power_off()
    fakes.run(LEADER, f"docker node rm --force {LAST}")
    living.configure(allowUnreachable=True)
    living.up()
    fakes[LAST].power_on()
    assert "joins" in living.preview(changes=True)

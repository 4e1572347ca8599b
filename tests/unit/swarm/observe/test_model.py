"""The words for what is: whose view of a swarm counts, and what a host is to us that doesn't let us in."""

from dataclasses import replace

import pytest

from swarm.observe.model import KEY_CHANGED, Cluster, Host, views
from tests.unit.builders import cluster, entry, idle, leaderless, member, silent, stuck

NEW = cluster("m1 m2 w1", index=9)
OLD = cluster("m1 m2", index=5)
LED_BY_M2 = cluster("", entry("m1", leader=False), entry("m2", leader=True), index=7)


@pytest.mark.parametrize(
    ("hosts", "counts"),
    [
        ([member("m1", OLD), member("m2", NEW)], OLD),
        ([member("m2", NEW), member("m1", OLD)], OLD),
        ([member("m2", NEW), member("m3", OLD)], NEW),
        ([member("m3", OLD), member("m2", NEW)], NEW),
        ([member("m1", OLD), member("m2", LED_BY_M2)], LED_BY_M2),
        ([silent("m1"), member("m2", OLD), idle("w1")], OLD),
    ],
    ids=[
        "the leader's, though another is newer by index",
        "the leader's, whatever the order",
        "the newest of others",
        "the newest of others, whatever the order",
        "the newest of two that take themselves for the leader",
        "the only one",
    ],
)
def test_of_each_swarm_the_leader_s_view_counts_or_the_newest(hosts: list[Host], counts: Cluster) -> None:
    assert views({host.name: host for host in hosts}) == {"ours": counts}


def test_each_swarm_has_a_view() -> None:
    theirs = replace(OLD, id="theirs")
    assert views({"m1": member("m1", OLD), "m2": member("m2", theirs)}) == {"ours": OLD, "theirs": theirs}
    assert views({"m1": silent("m1"), "w1": idle("w1")}) == {}


@pytest.mark.parametrize(
    ("host", "leads"),
    [
        (member("m1", NEW), True),
        (member("m2", NEW), False),
        (member("w1", NEW), False),
        (member("m1", NEW, node_id="id-m9"), False),
        (leaderless("m1", node_id="id-m1"), False),
        (idle("m1"), False),
        (silent("m1"), False),
    ],
    ids=["the leader", "another manager", "a worker", "another", "without a leader", "in no swarm", "silent"],
)
def test_a_host_leads_where_its_own_view_says_so(host: Host, leads: bool) -> None:
    assert host.leads is leads


@pytest.mark.parametrize(
    ("problem", "refuses", "alarming"),
    [
        (None, False, False),
        ("it gave no answer within 8 s", False, False),
        ("ssh: connect to host 10.0.0.11 port 22: Connection refused", False, False),
        ("ssh: connect to host 10.0.0.11 port 22: No route to host", False, False),
        ("the SSH session ended early", False, False),
        ("its Docker Engine gives no answer: Cannot connect to the Docker daemon", False, False),
        ("root@10.0.0.11: Permission denied (publickey).", True, False),
        ("Host key verification failed.", True, False),
        ("No ED25519 host key is known for 10.0.0.11 and you have requested strict checking.", True, False),
        ("Received disconnect from 10.0.0.11 port 22:2: Too many authentication failures", True, False),
        (
            "its Docker Engine gives no answer: permission denied while trying to connect to the Docker API",
            True,
            False,
        ),
        (
            f"{KEY_CHANGED}: it isn't the one in knownHostsFile, and somebody else may answer there",
            True,
            True,
        ),
    ],
)
def test_a_host_that_turns_us_away_is_told_from_one_that_is_silent(
    problem: str | None, refuses: bool, alarming: bool
) -> None:
    host = Host("m1", problem=problem)
    assert (host.refuses, host.alarming) == (refuses, alarming)


@pytest.mark.parametrize(
    ("host", "is_member"),
    [
        (idle("w1"), False),
        (stuck("w1"), False),
        *((idle("w1", state=state), True) for state in ("pending", "active", "error", "locked")),
    ],
)
def test_a_host_is_a_member_in_whatever_state_its_membership_is(host: Host, is_member: bool) -> None:
    assert host.member is is_member

"""The words for what is: whose view of a swarm counts."""

from dataclasses import replace

import pytest

from components.observation import views
from tests.unit.builders import cluster, entry, idle, member, silent

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
def test_of_each_swarm_the_leader_s_view_counts_or_the_newest(hosts, counts):
    assert views({host.name: host for host in hosts}) == {"ours": counts}


def test_each_swarm_has_a_view():
    theirs = replace(OLD, id="theirs")
    assert views({"m1": member("m1", OLD), "m2": member("m2", theirs)}) == {"ours": OLD, "theirs": theirs}
    assert views({"m1": silent("m1"), "w1": idle("w1")}) == {}

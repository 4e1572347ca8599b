"""Elections on a lab: the Leader's engine is killed, and what is measured is an election."""

from __future__ import annotations

import asyncio

from benchmarks.elections.measuring import FAULTS, measure, settled
from benchmarks.pulumi import plain_script
from tests.integration.deployment import temporary


def test_a_killed_leader_is_followed_by_another_that_takes_writes() -> None:
    with temporary("election", 3, 0) as lab:
        plain_script(lab)
        old = asyncio.run(settled(lab))[0]
        calm, killed = measure(lab, {"killed": FAULTS["killed"]}, 1)
        new, *others = asyncio.run(settled(lab))
    assert calm.leader
    assert killed.leader
    assert killed.write
    # Without a fault a Leader is seen at once; with one, not before raft's shortest time-out.
    assert 0 < calm.leader < killed.leader
    assert killed.leader > 7
    assert killed.write >= killed.leader - 1
    # The other leads, and the one that was killed is among the managers again.
    assert old != new
    assert old in others

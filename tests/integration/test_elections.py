"""Elections on a lab: the Leader's engine is killed, and what is measured is an election."""

from __future__ import annotations

import asyncio

from lab import Lab
from operations.bench import plain_script
from operations.elections.measuring import FAULTS, measure, settled


def test_a_killed_leader_is_followed_by_another_that_takes_writes() -> None:
    lab = Lab.for_tests("election")
    try:
        lab.up(3, 0)
        plain_script(lab)
        old = asyncio.run(settled(lab))[0]
        calm, killed = measure(lab, {"killed": FAULTS["killed"]}, 1)
        new, *others = asyncio.run(settled(lab))
    finally:
        lab.down()
    # Without a fault a Leader is seen at once; with one, not before raft's shortest time-out.
    assert 0 < calm.leader < 3
    assert killed.leader > 7
    assert killed.write >= killed.leader - 1
    # The other leads, and the one that was killed is among the managers again.
    assert old != new
    assert old in others

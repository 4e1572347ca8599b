"""A round of the bench, on a small lab."""

from __future__ import annotations

from pathlib import Path

from benchmarks import pulumi
from benchmarks.pulumi import Project, one_round
from tests.integration.deployment import temporary


def test_a_round_of_the_bench_has_every_row_and_leaves_no_swarm(tmp_path: Path) -> None:
    empty = Project(tmp_path / "empty", '"""Nothing."""\n')
    empty.up()
    with temporary("bench", 1, 2) as lab:
        seconds = dict(one_round(1, lab, Project(tmp_path / "swarm"), empty))
        states = [
            lab.run(node.name, "docker info --format '{{.Swarm.LocalNodeState}}'") for node in lab.nodes
        ]
    rows = {
        pulumi.SCRIPT,
        pulumi.UP,
        pulumi.EMPTY,
        pulumi.CLEAN,
        pulumi.DEMO_UP,
        pulumi.DEMO_CLEAN,
        pulumi.DESTROY,
    }
    assert seconds.keys() == rows
    assert all(took > 0 for took in seconds.values())
    assert {state.strip() for state in states} == {"inactive"}

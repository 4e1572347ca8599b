"""Fixtures of tests on fake hosts: five that are declared, two that aren't; our swarm on them, or none. A
module that imports them has a fleet of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.deployment import FakeDeployment, Moment
from tests.fakes.fleet import Fleet, fleet

LEADER, SECOND, THIRD = (f"swarm-manager-0{n}" for n in (1, 2, 3))
WORKER, LAST = "swarm-worker-01", "swarm-worker-02"
THEIRS, THEIR_WORKER = "their-manager-01", "their-worker-01"


@pytest.fixture(scope="module")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Five hosts that are declared, two that aren't."""
    with fleet(tmp_path_factory.mktemp("fleet"), 3, 2) as made:
        made.add(THEIRS)
        made.add(THEIR_WORKER)
        yield made


@pytest.fixture(scope="module")
def stack(fakes: Fleet, tmp_path_factory: pytest.TempPathFactory) -> tuple[FakeDeployment, Moment]:
    """A stack whose swarm lives."""
    fakes.restore()
    made = FakeDeployment(fakes, tmp_path_factory.mktemp("project"))
    made.hurry(STEADY_SECONDS=2, BRIEF_SECONDS=2)
    made.up()
    return made, made.save(tmp_path_factory.mktemp("moment"))


@pytest.fixture
def living(stack: tuple[FakeDeployment, Moment], fakes: Fleet) -> FakeDeployment:
    """Our swarm lives, and no host was asked anything yet."""
    deployment, moment = stack
    deployment.restore(moment)
    return deployment


@pytest.fixture
def fresh(fakes: Fleet, tmp_path: Path) -> FakeDeployment:
    """Nothing lives, and the state is empty."""
    fakes.restore()
    return elsewhere(fakes, tmp_path)


def elsewhere(fakes: Fleet, folder: Path) -> FakeDeployment:
    """A stack of the same name, with a state of its own: another team's, or another laptop's."""
    made = FakeDeployment(fakes, folder)
    made.hurry(STEADY_SECONDS=2, BRIEF_SECONDS=2)
    return made

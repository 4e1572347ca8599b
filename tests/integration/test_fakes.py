"""The fake hosts: the project's commands work on them, and what they claim of the engine is so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.deployment import FakeDeployment
from tests.fakes.fleet import Fleet, fleet


@pytest.fixture(scope="module")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.fixture
def deployment(fakes: Fleet, tmp_path: Path) -> FakeDeployment:
    fakes.restore()
    return FakeDeployment(fakes, tmp_path)


def test_up_preview_and_destroy(deployment: FakeDeployment, fakes: Fleet) -> None:
    deployment.up()
    swarm = fakes["swarm-manager-01"].swarm
    assert swarm is not None
    assert {node.hostname for node in swarm.nodes.values()} == set(fakes.hosts)
    deployment.preview()
    deployment.destroy()
    assert {host.engine.state for host in fakes.hosts.values()} == {"inactive"}
    assert not fakes.world.swarms


def test_a_moment_comes_back(deployment: FakeDeployment, fakes: Fleet, tmp_path: Path) -> None:
    deployment.up()
    moment = deployment.save(tmp_path / "moment")
    deployment.destroy()
    deployment.restore(moment)
    deployment.preview()
    assert not any(host.changes() for host in fakes.hosts.values())

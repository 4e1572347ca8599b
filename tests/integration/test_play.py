"""The play on a running swarm: it passes its own checks, and all is as it was afterwards."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from tests.integration.deployment import ROOT, Deployment


@dataclass(frozen=True)
class Played:
    """A deployment on which the play was given, and what was there before."""

    deployment: Deployment
    declared: str  # its configuration
    services: str  # their IDs


@pytest.fixture(scope="module")
def played(deployment: Deployment) -> Played:
    """The play has gone well."""
    deployment.up()
    before = Played(deployment, deployment.config_file.read_text(), deployment.docker("service ls --quiet"))
    (deployment.folder / "docs" / "reports").mkdir(parents=True)
    done = deployment.run(sys.executable, "-m", "acceptance.play", deployment.stack, PYTHONPATH=str(ROOT))
    assert done.returncode == 0, done.stdout
    return before


def test_its_page_tells_what_was_seen_and_nothing_of_this_computer(played: Played) -> None:
    page = (played.deployment.folder / "docs" / "reports" / "play.md").read_text()
    assert "the update was seen `updating`, then `completed`" in page
    assert str(played.deployment.folder) not in page
    assert page.rstrip().endswith("the preview finds nothing to change")


def test_the_configuration_and_the_services_are_as_they_were(played: Played) -> None:
    assert played.deployment.config_file.read_text() == played.declared
    assert played.deployment.docker("service ls --quiet") == played.services


def test_all_nodes_take_part_and_a_preview_finds_nothing_to_do(played: Played) -> None:
    assert set(played.deployment.roles().values()) == {"Leader", "Reachable", ""}
    played.deployment.preview()

"""The play on a running swarm: it passes its own checks, and all is as it was afterwards."""

from __future__ import annotations

import sys

from tests.integration.deployment import ROOT, Deployment


def test_the_play_goes_well_and_leaves_all_as_it_was(deployment: Deployment) -> None:
    deployment.up()
    declared = deployment.config_file.read_text()
    services = deployment.docker("service ls --quiet")
    (deployment.folder / "docs").mkdir()

    done = deployment.run(sys.executable, "-m", "operations.play", deployment.stack, PYTHONPATH=str(ROOT))

    assert done.returncode == 0, done.stdout
    assert deployment.config_file.read_text() == declared
    assert deployment.docker("service ls --quiet") == services
    assert set(deployment.roles().values()) == {"Leader", "Reachable", ""}
    page = (deployment.folder / "docs" / "play.md").read_text()
    assert "the update was seen `updating`, then `completed`" in page
    assert str(deployment.folder) not in page
    deployment.preview()

"""`pulumi up` is killed at one moment or another: the next `make up` converges."""

from __future__ import annotations

import os
import signal

import pytest

from operations import pulumi_cli
from tests.integration.deployment import Deployment


@pytest.mark.parametrize(
    "moment",
    [
        "swarm-worker-02-membership creating",
        "demo_redis creating",
        "demo-settle creating",
    ],
)
def test_up_after_a_kill_converges(deployment: Deployment, moment: str) -> None:
    engine = deployment.start(*pulumi_cli.UP)
    assert engine.stdout
    said = []
    for line in engine.stdout:
        said.append(line)
        if moment in line:
            break
    else:
        pytest.fail("the up ended before the moment came:\n" + "".join(said))
    if moment == "demo_redis creating":
        # The provider reads it for two seconds more: there, but not in the state.
        while "demo_redis" not in deployment.docker("service ls"):
            assert engine.poll() is None
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()

    recovered = deployment.operation("recover")
    assert recovered.returncode == 0, recovered.stdout
    assert "removed the lock" in recovered.stdout
    assert "ended pulumi-" in recovered.stdout
    there = "created demo_redis: that is there, and taken into the state" in recovered.stdout
    assert there == (moment == "demo_redis creating")
    deployment.up()
    assert len(deployment.node_list()) == 6
    assert deployment.operation("recover").stdout == ""
    deployment.destroy()

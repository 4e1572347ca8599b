"""A destroy while hosts are down: the others leave, those are listed with what to run on them."""

from __future__ import annotations

import re

import pytest

from tests.integration.deployment import Deployment
from tests.integration.drift import started, stopped

DEMO = {"name": "demo", "compose": "stacks/demo.yaml"}
REMEDY = "If it comes back as a member of this one, run on it: docker swarm leave --force"
INACTIVE = "docker info --format '{{.Swarm.LocalNodeState}}'"


@pytest.mark.parametrize(
    ("down", "stacks"),
    [
        (("swarm-manager-03", "swarm-worker-01"), []),
        (("swarm-manager-01",), []),
        (("swarm-manager-02", "swarm-manager-03", "swarm-worker-03"), [DEMO]),
    ],
    ids=["a manager and a worker are down", "the leader's host is down", "the quorum is lost, with services"],
)
def test_a_destroy_copes_with_dead_hosts(
    deployment: Deployment, down: tuple[str, ...], stacks: list[dict[str, str]]
) -> None:
    deployment.configure(stacks=stacks)
    deployment.up()
    stopped(*down)(deployment)
    try:
        output = deployment.destroy(down=down)
        assert deployment.resources() == []
        for name in deployment.names:
            listed = re.search(rf"{name} \(\S+\) was not made to leave its swarm: .*{REMEDY}", output)
            assert bool(listed) == (name in down), output
            if name not in down:
                assert deployment.lab.run(name, INACTIVE).strip() == "inactive"
    finally:
        started(*down)(deployment, "")
        for name in down:
            deployment.lab.run(name, "docker swarm leave --force")
        deployment.restart_broken_engines(down)

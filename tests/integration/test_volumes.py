"""A named volume is its node's: it outlives its task; a task that moves finds another, empty one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.deployment import Deployment

STORE = """
services:
  store:
    image: redis:${VERSION:-7.0.15}
    volumes: [kept:/data]
    stop_grace_period: 5s
    deploy: {placement: {constraints: ["node.hostname == ${NODE}"]}}
volumes: {kept: {}}
"""


class Store:
    """A stack with a Redis that keeps its data in a volume, on a node of our choice."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self.deployment, self.file = deployment, folder / "store.yaml"
        self.file.write_text(STORE)

    def up(self, node: str, **variables: str) -> None:
        stack = {"name": "keep", "compose": str(self.file), "variables": {"NODE": node, **variables}}
        self.deployment.configure(stacks=[stack])
        self.deployment.up()

    def redis(self, node: str, command: str) -> str:
        """What Redis answers, in the task's container on the node."""
        found = "$(docker ps -q --filter label=com.docker.swarm.service.name=keep_store)"
        return self.deployment.lab.run(node, f"docker exec {found} redis-cli {command}").strip()


@pytest.fixture(scope="module")
def store(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Store:
    nodes = deployment.nodes()
    deployment.configure(nodes=[nodes[0], *nodes[-2:]])
    return Store(deployment, tmp_path_factory.mktemp("files"))


def test_data_stays_on_its_node_over_an_update_and_is_missed_on_another(store: Store) -> None:
    here, there = store.deployment.names[-2:]
    store.up(here)
    store.redis(here, "set greeting hello")
    store.redis(here, "save")
    store.up(here, VERSION="8.0.2")
    assert store.redis(here, "get greeting") == "hello", "after an update of the image"
    store.up(there, VERSION="8.0.2")
    assert store.redis(there, "get greeting") == "", "another node has a volume of its own, empty"
    store.up(here, VERSION="8.0.2")
    assert store.redis(here, "get greeting") == "hello", "the volume waited on its node"
    store.deployment.configure(stacks=[])
    store.deployment.up()
    assert "keep_kept" in store.deployment.lab.run(here, "docker volume ls -q"), "and outlives the stack"
    # The container of its last task may be in its way for a moment.
    store.deployment.until("docker volume rm keep_kept", here)

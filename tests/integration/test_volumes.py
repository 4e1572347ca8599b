"""A named volume is its node's: it outlives its task; a task that moves finds another, empty one. The tests
follow on each other."""

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


def test_data_stays_over_an_update_of_the_image(store: Store) -> None:
    here = store.deployment.names[-2]
    store.up(here)
    store.redis(here, "set greeting hello")
    store.redis(here, "save")
    store.up(here, VERSION="8.0.2")
    assert store.redis(here, "get greeting") == "hello"


def test_another_node_has_an_empty_volume_and_the_first_one_waits_on_its_own(store: Store) -> None:
    here, there = store.deployment.names[-2:]
    store.up(there, VERSION="8.0.2")
    assert store.redis(there, "get greeting") == ""
    store.up(here, VERSION="8.0.2")
    assert store.redis(here, "get greeting") == "hello"


def test_a_volume_outlives_its_stack(store: Store) -> None:
    here = store.deployment.names[-2]
    store.deployment.configure(stacks=[])
    store.deployment.up()
    assert "keep_kept" in store.deployment.lab.run(here, "docker volume ls -q")
    # The container of its last task may be in its way for a moment.
    store.deployment.until("docker volume rm keep_kept", here)

"""Drift of services, row by row: a plain preview sees it, and an up repairs it."""

from __future__ import annotations

import pytest
import yaml

from tests.integration import drift
from tests.integration.deployment import Deployment, changed
from tests.integration.drift import REPAIRED, Row

SHOP = {
    "services": {
        "cache": {
            "image": "redis:7.0.15",
            "networks": ["back"],
            "secrets": ["key"],
            "configs": ["site"],
            "deploy": {"replicas": 2},
        },
    },
    "networks": {"back": {}},
    "secrets": {"key": {"file": "key"}},
    "configs": {"site": {"file": "site"}},
}


@pytest.fixture(scope="module")
def shop(deployment: Deployment) -> Deployment:
    """One manager, two workers, and the shop."""
    (deployment.folder / "shop.yaml").write_text(yaml.safe_dump(SHOP))
    for name in ("key", "site"):
        (deployment.folder / name).write_text(f"the {name}")
    nodes = {node["name"]: node for node in deployment.nodes()}
    deployment.configure(
        nodes=[nodes[name] for name in ("swarm-manager-01", "swarm-worker-01", "swarm-worker-02")],
        stacks=[{"name": "shop", "compose": "shop.yaml"}],
    )
    deployment.up()
    return deployment


@pytest.mark.parametrize("row", drift.SERVICE_ROWS, ids=[row.what for row in drift.SERVICE_ROWS])
def test_drift(shop: Deployment, row: Row) -> None:
    node = row.happen(shop)
    try:
        output = shop.preview(changes=row.answer == REPAIRED)
        assert row.said(output, node), output
        planned = set().union(*changed(output).values())
        assert planned == row.resources(node, shop.names), output
        if row.answer == REPAIRED:
            assert set().union(*changed(shop.up()).values()) == planned, "an up does what its preview said"
            shop.preview()
    finally:
        if row.heal:
            row.heal(shop, node)
    if row.heal:
        shop.preview()
    running = "service ps --filter desired-state=running --format '{{.Image}} {{.CurrentState}}' shop_cache"
    tasks = shop.docker(running).splitlines()
    assert len(tasks) == 2
    assert all(task.startswith("redis:7.0.15 Running") for task in tasks), tasks

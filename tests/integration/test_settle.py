"""Services that don't settle: the up fails and says why, no preview is clean, a mended file converges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab import Lab
from tests.integration.deployment import Deployment, temporary

WHOLE = {"image": "redis:7.0.15", "deploy": {"replicas": 2}}
# It isn't started again in this test's time: what just starts runs, for a moment.
EXITS = {
    "image": "redis:7.0.15",
    "command": ["sh", "-c", "echo out of luck; exit 3"],
    "deploy": {"restart_policy": {"delay": "1h"}},
}


def placed(constraint: str, replicas: int = 2) -> dict[str, Any]:
    """A service that is whole where nodes satisfy the constraint."""
    return {**WHOLE, "deploy": {"replicas": replicas, "placement": {"constraints": [constraint]}}}


NOWHERE, SOMEWHERE = placed("node.labels.disk == none"), placed("node.role == worker")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One manager and two workers."""
    with temporary("settle", 1, 2) as made:
        yield made


def declare(deployment: Deployment, **services: Any) -> Deployment:
    """Writes the stack's file with these services."""
    (deployment.folder / "app.yaml").write_text(yaml.safe_dump({"services": services}))
    deployment.configure(stacks=[{"name": "app", "compose": "app.yaml"}])
    return deployment


@pytest.fixture
def mended(deployment: Deployment) -> Deployment:
    """With a file that is right the services converge, whatever was wrong with them before."""
    declare(deployment, missing=WHOLE, exits=WHOLE, nowhere=SOMEWHERE, kept=WHOLE).up()
    deployment.preview()
    return deployment


def test_each_service_is_told_with_its_task_node_message_exit_code_and_last_lines(
    deployment: Deployment,
) -> None:
    missing = {"image": "redis:no-such-tag"}
    output = declare(deployment, missing=missing, exits=EXITS, nowhere=NOWHERE, kept=WHOLE).up(fails=True)
    # Whichever fails for good first ends the wait; the others are told as they are then.
    told = re.findall(r"service app_(\w+) (?:doesn't settle|hasn't settled)", output)
    assert set(told) == {"missing", "exits", "nowhere"}, output
    assert "app_missing.1 on swarm-worker-0" in output
    assert "No such image: redis:no-such-tag" in output
    assert "app_exits.1 on swarm-worker-0" in output
    assert "task: non-zero exit (3)" in output
    assert "its last lines, in its own words:\n" in output
    assert "out of luck" in output
    assert "no suitable node (scheduling constraints not satisfied on 2 nodes" in output
    assert "app-settle" in deployment.preview(changes=True)


@pytest.mark.full  # previews wait for what can't be whole
def test_a_service_that_no_node_can_take_is_told_before_the_time_is_over(deployment: Deployment) -> None:
    output = declare(deployment, nowhere=NOWHERE, kept=WHOLE).up(fails=True)
    assert "service app_nowhere doesn't settle after 4" in output
    assert "no suitable node for a task" in output
    assert "app-settle" in deployment.preview(changes=True)


@pytest.mark.full  # previews wait for what can't be whole
def test_an_update_that_pauses_fails_the_up_and_is_no_clean_preview(mended: Deployment) -> None:
    broken = {**WHOLE, "image": "redis:no-such-tag"}
    output = declare(mended, missing=WHOLE, exits=WHOLE, nowhere=SOMEWHERE, kept=broken).up(fails=True)
    assert "service app_kept doesn't settle" in output
    assert "1/2 tasks run, paused: update paused due to failure or early termination of task" in output
    assert "No such image: redis:no-such-tag" in output
    assert "app-settle" in mended.preview(changes=True)


def test_an_update_that_is_rolled_back_fails_the_up_and_is_no_clean_preview(mended: Deployment) -> None:
    rolls_back = {"replicas": 2, "update_config": {"failure_action": "rollback"}}
    broken = {"image": "redis:no-such-tag", "deploy": rolls_back}
    output = declare(mended, missing=WHOLE, exits=WHOLE, nowhere=SOMEWHERE, kept=broken).up(fails=True)
    assert "service app_kept doesn't settle" in output
    assert "2/2 tasks run, rollback_completed" in output
    assert "No such image: redis:no-such-tag" in output
    running = mended.docker("service ps --filter desired-state=running --format '{{.Image}}' app_kept")
    assert set(running.split()) == {"redis:7.0.15"}
    assert "app_kept" in mended.preview(changes=True)


def test_a_rollback_of_an_earlier_day_fails_no_up_of_another_service(mended: Deployment) -> None:
    mended.docker("service update --detach --update-failure-action rollback app_kept")
    mended.docker("service update --detach --image redis:no-such-tag app_kept")
    state = "docker service inspect --format '{{.UpdateStatus.State}}' app_kept"
    mended.until(f'[ "$({state})" = rollback_completed ]')
    fewer = placed("node.role == worker", replicas=1)
    declare(mended, missing=WHOLE, exits=WHOLE, nowhere=fewer, kept=WHOLE).up()
    mended.preview()

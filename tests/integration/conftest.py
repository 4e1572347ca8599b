"""Fixtures: a lab of this process, and a stack on it; and how the tests are shared out to processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from lab import Lab
from tests.integration.deployment import Deployment, deployment_on, temporary

# Modules that take five minutes or more: a process that ends with one of them is alone with it. The play,
# which is about who answers in time, comes beside those that mostly wait.
LONG = (
    "test_play",
    "test_stacks_life",
    "test_settle",
    "test_drift",
    "test_life",
    "test_nodes",
    "test_drift_services",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long modules first, all else in its order."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


class BySwarm(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist's modules tell no types
    """Has the tests that share a swarm run in one process: those of a module; in the longest one, drift's,
    those of each size of the group of managers."""

    def _split_scope(self, nodeid: str) -> str:
        module, _, test = nodeid.partition("::")
        size = re.search(r", (\d managers)\]$", test)
        return f"{module}, {size[1]}" if size else module

    def _reschedule(self, node: Any) -> None:
        """Gives a process its next module when it has one test left, the fewest with which it can be told;
        pytest-xdist does with two, and that test may take minutes."""
        if not self.workqueue or self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySwarm:
    """How pytest-xdist shares out the tests."""
    return BySwarm(config, log)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Six hosts, named after this process."""
    with temporary("", 3, 3) as made:
        yield made


@pytest.fixture(scope="module")
def deployment(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack of this module."""
    with deployment_on(lab, tmp_path_factory.mktemp("project")) as made:
        yield made

"""Fixtures: a lab of this process, and a stack on it; and how the tests are shared out to processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Lab
from tests.integration.deployment import Deployment, deployment_on, temporary


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has the tests of a module share a process, and so its stack, unless they say otherwise."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


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

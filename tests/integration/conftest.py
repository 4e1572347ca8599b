"""Fixtures: a lab of this process, and a stack on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Lab
from tests.integration.deployment import Deployment, deployment_on, temporary


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

"""Fixtures: a lab of this process, and a stack on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Lab
from tests.integration.deployment import Deployment


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Six hosts, named after this process."""
    made = Lab.for_tests()
    try:
        made.up(3, 3)
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def deployment(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack that isn't deployed yet; its hosts are out of any swarm in the end."""
    made = Deployment(lab, tmp_path_factory.mktemp("project"))
    yield made
    made.destroy()

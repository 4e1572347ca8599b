"""Fifty hosts on one computer: a swarm is made, probed, enlarged and taken away, three times in a row.

It is for a machine that does nothing else meanwhile: `make test-all` runs it last and alone. By itself:
`. ./env.sh; pytest -s tests/integration/test_fifty.py`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.deployment import Deployment, deployment_on, temporary
from tests.integration.test_life import DEMO, OUTSIDE, replicas

MANAGERS, WORKERS = 5, 45
ROUNDS = 3

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack on fifty hosts, and one host more that isn't declared yet."""
    with (
        temporary("fifty", MANAGERS, WORKERS + 1) as lab,
        deployment_on(lab, tmp_path_factory.mktemp("project")) as made,
    ):
        yield made


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Tells how long something took; seen with `pytest -s`."""
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def standing(deployment: Deployment) -> Counter[tuple[str, str]]:
    """How many nodes have a status and a manager status, by the managers' list."""
    return Counter((node["Status"], node["ManagerStatus"]) for node in deployment.node_list())


def complete(nodes: int) -> Counter[tuple[str, str]]:
    """What is to be seen of so many nodes."""
    return Counter(
        {("Ready", "Leader"): 1, ("Ready", "Reachable"): MANAGERS - 1, ("Ready", ""): nodes - MANAGERS}
    )


@pytest.mark.parametrize("turn", range(1, ROUNDS + 1))
def test_fifty_hosts_become_a_swarm_that_grows_and_goes(fifty: Deployment, turn: int) -> None:
    everyone = fifty.nodes()
    fifty.configure(nodes=everyone[:-1])
    with timed(f"turn {turn}: up of {len(everyone) - 1}"):
        fifty.up()
    assert standing(fifty) == complete(len(everyone) - 1)
    assert replicas(fifty) == DEMO
    with timed(f"turn {turn}: preview"):
        fifty.preview()

    fifty.configure(nodes=everyone)
    with timed(f"turn {turn}: one more"):
        fifty.up()
    assert standing(fifty) == complete(len(everyone))
    with timed(f"turn {turn}: preview"):
        fifty.preview()

    with timed(f"turn {turn}: destroy"):
        fifty.destroy()
    assert fifty.resources() == []
    states = (fifty.docker("info --format '{{.Swarm.LocalNodeState}}'", node["name"]) for node in everyone)
    assert {state.strip() for state in states} == {OUTSIDE}

"""Drift of nodes, row by row: seen by a preview, then repaired, refused or left alone by an up."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab import Lab
from tests.integration import drift
from tests.integration.deployment import Deployment, changed, deployment_on
from tests.integration.drift import NOTHING, REFUSED, REPAIRED, REPORTED, Row

ANSWER_SECONDS = 15
# Every row on three managers, and on one and five those for which that makes a difference; the others
# belong to the full matrix.
CASES = [
    pytest.param(
        size,
        row,
        id=f"{row.what}, {size} managers",
        marks=() if size == 3 or row.depends else pytest.mark.full,
    )
    for size in (3, 1, 5)
    for row in drift.ROWS
    if size in row.sizes
]


@pytest.fixture(scope="module")
def swarm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with deployment_on(lab, tmp_path_factory.mktemp("project")) as deployment:
        yield Swarm(deployment)
    lab.up(3, 3)


class Swarm:
    """A stack of nodes without services of its own; a service made by hand shows what is untouched."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.managers = deployment, 0

    def have(self, managers: int) -> Deployment:
        """A whole swarm of this many managers, and two workers."""
        made = self.deployment
        if managers != self.managers:
            made.lab.up(max(managers, 3), 3)
            kept = [node for node in made.nodes() if node["role"] != "worker"][:managers]
            workers = [node for node in made.nodes() if node["role"] == "worker"][:2]
            workers[0]["labels"] = {"disk": "ssd"}
            made.configure(stacks=[], nodes=[*kept, *workers])
            made.up()
            self.managers = managers
        if "untouched" not in made.docker("service ls --format '{{.Name}}'"):
            made.docker("service create --detach --name untouched --mode global redis:7.0.15")
        return made


def identities(deployment: Deployment) -> dict[str, str]:
    """The node IDs by name, and the IDs of the tasks that run there."""
    found = {node["Hostname"]: node["ID"] for node in deployment.node_list()}
    deployment.until(
        "[ -z \"$(docker service ps --filter desired-state=running --format '{{.CurrentState}}' untouched"
        ' | grep -v ^Running)" ]'
    )
    listed = deployment.docker(
        "service ps --filter desired-state=running --format '{{.Node}} {{.ID}}' untouched"
    )
    return found | {f"task on {node}": task for node, task in map(str.split, listed.splitlines())}


@pytest.mark.parametrize(("managers", "row"), CASES)
def test_drift(swarm: Swarm, managers: int, row: Row) -> None:
    deployment = swarm.have(managers)
    before = identities(deployment)
    node = row.happen(deployment)
    try:
        began = time.monotonic()
        output = deployment.preview(changes=row.answer in (REPAIRED, REFUSED))
        took = time.monotonic() - began
        assert row.said(output, node), output
        planned = set().union(*changed(output).values())
        assert planned == row.resources(node, deployment.names), output
        if row.answer == REPAIRED:
            output = deployment.up()
            assert set().union(*changed(output).values()) == planned, output
            deployment.preview()
        elif row.answer != NOTHING and managers == 3:
            assert changed(deployment.up(fails=row.answer == REFUSED)) == {}
        if row.happen is drift.sshd_frozen:
            assert took < ANSWER_SECONDS
        if row.answer in (REPAIRED, NOTHING) and "*-membership" not in row.touches:
            assert untouched(before, row, node).items() <= identities(deployment).items()
    finally:
        if row.heal:
            row.heal(deployment, node)
    if row.answer == REPORTED:
        assert "left alone" not in deployment.preview()
    elif row.heal:
        deployment.up()
    whole(deployment)


def untouched(before: dict[str, str], row: Row, node: str) -> dict[str, str]:
    """The identities that must be as before: all, but for a node that joins anew, and tasks that move."""
    gone = {node} if row.anew else set()
    if row.anew or row.moves:
        gone |= {name for name in before if name.startswith("task on ") and node in (name[8:], drift.EVERY)}
    return {name: one for name, one in before.items() if name not in gone}


def whole(deployment: Deployment) -> None:
    """The nodes are Ready in their roles, each once."""
    listed = deployment.node_list()
    assert sorted(node["Hostname"] for node in listed) == sorted(n["name"] for n in deployment.declared)
    assert {node["Status"] for node in listed} == {"Ready"}
    managers = {node["Hostname"] for node in listed if node["ManagerStatus"]}
    assert managers == {node["name"] for node in deployment.declared if node["role"] != "worker"}

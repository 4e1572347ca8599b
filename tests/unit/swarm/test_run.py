"""What a run decides is the same for `pulumi up` and for every operation."""

import json
from pathlib import Path
from typing import Any

import pytest

from components import state
from operations import stack
from swarm import faults, run, ssh
from swarm.declare import compose, load
from swarm.declare.compose import File
from swarm.observe import probe
from tests.unit.builders import OWNER, cluster, declared, observed
from tests.unit.given import Program

SETTINGS = declared("m1 w1")
STACK = compose.Stack("demo", (), (), secrets=(File("key", external="key"),))
URN = "urn:pulumi:lab::swarm::swarm:index:Cluster::swarm"
CLUSTER = {"urn": URN, "type": state.CLUSTER, "outputs": {"owner": OWNER}}
PULUMI = """#!/bin/sh
case $1 in
config) echo '{"a": {"objectValue": [1], "secret": false}, "b": {"value": "hidden", "secret": true}}' ;;
stack) cat <<'END'
EXPORT
END
esac
"""


@pytest.fixture
def world(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str | None]:
    """A configuration, a state and hosts; gives what is written of control."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(faults, "_hidden", set())
    program("pulumi", PULUMI.replace("EXPORT", json.dumps({"deployment": {"resources": [CLUSTER]}})))
    controls: list[str | None] = []
    monkeypatch.setattr(ssh, "write_config", lambda _, control=None: controls.append(control))
    monkeypatch.setattr(probe, "observe", lambda *_, **__: observed(SETTINGS, cluster("m1 w1")))
    return controls


@pytest.mark.parametrize("stacks", [[], [STACK]], ids=["accepted", "refused"])
def test_an_operation_sees_the_plan_that_an_up_sees(
    world: list[str | None], monkeypatch: pytest.MonkeyPatch, stacks: list[compose.Stack]
) -> None:
    given = []

    def give(*arguments: Any) -> Any:
        given.append(arguments)
        return SETTINGS, stacks

    monkeypatch.setattr(load, "load", give)
    theirs = stack.prepare("lab")
    [(values, _, project, name, secret)] = given
    assert (values, project, name, secret) == ({"a": [1], "b": "hidden"}, "swarm", "lab", ["b"])
    resources: Any = [(CLUSTER["urn"], CLUSTER["type"], CLUSTER["outputs"])]
    up = run.prepare(SETTINGS, stacks, lambda: state.known(resources), lambda _: None)
    assert theirs == up
    assert ("the external secret key" in str(up.plan.refusals)) is bool(stacks)
    # A run that is refused takes nothing from an up beside it.
    assert world == ([None, None] if stacks else [None, "m1", None, "m1"])

"""Stacks from Compose files: the same as `docker stack deploy` makes of them, without a difference left.

The files in stacks/ are deployed both ways under the same names, one after the other, and what the swarm
has then is compared field by field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import Lab
from tests.integration.deployment import Deployment

FOLDER = Path(__file__).parent / "stacks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
Services = dict[str, dict[str, Any]]  # specs by full name


class Both:
    """What the swarm had of every file: from Pulumi, then from Docker's own client."""

    def __init__(self, ours: Services, theirs: Services) -> None:
        self.ours, self.theirs = ours, theirs


@pytest.fixture(scope="module")
def both(lab: Lab, deployment: Deployment) -> Both:
    nodes = deployment.nodes()
    files = [{"name": name, "compose": str(FOLDER / f"{name}.yaml")} for name in NAMES]
    deployment.configure(nodes=[nodes[0], nodes[-1]], stacks=files)
    deployment.up()
    deployment.preview()
    ours = specs(deployment)
    deployment.configure(stacks=[])
    deployment.up()
    assert deployment.docker("service ls -q") == ""
    for kind in ("network ls --filter driver=overlay --filter label=com.docker.stack.namespace",
                 "secret ls", "config ls --filter label=com.docker.stack.namespace"):  # fmt: skip
        assert deployment.docker(f"{kind} -q") == "", "taken out, whole"
    for file in (path for path in FOLDER.rglob("*") if path.is_file()):
        path = f"/root/stacks/{file.relative_to(FOLDER)}"
        lab.run(nodes[0]["name"], f"mkdir -p $(dirname {path}) && cat >{path}", input=file.read_text())
    for name in NAMES:
        deployment.docker(f"stack deploy --detach --compose-file /root/stacks/{name}.yaml {name}")
    theirs = specs(deployment)
    deployment.docker(f"stack rm --detach {' '.join(NAMES)}")
    return Both(ours, theirs)


def specs(deployment: Deployment) -> Services:
    """The specs of all services, with names instead of IDs, without what is said by absence too."""
    listed = json.loads(deployment.docker("service inspect $(docker service ls -q)"))
    networks = deployment.docker("network ls --no-trunc --format '{{.ID}} {{.Name}}'")
    names = dict(line.split() for line in networks.splitlines())
    found = {}
    for spec in (service["Spec"] for service in listed):
        task = spec["TaskTemplate"]
        for network in task.get("Networks") or ():
            network["Target"] = names[network["Target"]]
        for kind in ("Secret", "Config"):
            for one in task["ContainerSpec"].get(f"{kind}s") or ():
                del one[f"{kind}ID"]
                # Ours have a suffix, by which changed contents are told apart (ADR 7).
                one[f"{kind}Name"] = re.sub(r"-[0-9a-f]{7}$", "", one[f"{kind}Name"])
        # Docker's client asks the registry for the image's platforms; the provider can't, and the
        # scheduler does without. The provider says aloud that there is no init and the usual isolation.
        task.get("Placement", {}).pop("Platforms", None)
        task["ContainerSpec"].pop("Isolation", None)
        if not task["ContainerSpec"].get("Init"):
            task["ContainerSpec"].pop("Init", None)
        found[spec["Name"]] = told(spec)
    return found


def told(value: Any) -> Any:
    """A value without empty parts, its lists in order: none of those here is in an order that counts, but
    for commands, which are told by their words."""
    if isinstance(value, dict):
        parts = {
            key: told(one) if key not in ("Command", "Args", "Test") else one for key, one in value.items()
        }
        return {key: one for key, one in parts.items() if one not in (None, "", 0, False, [], {})}
    if isinstance(value, list):
        return sorted((told(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The values by their paths, so that a difference is told by its own."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from fields(f"{path}.{key}", one)
    else:
        yield path, value


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_is_what_docker_stack_deploy_makes_of_it(both: Both, name: str) -> None:
    ours, theirs = (
        {
            path: one
            for full, spec in specs.items()
            if full.startswith(f"{name}_")
            for path, one in fields(full, spec)
        }
        for specs in (both.ours, both.theirs)
    )
    assert theirs
    assert {path: one for path, one in ours.items() if theirs.get(path) != one} == {
        path: one for path, one in theirs.items() if ours.get(path) != one
    }

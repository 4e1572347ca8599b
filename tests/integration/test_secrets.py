"""Secrets and configs of a stack, in the order of the tests: given to tasks, rotated, removed by hand."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest
import yaml

from lab import Lab
from tests.integration.deployment import Deployment, changed, temporary
from tests.integration.test_life import tasks

FIRST = {name: f"the-first-{name}" for name in ("key", "site", "kept-key", "kept-site")}
SECOND = {name: f"the-second-{name}" for name in ("key", "site")}
APP = {
    "services": {
        "page": {"image": "redis:7.0.15", "networks": ["back"], "secrets": ["key"], "configs": ["site"]},
        "kept": {"image": "redis:7.0.15", "secrets": ["kept-key"], "configs": ["kept-site"]},
    },
    "networks": {"back": {}},
    "secrets": {name: {"file": f"files/{name}"} for name in ("key", "kept-key")},
    "configs": {name: {"file": f"files/{name}"} for name in ("site", "kept-site")},
}
KEPT = {"app_kept-key", "app_kept-site"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One manager and one worker."""
    with temporary("secrets", 1, 1) as made:
        yield made


@pytest.fixture(scope="module")
def app(deployment: Deployment) -> Deployment:
    """A stack of two services, each with a secret and a config; deployed."""
    (deployment.folder / "app.yaml").write_text(yaml.safe_dump(APP))
    (deployment.folder / "files").mkdir()
    write(deployment, FIRST)
    deployment.configure(stacks=[{"name": "app", "compose": "app.yaml"}])
    deployment.up()
    return deployment


def write(app: Deployment, contents: dict[str, str]) -> None:
    for name, content in contents.items():
        (app.folder / "files" / name).write_text(content)


def in_page(app: Deployment, command: str) -> str:
    """What a command prints in the page's container, which is on the worker."""
    task = "$(docker ps -q --filter label=com.docker.swarm.service.name=app_page)"
    return app.docker(f"exec {task} {command}", "swarm-worker-01")


def listed(app: Deployment) -> dict[str, str]:
    """The IDs of the stack's secrets and configs, by the names that they have before the suffix."""
    only = "--filter label=com.docker.stack.namespace=app --format '{{.Name}} {{.ID}}'"
    lines = (app.docker(f"secret ls {only}") + app.docker(f"config ls {only}")).splitlines()
    found = [line.split() for line in lines]
    assert all(re.fullmatch(r"app_.+-[0-9a-f]{7}", name) for name, _ in found)
    assert len(found) == 4
    return {name.rpartition("-")[0]: identity for name, identity in found}


def shows(text: str) -> list[str]:
    """The contents that are in a text, plain or as the provider takes them."""
    contents = [*FIRST.values(), *SECOND.values()]
    return [one for one in contents if one in text or base64.b64encode(one.encode()).decode() in text]


def test_a_task_has_them_where_docker_puts_them_to_be_read_by_all(app: Deployment) -> None:
    assert in_page(app, "cat /run/secrets/key /site") == FIRST["key"] + FIRST["site"]
    assert in_page(app, "stat -c '%u %g %a' /run/secrets/key /site") == "0 0 444\n" * 2
    assert set(listed(app)) == {f"app_{name}" for name in FIRST}


def test_a_changed_content_is_rolled_out_and_the_old_one_goes_when_its_service_has_settled(
    app: Deployment,
) -> None:
    before, kept = listed(app), tasks(app, "app_kept")
    write(app, SECOND)
    said = app.up()

    assert in_page(app, "cat /run/secrets/key /site") == SECOND["key"] + SECOND["site"]
    after = listed(app)
    assert {name for name in before if after[name] == before[name]} == KEPT
    assert tasks(app, "app_kept") == kept
    assert changed(said)["updated"] == {"app_page", "app-settle"}
    for name in ("app_key", "app_site"):
        assert said.index("app-settle updated") < said.index(f"{name} deleted")
    assert not shows(said)


def test_contents_are_in_the_state_as_secrets_only(app: Deployment) -> None:
    """Also those that the engine has read from the swarm, in the refresh of the second up."""
    assert not shows(app.export() + app.pulumi("stack", "output", "--json"))
    assert set(shows(app.pulumi("stack", "export", "--show-secrets"))) == {
        *SECOND.values(),
        FIRST["kept-key"],
        FIRST["kept-site"],
    }

"""A tag that moves in its registry, in the order of the tests: told, and followed only when asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from lab import Lab
from tests.integration.deployment import Deployment, changed, temporary

TAG = "redis:7.0.15"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A manager, a worker and a registry of their own, in which tags may be moved."""
    with temporary("images", 1, 1) as made:
        yield made


def configure(deployment: Deployment, image: str, **options: Any) -> None:
    (deployment.folder / "app.yaml").write_text(yaml.safe_dump({"services": {"one": {"image": image}}}))
    deployment.configure(stacks=[{"name": "app", "compose": "app.yaml", **options}])


def running(deployment: Deployment) -> str:
    """The version of the program that runs in the service's container."""
    node = deployment.names[-1]
    return deployment.lab.run(node, "docker exec $(docker ps -q | head -n 1) redis-server --version")


def move_tag(registry: str) -> None:
    """The registry gives redis:8.0.2 for what was redis:7.0.15."""
    manifests = f"{registry.rstrip('/')}/v2/library/redis/manifests"
    kind = "application/vnd.oci.image.manifest.v1+json"
    with urlopen(Request(f"{manifests}/8.0.2", headers={"Accept": kind})) as answer:
        manifest = answer.read()
    urlopen(Request(f"{manifests}/7.0.15", manifest, {"Content-Type": kind}, method="PUT")).close()


@pytest.fixture(scope="module")
def moved(deployment: Deployment) -> Deployment:
    """A service whose tag has moved in the registry since the up; the tests change its declaration."""
    mirrors = json.loads(deployment.docker("info --format '{{json .RegistryConfig.Mirrors}}'"))
    if not mirrors:
        pytest.skip("this lab uses the public registry, in which no tag can be moved")
    configure(deployment, TAG)
    deployment.up()
    assert "has moved" not in deployment.preview()
    move_tag(mirrors[0])
    return deployment


def test_a_tag_that_moved_is_told_and_not_followed(moved: Deployment) -> None:
    assert f"app_one: {TAG} has moved in its registry" in moved.preview()
    assert "v=7.0.15" in running(moved)


def test_it_is_not_even_told_with_never(moved: Deployment) -> None:
    configure(moved, TAG, resolveImages="never")
    assert "has moved" not in moved.preview()
    assert "v=7.0.15" in running(moved)


def test_it_is_followed_with_always(moved: Deployment) -> None:
    configure(moved, TAG, resolveImages="always")
    assert changed(moved.preview(changes=True)) == {"updated": {"app_one", "app-settle"}}
    moved.up()
    assert "v=8.0.2" in running(moved)
    assert "has moved" not in moved.preview()


def test_a_changed_image_has_its_digest_at_once(moved: Deployment) -> None:
    configure(moved, "redis:8.0.2")
    moved.up()
    image = moved.docker("service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' app_one")
    assert image.startswith("redis:8.0.2@sha256:")
    assert "has moved" not in moved.preview()

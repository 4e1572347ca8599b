"""Which image a service is to run, of what its file says, what runs, and what the registry has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swarm.decide import images
from swarm.declare.compose import Service as Declared
from swarm.declare.compose import Stack
from swarm.observe.model import Cluster, Service
from tests.unit.builders import cluster

OLD, NEW = "sha256:" + "0a" * 32, "sha256:" + "1b" * 32
TAG = "nginx:1.26.3"


def stack(image: str = TAG, when: str = "changed") -> Stack:
    return Stack("demo", (Declared("page", image),), resolve_images=when)


def swarm(image: str | None) -> Cluster:
    service = Service("s1", "demo_page", "demo", image or "", 1, 1)
    return cluster("m1", services=(service,) if image else ())


@pytest.mark.parametrize(
    ("when", "running", "there", "image"),
    [
        ("changed", None, None, TAG),
        ("changed", f"{TAG}@{OLD}", OLD, f"{TAG}@{OLD}"),
        ("changed", f"{TAG}@{OLD}", NEW, f"{TAG}@{OLD}"),
        ("changed", f"{TAG}@{OLD}", None, f"{TAG}@{OLD}"),
        ("changed", TAG, NEW, TAG),
        ("changed", f"nginx:1.2@{OLD}", NEW, f"{TAG}@{NEW}"),
        ("changed", f"nginx:1.2@{OLD}", None, TAG),
        ("always", None, None, TAG),
        ("always", f"{TAG}@{OLD}", OLD, f"{TAG}@{OLD}"),
        ("always", f"{TAG}@{OLD}", NEW, f"{TAG}@{NEW}"),
        ("always", f"{TAG}@{OLD}", None, f"{TAG}@{OLD}"),
        ("always", TAG, NEW, f"{TAG}@{NEW}"),
        ("never", f"{TAG}@{OLD}", NEW, f"{TAG}@{OLD}"),
        ("never", f"nginx:1.2@{OLD}", NEW, TAG),
    ],
)
def test_a_service_runs_the_digest_that_was_asked_for(
    when: str, running: str | None, there: str | None, image: str
) -> None:
    digests = {TAG: there} if there else {}
    assert images.resolved([stack(when=when)], swarm(running), digests) == {"demo_page": image}


def test_a_digest_in_the_file_is_the_one_that_runs() -> None:
    declared = stack(f"{TAG}@{OLD}", "always")
    assert images.asked([declared], swarm(f"{TAG}@{NEW}")) == set()
    assert images.resolved([declared], swarm(f"{TAG}@{NEW}"), {}) == {"demo_page": f"{TAG}@{OLD}"}


def test_registries_are_asked_for_services_that_are_there_unless_never() -> None:
    named = replace(stack(), name="new")
    stacks = [stack(), named, replace(stack("redis:7", "never"), services=(Declared("page", "redis:7"),))]
    assert images.asked(stacks, swarm(TAG)) == {TAG}
    assert images.asked([stack()], swarm(None)) == set()


@pytest.mark.parametrize(
    ("when", "running", "there", "said"),
    [
        ("changed", f"{TAG}@{OLD}", OLD, None),
        ("changed", f"{TAG}@{OLD}", None, None),
        (
            "changed",
            f"{TAG}@{OLD}",
            NEW,
            "has moved in its registry, from sha256:0a0a0a0a0a0a, which runs, to ",
        ),
        ("changed", f"nginx:1.2@{OLD}", NEW, None),
        ("changed", f"nginx:1.2@{OLD}", None, "doesn't tell which nginx:1.26.3 is the one now: no answer"),
        ("changed", TAG, NEW, None),
        ("always", f"{TAG}@{OLD}", NEW, None),
        (
            "always",
            f"{TAG}@{OLD}",
            None,
            "doesn't tell which nginx:1.26.3 is the one now: no answer within 10 s",
        ),
        ("never", f"{TAG}@{OLD}", NEW, None),
    ],
)
def test_a_tag_that_has_moved_is_told_where_nothing_is_done_about_it(
    when: str, running: str, there: str | None, said: str | None
) -> None:
    told = list(images.told([stack(when=when)], swarm(running), {TAG: there} if there else {}, {}))
    assert [said is not None and said in one for one in told] == ([True] if said else []), told


def test_why_a_registry_tells_nothing_is_told() -> None:
    told = images.told([stack(when="always")], swarm(f"{TAG}@{OLD}"), {}, {TAG: "unauthorized"})
    assert [one.endswith("the one now: unauthorized") for one in told] == [True]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "nginx:latest"),
        ("docker.io/library/nginx:1", "nginx:1"),
        ("library/nginx", "nginx:latest"),
        ("docker.io/me/nginx", "me/nginx:latest"),
        ("registry:5000/library/nginx", "registry:5000/library/nginx:latest"),
        (f"nginx@{OLD}", f"nginx@{OLD}"),
        (f"docker.io/library/nginx:1@{OLD}", f"nginx:1@{OLD}"),
    ],
)
def test_an_image_is_compared_by_the_name_that_a_manager_gives_it(image: str, name: str) -> None:
    assert images.familiar(image) == name
    running = swarm(f"{name.partition('@')[0]}@{OLD}")
    assert images.resolved([stack(image)], running, {}) == {"demo_page": running.services[0].image}

"""Which image a service is to run: its tag, with a digest.

A tag may move in its registry. The digests there are asked of a manager's engine
(`GET /distribution/NAME/json`), with no login but what the engine has of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from swarm.decide.plan import Plan
from swarm.declare.compose import Stack
from swarm.declare.settings import Settings
from swarm.observe.model import Cluster
from swarm.observe.registry import REGISTRY_SECONDS, digests
from swarm.ssh import config_file


def images(
    stacks: Sequence[Stack], plan: Plan, settings: Settings, say: Callable[[str], None]
) -> dict[str, str]:
    """The images to be run, by full name of the service; says which tags have moved and are left alone, and
    which digests nobody told. The connection to control is to be open."""
    if not plan.cluster or not plan.control:
        return resolved(stacks, None, {})
    there, refused = digests(asked(stacks, plan.cluster), config_file(settings.stack))
    for message in told(stacks, plan.cluster, there, refused):
        say(message)
    return resolved(stacks, plan.cluster, there)


def asked(stacks: Iterable[Stack], swarm: Cluster) -> set[str]:
    """The images whose digests matter: of services that are there, if their file names no digest."""
    running = _running(swarm)
    return {
        familiar(service.image)
        for stack in stacks
        for service in stack.services
        if stack.resolve_images != "never"
        and "@" not in service.image
        and stack.full(service.name) in running
    }


def resolved(stacks: Iterable[Stack], swarm: Cluster | None, there: Mapping[str, str]) -> dict[str, str]:
    """The images to be run, by full name of the service; `there` are the registries' digests. A service
    that isn't there yet gets its digest when it is created."""
    running = _running(swarm) if swarm else {}
    return {
        (name := stack.full(service.name)): _resolved(
            familiar(service.image),
            running.get(name),
            there.get(familiar(service.image)) if stack.resolve_images != "never" else None,
            stack.resolve_images,
        )
        for stack in stacks
        for service in stack.services
    }


def _resolved(declared: str, running: str | None, there: str | None, when: str) -> str:
    """A manager adds the digest that it found to an image's name, and without it the tasks would be
    replaced: where nothing else is asked for, a service keeps the one that it runs."""
    same = running is not None and running.partition("@")[0] == declared
    if running and same and not (there and when == "always"):
        return running
    return f"{declared}@{there}" if there else declared


def told(
    stacks: Iterable[Stack], swarm: Cluster, there: Mapping[str, str], refused: Mapping[str, str]
) -> Iterator[str]:
    """The tags that have moved and are left alone, and the digests that are needed and weren't told."""
    running = _running(swarm)
    for stack in stacks:
        for service in stack.services:
            name, image = stack.full(service.name), familiar(service.image)
            if name not in running or "@" in image or stack.resolve_images == "never":
                continue
            tag, _, digest = running[name].partition("@")
            changes = tag != image
            moved = not changes and digest and there.get(image, digest) != digest
            if moved and stack.resolve_images == "changed":
                yield (
                    f"{name}: {image} has moved in its registry, from {_short(digest)}, which runs, to "
                    f"{_short(there[image])}. To have that one: `resolveImages: always` in stack {stack.name}"
                )
            if image not in there and (changes or stack.resolve_images == "always"):
                why = refused.get(image, f"no answer within {REGISTRY_SECONDS} s")
                yield f"{name}: its registry doesn't tell which {image} is the one now: {why}"


def familiar(image: str) -> str:
    """An image's name as a manager has it: without what is meant anyway, with the tag that is."""
    for implied in ("docker.io/", "index.docker.io/"):
        image = image.removeprefix(implied)
    if image.count("/") == 1:
        image = image.removeprefix("library/")
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def _running(swarm: Cluster) -> dict[str, str]:
    return {service.name: service.image for service in swarm.services}


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]

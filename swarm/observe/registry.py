"""The digests that registries have of images, asked through a manager's engine."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from swarm.docker_api import FAILURES, Bounds, EngineError, Session
from swarm.ssh import CONTROL

REGISTRY_SECONDS = 10  # the connection is there
SESSIONS = 4  # at a time, all on one connection: sshd allows ten


def digests(images: Collection[str], ssh_config: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The digests that the registries have, by image, and why others weren't told; of those that answer
    within REGISTRY_SECONDS."""
    shares = [share for start in range(SESSIONS) if (share := sorted(images)[start::SESSIONS])]
    found: dict[str, str] = {}
    refused: dict[str, str] = {}

    def ask(share: Collection[str]) -> None:
        # What else goes wrong with the session has been told, or will be, by those that need it.
        bounds = Bounds(REGISTRY_SECONDS, REGISTRY_SECONDS)
        with Session(CONTROL, ssh_config, bounds) as session, contextlib.suppress(*FAILURES):
            session.begin()
            engine = session.engine()
            for image in share:
                try:
                    found[image] = engine.get(f"/distribution/{quote(image)}/json")["Descriptor"]["digest"]
                except EngineError as error:
                    refused[image] = str(error)

    with ThreadPoolExecutor(SESSIONS) as pool:
        list(pool.map(ask, shares))
    return found, refused

"""The next Leader, seen as soon as there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from acceptance import polling
from acceptance.driver import Driver
from benchmarks.elections.measuring import leading
from swarm import ssh
from swarm.errors import CommandError, PlayError
from swarm.ssh import config_file

BEAT_SECONDS = 1  # between two requests to a manager: emulated machines have an election to hold, too
ELECTION_SECONDS = 300


async def elected(driver: Driver, old: str, end: Callable[[], None]) -> tuple[str, float]:
    """Ends the Leader's host by `end`; gives the next Leader, and when it was first seen, in seconds since
    the epoch. PlayError: none within ELECTION_SECONDS, a manager can't be reached, or `end` failed."""
    settings = driver.found.settings
    others = [node.name for node in settings.nodes if node.manager and not node.lost and node.name != old]
    seen: list[str] = []

    async def leads(_: str, socket: Path) -> bool:
        answer = await polling.ask(socket, "GET", "/nodes")
        nodes = answer.body if answer.status == HTTPStatus.OK else []
        leaders = [driver.swarm.names.get(one["ID"], "") for one in nodes if leading(one)]
        seen.extend(name for name in leaders if name != old)
        return bool(seen)

    try:
        async with polling.engines(Config(config_file(settings.stack)), others) as sockets:
            watching = polling.first(sockets, leads, ELECTION_SECONDS, BEAT_SECONDS)
            moment, _ = await asyncio.gather(watching, asyncio.to_thread(end))
    except CommandError as error:
        raise PlayError(str(error)) from None
    if moment is None:
        raise PlayError(f"no other Leader within {ELECTION_SECONDS} s")
    return seen[0], moment


class Config:
    """The way to hosts by the stack's SSH configuration."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ssh_command(self, node: str) -> list[str]:
        """The ssh command that logs in to the node."""
        return ssh.command(self.path, node)

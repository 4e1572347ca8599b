"""Requests to Docker Engines that may leave them unanswered.

While a swarm has no Leader its managers take requests in and let them hang, some for longer than the
election lasts. A client that waits for one answer after the other would measure its own patience. So a
new request goes out at every beat, whatever became of those before, and each has a limit of its own.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from swarm import ssh

BEAT_SECONDS = 0.2
LIMIT_SECONDS = 2.0
ENGINE = "/var/run/docker.sock"


@dataclass(frozen=True)
class Answer:
    """What a request got: an HTTP status and the body's JSON; status 0 is no answer, and the body says
    why."""

    status: int
    body: Any

    def __str__(self) -> str:
        """An error in the engine's own words, or why there is no answer."""
        return str(self.body.get("message", "") if isinstance(self.body, dict) else self.body)


class Reach(Protocol):
    """The way to hosts."""

    def ssh_command(self, node: str) -> list[str]:
        """The ssh command that logs in to the node; the last word of it is the destination."""
        ...


@asynccontextmanager
async def engines(reach: Reach, names: Iterable[str]) -> AsyncIterator[dict[str, Path]]:
    """The nodes' Docker Engines as local sockets, by the nodes' names; one SSH session each."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sockets = {name: Path(folder, name) for name in names}
        sessions = [ssh.forwarded(reach.ssh_command(name), {at: ENGINE}) for name, at in sockets.items()]
        opened = (asyncio.to_thread(stack.enter_context, session) for session in sessions)
        for failure in await asyncio.gather(*opened, return_exceptions=True):
            if failure:
                raise failure
        yield sockets


async def ask(socket: Path, method: str, path: str, body: Any = None) -> Answer:
    """One request to the engine at a socket, answered or not within LIMIT_SECONDS."""
    content = b"" if body is None else json.dumps(body).encode()
    # HTTP/1.0: the answer isn't chunked, and ends with the connection.
    kind = f"Content-Type: application/json\r\nContent-Length: {len(content)}"
    head = f"{method} {path} HTTP/1.0\r\n{kind}\r\n\r\n"
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(head.encode() + content)
                answer = await reader.read()
            finally:
                writer.close()
        top, _, rest = answer.partition(b"\r\n\r\n")
        return Answer(int(top.split()[1]), json.loads(rest))
    except TimeoutError:
        return Answer(0, f"no answer within {LIMIT_SECONDS:.0f} s")
    except (OSError, IndexError, ValueError):
        return Answer(0, "no answer, the connection was closed")


async def first(
    sockets: Mapping[str, Path],
    question: Callable[[str, Path], Awaitable[bool]],
    seconds: float,
    beat: float = BEAT_SECONDS,
) -> float | None:
    """When one of the engines first said yes, in seconds since the epoch; None: not within `seconds`.

    Every engine is asked at every beat, in seconds.
    """
    yes: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def put(name: str, socket: Path) -> None:
        if await question(name, socket) and not yes.done():
            yes.set_result(time.time())

    deadline = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        questions = []
        while not yes.done() and time.monotonic() < deadline:
            questions += [group.create_task(put(*engine)) for engine in sockets.items()]
            await asyncio.wait([yes], timeout=beat)
        for one in questions:
            one.cancel()
    return yes.result() if yes.done() else None

"""The Docker Engine's API on a host (https://docs.docker.com/reference/api/engine/), in one SSH session.

The session runs a script under `sh`, whatever the login shell is: the command line reads the same in all of
them, and the script comes by standard input. What it says begins after a random line, whatever a profile has
printed before. Then it passes requests to the engine by `docker system dial-stdio`, as the Docker client
itself does for ssh:// hosts.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import secrets
import select
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from swarm import process, ssh
from swarm.errors import SwarmError
from swarm.observe.model import KEY_CHANGED
from swarm.script import render

COMMAND = "exec sh -s"

DIAL = Path(__file__).with_name("dial.sh")
GRACE_SECONDS = 10  # beyond its time, after which a session ends there that isn't told of its end

# What ssh says at last, which tells nothing of the reason.
CLOSING = ("Host key verification failed", "UNKNOWN port", "kex_exchange_identification")
# Of a server that has too many at its door, unless it was another's end that cut the connection.
CUT = "kex_exchange_identification"
OTHERS_END = ("open failed", "connect to host", "Permission denied", "verification failed", "resolve")
SSH_FAILED = 255  # its own exit code; any other is the login shell's


@dataclass(frozen=True)
class Bounds:
    """Seconds that a session may take: without a byte, and in all."""

    silence: float
    total: float


class Session:
    """A session with a host, as a context. `script` is what it says first; `shared`: over a connection that
    others use, and that stays."""

    def __init__(
        self, name: str, ssh_config: Path, bounds: Bounds, script: str = "", *, shared: bool = False
    ) -> None:
        self.bounds = bounds
        self.deadline = time.monotonic() + bounds.total
        self.marker = secrets.token_hex(8)
        self.begun = False  # the host has said the marker
        self.ended = False  # it ended before that
        self.noise = b""  # its last line before that
        # A file takes any number of complaints without anybody who reads them.
        self.complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed at the context's end)
        self.ssh = subprocess.Popen(
            ssh.command(ssh_config, name, COMMAND, shared=shared),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            start_new_session=True,  # a jump host's own client is ended with it
        )
        # In braces: read to its end before it is run, for what follows is the engine's.
        dial = render(DIAL, seconds=int(bounds.total) + GRACE_SECONDS)
        self.text = f"{{\necho {self.marker}\n{script}{dial}exit\n}}\n".encode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self.complaints.close()

    def _end(self) -> None:
        process.end(self.ssh)
        self.ssh.wait()
        for pipe in (self.ssh.stdin, self.ssh.stdout):
            with contextlib.suppress(BrokenPipeError):
                cast(BinaryIO, pipe).close()

    def begin(self) -> BinaryIO:
        """Sends the script; gives what it says. TimeoutError: nothing came in time. EOFError: the session
        ended before."""
        self.send(self.text)
        lines, marker = self.replies(), self.marker.encode()
        for line in iter(lines.readline, b""):
            self.begun = line.rstrip().endswith(marker)
            self.noise = line.strip().removesuffix(marker) or self.noise
            if self.begun:
                return lines
        self.ended = True
        raise EOFError

    def engine(self) -> Engine:
        """The host's engine, once all that the script says is read."""
        return Engine(self)

    def send(self, data: bytes) -> None:
        """Sends to what runs there."""
        requests = cast(BinaryIO, self.ssh.stdin)
        requests.write(data)
        requests.flush()

    def replies(self) -> BinaryIO:
        """What comes from there, within the bounds."""
        return io.BufferedReader(_Replies(self))

    @property
    def said(self) -> str:
        """What ssh complained of, or the host; ends the session."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.ssh.wait(1 if self.ended else 0)  # its own exit code, rather than ours
        self._end()
        self.complaints.seek(0)
        return self.complaints.read().decode(errors="replace").strip()

    @property
    def reason(self) -> str:
        """Why the session ended early, in the words of who knows."""
        lines = self.said.splitlines()
        if not self.begun and any("IDENTIFICATION HAS CHANGED" in line for line in lines):
            return f"{KEY_CHANGED}: it isn't the one in knownHostsFile, and somebody else may answer there"
        telling = [line for line in lines if not any(words in line for words in CLOSING)]
        last = (telling or lines or [self.noise.decode(errors="replace")])[-1]
        if not self.begun and self.ssh.returncode not in (SSH_FAILED, -signal.SIGKILL):
            return f"its login shell doesn't run sh: {last or 'it says nothing'}"
        return last or "the SSH session ended early"

    @property
    def cut(self) -> bool:
        """Whether the server closed the connection before it asked who is there."""
        return CUT in (said := self.said) and not any(words in said for words in OTHERS_END)


class _Replies(io.RawIOBase):
    """A session's standard output, read within its bounds."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.source = cast(BinaryIO, session.ssh.stdout).fileno()
        self.poll = select.poll()
        self.poll.register(self.source, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = min(self.session.bounds.silence, self.session.deadline - time.monotonic())
        if left <= 0 or not self.poll.poll(left * 1000):
            raise TimeoutError
        data = os.read(self.source, len(buffer))
        buffer[: len(data)] = data
        return len(data)


class EngineError(SwarmError):
    """The Docker Engine refused a request."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


# All that may come of a request: what isn't the engine's word is its session's end, or nonsense.
FAILURES = (OSError, EOFError, KeyError, ValueError, http.client.HTTPException, EngineError)


class Engine:
    """The Docker Engine's API at the other end of a session."""

    def __init__(self, session: Session) -> None:
        self.connection = http.client.HTTPConnection("docker")
        self.connection.sock = cast(Any, _Socket(session))

    def get(self, path: str) -> Any:
        """The JSON that the engine gives for a path; raises EngineError, or another of FAILURES."""
        self.connection.request("GET", path)
        with self.connection.getresponse() as response:
            body = json.loads(response.read())
        if response.status != http.client.OK:
            raise EngineError(response.status, str(body["message"]))
        return body


class _Socket:
    """A session, in the shape of the socket that http.client wants."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def sendall(self, data: bytes) -> None:
        self.session.send(data)

    def makefile(self, *_: Any) -> BinaryIO:
        return self.session.replies()

    def close(self) -> None:
        """The session's end is its owner's."""

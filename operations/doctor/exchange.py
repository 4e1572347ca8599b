"""Messages between hosts: all listen first, then all send, and it is told who heard whom."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import IO, Self, cast

from swarm import process

# Who fails says so at once; these end what hangs. Emulated hosts take minutes to start a container.
READY_SECONDS = 240
SEND_SECONDS = 120
SESSION_SECONDS = 600  # after which a listener ends by itself: by then all has been sent
ARRIVE_SECONDS = 3
END_SECONDS = 15
FEW = 4  # senders at a time, where datagrams were lost
SMALL = 64  # bytes


@dataclass(frozen=True)
class Message:
    """What one node sends to another."""

    way: str  # tcp, udp, whole or connect, as programs.py has it
    sender: str
    target: str
    address: str
    port: int
    size: int = SMALL

    @property
    def words(self) -> str:
        """As the sending program is told."""
        return f"{self.way}/{self.address}/{self.port}/{self.size}"

    @property
    def where(self) -> str:
        """What its receiver listens on."""
        return f"{'tcp' if self.way in ('tcp', 'connect') else 'udp'}/{self.port}"

    @property
    def arrival(self) -> Arrival:
        """What its receiver says of it."""
        return self.target, self.where, self.sender, self.size


Arrival = tuple[str, str, str, int]  # target, protocol/port, sender, size
Send = Callable[[str, list[str]], Sequence[str]]  # the command of a sender, by its name and its words


@dataclass(frozen=True)
class Outcome:
    """What became of messages."""

    arrived: Collection[Arrival] = ()
    failures: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by sender and words
    taken: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by target and protocol/port
    silent: Mapping[str, str] = field(default_factory=dict)  # listeners that didn't come to listen
    mute: Mapping[str, str] = field(default_factory=dict)  # senders that didn't come to send


class Sessions:
    """Programs that listen at the other ends of sessions, for as long as the sessions are open. `parallel` is
    how many are started at a time, 0 for all."""

    def __init__(self, commands: Mapping[str, Sequence[str]], token: str = "", parallel: int = 0) -> None:
        self.commands, self.token, self.parallel = commands, token, parallel
        self.changed = threading.Condition()
        self.arrived: set[Arrival] = set()
        self.taken: dict[tuple[str, str], str] = {}
        self.ready: set[str] = set()
        self.ended: set[str] = set()
        self.said: dict[str, str] = {}
        self.sessions: dict[str, subprocess.Popen[str]] = {}
        self.readers: list[threading.Thread] = []

    def __enter__(self) -> Self:
        """Returns when all listen, or have failed to; READY_SECONDS at most for those started at a time."""
        names = list(self.commands)
        step = self.parallel or len(names) or 1
        try:
            for begin in range(0, len(names), step):
                for name in names[begin : begin + step]:
                    self.sessions[name] = self._start(name, self.commands[name])
                self._wait(lambda: self.ready | self.ended >= set(self.sessions), READY_SECONDS)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def silent(self) -> dict[str, str]:
        """Those that don't listen, or not any more, with what their hosts said first."""
        late = f"it isn't ready after {READY_SECONDS} s"
        ended = "the SSH session ended early"
        return {
            name: self.said.get(name, ended if name in self.ended else late)
            for name in self.commands
            if name not in self.ready or name in self.ended
        }

    def wait_for(self, arrivals: Collection[Arrival]) -> None:
        """Returns when all of it has arrived, or ARRIVE_SECONDS later."""
        self._wait(lambda: self.arrived.issuperset(arrivals), ARRIVE_SECONDS)

    def _wait(self, reached: Callable[[], bool], seconds: float) -> None:
        with self.changed:
            self.changed.wait_for(reached, seconds)

    def _start(self, name: str, command: Sequence[str]) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a jump host's own client is ended with it
        )
        reader = threading.Thread(target=self._read, args=(name, cast(IO[str], started.stdout)))
        reader.start()
        self.readers.append(reader)
        return started

    def _read(self, name: str, lines: IO[str]) -> None:
        for line in lines:
            with self.changed:
                match line.split():
                    case ["ready"]:
                        self.ready.add(name)
                    case ["taken", where, *reason]:
                        self.taken[name, where] = " ".join(reason)
                    case ["got", where, token, sender, size]:
                        if token == self.token:
                            self.arrived.add((name, where, sender, int(size)))
                    case [_, *_] as words:
                        self.said.setdefault(name, " ".join(words))
                self.changed.notify_all()
        with self.changed:
            self.ended.add(name)
            self.changed.notify_all()

    def _end(self) -> None:
        """Standard input ends, and with it the programs; what doesn't end by that is killed."""
        for one in self.sessions.values():
            with contextlib.suppress(OSError):
                cast(IO[str], one.stdin).close()
        self._wait(lambda: self.ended >= set(self.sessions), END_SECONDS)
        for one in self.sessions.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()
        for reader in self.readers:
            reader.join()
        for one in self.sessions.values():
            cast(IO[str], one.stdout).close()


def speak(
    commands: Mapping[str, Sequence[str]], parallel: int = 0
) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """Runs the senders, so many at a time, 0 for all; gives what each failed to send and why, and who failed
    altogether."""
    failures: dict[tuple[str, str], str] = {}
    mute: dict[str, str] = {}

    def run(name: str) -> None:
        try:
            done = process.run(commands[name], SEND_SECONDS)
        except subprocess.TimeoutExpired:
            mute[name] = f"sending took longer than {SEND_SECONDS} s"
            return
        if done.returncode:
            mute[name] = process.last_words(done)
        for line in done.stdout.splitlines():
            if line.startswith("failed "):  # a shell's greeting isn't
                _, words, reason = line.split(" ", 2)
                failures[name, words] = reason

    with ThreadPoolExecutor(max_workers=parallel or len(commands) or 1) as pool:
        list(pool.map(run, commands))
    return failures, mute


def exchange(
    sessions: Sessions, messages: Collection[Message], command: Send, parallel: int | None = None
) -> Outcome:
    """Sends messages to open sessions; `parallel` senders at a time, as many as sessions unless given."""
    by_sender: dict[str, list[str]] = {}
    for message in messages:
        by_sender.setdefault(message.sender, []).append(message.words)
    senders = {name: command(name, words) for name, words in by_sender.items()}
    failures, mute = speak(senders, sessions.parallel if parallel is None else parallel)
    sessions.wait_for([one.arrival for one in messages if one.way != "connect"])
    return Outcome(sessions.arrived, failures, sessions.taken, sessions.silent, mute)


def exchange_twice(sessions: Sessions, messages: Collection[Message], command: Send) -> Outcome:
    """Sends messages, and once more the datagrams that were lost, by few at a time: from fifty hosts at once
    they can be more than a busy host takes."""
    first = exchange(sessions, messages, command)
    lost = [
        one
        for one in messages
        if one.where.startswith("udp")
        and one.arrival not in first.arrived
        and (one.sender, one.words) not in first.failures
        and one.sender not in first.mute
    ]
    if not lost:
        return first
    again = exchange(sessions, lost, command, FEW)
    return replace(again, failures={**first.failures, **again.failures}, mute={**first.mute, **again.mute})

"""Where the play is given: the swarm is changed through Pulumi alone, and looked at."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from acceptance.hosts import Ground
from acceptance.swarm import Swarm
from acceptance.tasks import Sight
from acceptance.transcript import Transcript
from operations import pulumi_cli
from swarm.errors import NoAnswerError, PlayError, TimedOutError
from swarm.run import Run
from swarm.ssh import config_file
from swarm.waiting import until

# Between two looks: as long as the one before took, but this at least. A slow host has its work to do.
BEAT_SECONDS = 0.5
PATIENCE_SECONDS = 600
CANCEL_SECONDS = 120
COMMAND_SECONDS = 3600

CONFIG_FILE = "PULUMI_OPTION_CONFIG_FILE"
DONE = re.compile(r" [-+~]+ +\S+ \S+ (creat|updat|delet|replac)ed\b")

T = TypeVar("T")


class Driver:
    """A stack as it was found; what is done to it and seen of it goes to the transcript.

    Every method raises PlayError.
    """

    def __init__(self, found: Run, ground: Ground | None, transcript: Transcript) -> None:
        self.found, self.ground, self.transcript = found, ground, transcript
        self.swarm = Swarm(found)
        name = found.settings.stack
        self.own_config = Path(os.environ.get(CONFIG_FILE) or f"Pulumi.{name}.yaml")
        self.config = config_file(name).with_name("play.yaml")
        # As if `--stack` were typed with every command, and `--config-file` once it is open.
        self.environment = {"PULUMI_STACK": name}

    def open(self) -> None:
        """From here on the commands have a configuration of the play's own."""
        self.transcript.command(f"cp {self.own_config} {self.config}")
        shutil.copy(self.own_config, self.config)
        self.environment[CONFIG_FILE] = str(self.config)
        self.transcript.command("export " + " ".join(f"{k}={v}" for k, v in self.environment.items()))

    def close(self) -> None:
        """From here on they have the stack's own again."""
        if self.environment.pop(CONFIG_FILE, None):
            outer = os.environ.get(CONFIG_FILE)
            self.transcript.command(f"export {CONFIG_FILE}={outer}" if outer else f"unset {CONFIG_FILE}")

    def set(self, key: str, value: object) -> None:
        """Sets a key of the play's entry among the configured stacks."""
        self.run("pulumi", "config", "set", "--path", f"{self._entry}.{key}", str(value))

    def unset(self) -> None:
        """Takes the play's entry out."""
        self.run("pulumi", "config", "rm", "--path", self._entry)

    @property
    def _entry(self) -> str:
        return f"swarm:stacks[{len(self.found.settings.stacks)}]"

    def up(self) -> None:
        """Makes the swarm what is configured; returns when the services have settled."""
        self.run("pulumi", *pulumi_cli.UP)

    def preview(self) -> str:
        """Checks that all is as configured; gives what the preview says."""
        said = self.run("pulumi", *pulumi_cli.PREVIEW, shown="Diagnostics:")
        self.transcript.passed("the preview finds nothing to change")
        return said

    def destroy(self, nodes: list[str]) -> None:
        """Removes nodes' hosts for good."""
        if self.ground:
            for node in nodes:
                self.swarm.stopped.append(node)
                self.run(*self.ground.remove, node)

    def stop(self, nodes: list[str]) -> None:
        """Takes the power from nodes."""
        if self.ground:
            for node in nodes:
                self.swarm.stopped.append(node)
                self.run(*self.ground.stop, node)

    def start(self) -> None:
        """Gives the stopped nodes their power back."""
        if self.ground:
            for node in list(self.swarm.stopped):
                self.run(*self.ground.start, node)
                self.swarm.stopped.remove(node)

    def run(self, *command: str, shown: str = "Resources:") -> str:
        """Runs a command; gives its output. Shows of that what was done, and all from the line `shown` on."""
        return run(self.transcript, command, self.environment, summary(shown))

    def docker(self, command: str) -> None:
        """Shows what a docker command prints on a manager."""
        name, printed = self.swarm.docker(command)
        self.transcript.command(f"docker {command}", prompt=name)
        self.transcript.output(printed)

    @contextmanager
    def watched(self, service: str) -> Iterator[list[Sight]]:
        """Looks at a service all the time until the end, and shows what is new; gives what was seen."""
        seen: list[Sight] = []
        began, over = time.monotonic(), threading.Event()

        def watch() -> None:
            shown = ""
            pause = 0.0
            while not over.wait(pause):
                looked = time.monotonic()
                seen.append(self.swarm.sight(service))
                pause = max(BEAT_SECONDS, time.monotonic() - looked)
                if str(seen[-1]) != shown:
                    shown = str(seen[-1])
                    self.transcript.output(f"{time.monotonic() - began:4.0f} s: {shown}")

        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(watch)
            try:
                yield seen
            finally:
                over.set()
            watching.result()

    def until(self, what: str, look: Callable[[], T | None]) -> T:
        """What is seen as soon as there is something; it may take PATIENCE_SECONDS."""
        try:
            return until(what, look, PATIENCE_SECONDS, BEAT_SECONDS, passing=NoAnswerError)
        except TimedOutError as error:
            raise PlayError(str(error)) from None

    def check(self, what: str, holds: bool, found: object) -> None:
        """Ends the play where it doesn't hold, and says what was found instead."""
        if not holds:
            raise PlayError(f"{what}: no, {found}")
        self.transcript.passed(what)


def summary(shown: str) -> Callable[[str], bool]:
    """Whether to show a line that Pulumi prints: what was done, and all from the line `shown` on."""
    end = False

    def shows(line: str) -> bool:
        nonlocal end
        end |= line.startswith((shown, "Resources:"))
        return bool(DONE.match(line) or (end and line.strip()))

    return shows


def run(
    transcript: Transcript,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    shows: Callable[[str], bool],
) -> str:
    """Runs a command; gives its output. Lines of it are shown as told. PlayError: it failed."""
    transcript.command(shlex.join(command))
    lines: list[str] = []
    began = time.monotonic()
    with _process(command, environment) as process:
        for line in process.stdout or ():
            lines.append(line)
            if shows(line):
                transcript.output(line)
    if time.monotonic() - began >= COMMAND_SECONDS:
        lines.append(f"it took longer than {COMMAND_SECONDS} s, and was ended")
    if process.returncode:
        raise PlayError(f"`{shlex.join(command)}` failed:\n{''.join(lines).strip()}")
    return "".join(lines)


@contextmanager
def _process(command: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command under way. One that is left early is asked to end, as an engine does between two steps,
    and ended where it doesn't within CANCEL_SECONDS. After COMMAND_SECONDS any is killed."""
    process = subprocess.Popen(
        command,
        # Pulumi's dots may come into a line that is to be shown.
        env={**os.environ, **environment, "NO_COLOR": "1", "PULUMI_OPTION_SUPPRESS_PROGRESS": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # an interrupt at the terminal is ours to pass on
    )
    # Every wait in it is bounded; this is for what nobody thought of.
    watchdog = threading.Timer(COMMAND_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    watchdog.daemon = True
    watchdog.start()
    try:
        yield process
        process.wait()
    finally:
        watchdog.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=CANCEL_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

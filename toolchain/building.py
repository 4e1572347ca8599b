"""Builds tools from the Go modules in this folder.

Fetching modules waits for the network, compiling for the processors: each tool has a thread of its
own, and one program compiles at a time, with all processors.
"""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from swarm.errors import SwarmError
from toolchain import machine, store
from toolchain.catalogue import HERE, Recipe, Tool
from toolchain.choice import Source

_LIMIT = 3600.0
_HEARTBEAT = 20.0
# The same for every program, so that they share what Go compiled for another one.
_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")

Say = Callable[[str], None]


class BuildError(SwarmError):
    """A build failed; the text has the step, the last lines of output and the log file."""


class _StoppedError(Exception):
    """Another build failed, or the user interrupted."""


def build(tools: Sequence[Tool], say: Say) -> None:
    """Builds the tools into the store; if one fails, stops the others and raises BuildError.

    The caller holds the store's lock.
    """
    stop = threading.Event()
    compiler = threading.Lock()

    def one(tool: Tool) -> None:
        try:
            _build(tool, stop, compiler, say)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(len(tools)) as pool:
        futures = [pool.submit(one, tool) for tool in tools]
        try:
            errors = [future.exception() for future in futures]
        except BaseException:
            stop.set()
            raise
    for error in errors:
        if error and not isinstance(error, _StoppedError):
            raise error


def _build(tool: Tool, stop: threading.Event, compiler: threading.Lock, say: Say) -> None:
    began = time.monotonic()
    target = store.folder(tool, Source.BUILD)
    log = target.with_suffix(".log")
    # A new file: a go whose run was killed may still be writing to the old one.
    log.unlink(missing_ok=True)
    log.touch()

    def fill(folder: Path) -> None:
        for recipe in tool.recipes:
            _make(_Go(recipe, log, stop, say), folder, compiler)

    store.publish(target, tool.files, fill)
    log.unlink()
    say(f"{tool.name}: built in {span(time.monotonic() - began)}")


def _make(go: "_Go", folder: Path, compiler: threading.Lock) -> None:
    """Makes the program of a recipe, and what belongs beside it, in the given folder."""
    recipe = go.recipe
    flags = [*_FLAGS, f"-tags={recipe.tags}"]
    # Listing the packages fetches the modules that hold them, and no others.
    packages = go.run("list", *flags, "-deps", recipe.package, doing="fetching modules")
    if recipe.beside:
        module, file = recipe.beside
        (source,) = go.run("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module)
        shutil.copyfile(Path(source) / file, folder / Path(file).name)
    stamp = f"-ldflags=-s -w -X {recipe.stamp}"
    program = str(folder / recipe.binary)
    with compiler:
        go.run(
            *("build", "-v", *flags, stamp, "-o", program, recipe.package),
            doing="compiling",
            total=f" of at most {len(packages)} packages",
        )


@dataclass(frozen=True)
class _Go:
    """Runs go in the module of a recipe, its messages going to the log."""

    recipe: Recipe
    log: Path
    stop: threading.Event
    say: Say

    def run(self, *arguments: str, doing: str = "", total: str = "") -> list[str]:
        """Gives the lines of output; BuildError if go fails, _StoppedError once stop is set.

        With `doing`, tells now and then how many lines the log has got, one a module or package.
        """
        if self.stop.is_set():
            raise _StoppedError
        began = beat = now = time.monotonic()
        if doing:
            self.say(f"{self.recipe.binary}: {doing}")
        with self.log.open("a") as log:
            print("$ go", *arguments, file=log, flush=True)
            start = log.tell()
            process = subprocess.Popen(
                ["go", *arguments],
                cwd=HERE / self.recipe.module,
                env=machine.go_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            while True:
                try:
                    output, _ = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    now = time.monotonic()
                if self.stop.is_set() or now - began > _LIMIT:
                    process.terminate()
                elif doing and now - beat > _HEARTBEAT:
                    beat = now
                    count = self.log.read_bytes()[start:].count(b"\n")
                    self.say(f"{self.recipe.binary}: {doing}, {count}{total}, {span(now - began)}")
        if process.returncode == 0:
            return output.splitlines()
        if self.stop.is_set():
            raise _StoppedError
        raise BuildError(self._report(arguments[0], process.returncode, now - began))

    def _report(self, command: str, code: int, seconds: float) -> str:
        late = seconds > _LIMIT
        cause = f"not done after {span(seconds)}" if late else f"exit code {code}"
        tail = self.log.read_text(errors="replace").splitlines()[-8:]
        return "\n    ".join(
            [
                f"building {self.recipe.binary}: `go {command}` failed ({cause}). Its last words:",
                *tail,
            ]
        ) + (
            f"\nAll of its output is in {self.log}. What was fetched and compiled is kept: if the "
            "network or the disk was to blame, mend that and run it again."
        )


def span(seconds: float) -> str:
    """Gives a time in words: "45 s", "3 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

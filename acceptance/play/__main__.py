"""`python3 -m acceptance.play STACK`: a session on the running swarm, each step shown and checked.

Everything is driven through Pulumi, with a configuration of the play's own: a copy of the stack's, in the
git-ignored folder. However the play ends, the hosts that it stopped are started again, and `pulumi up` with
the stack's own configuration restores everything. One that went well is written to docs/reports/play.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType

from acceptance import hosts
from acceptance.driver import COMMAND_SECONDS, Driver
from acceptance.play import script
from acceptance.transcript import Transcript
from benchmarks import reports
from operations import pulumi_cli, stack
from swarm import faults, process
from swarm.errors import PlayError
from swarm.foreign import harmless

PAGE = reports.REPORTS / "play.md"


class Interrupted(PlayError):  # noqa: N818 (nothing is wrong)
    """Somebody wants the play to end."""


def main(arguments: Sequence[str]) -> int:
    """Gives the play; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m acceptance.play")
    parser.add_argument("stack")
    options = parser.parse_args(arguments)
    on_signals(interrupt)
    try:
        driver = prepare(options.stack)
        with put_back(driver):
            script.give(driver, failures=True)
    except PlayError as error:
        print(harmless(f"\nplay: {error}"), file=sys.stderr)
        return 1
    PAGE.write_text(text(driver), encoding="utf-8")
    print(f"\nAll went as it should. The transcript is in docs/reports/{PAGE.name}.")
    return 0


def on_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    """Has a function called when somebody wants the play to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def interrupt(number: int, _: FrameType | None) -> None:
    """Ends the play once: another signal doesn't interrupt the cleanup."""
    on_signals(lambda *_: print("wait: all is being put back as it was", file=sys.stderr))
    raise Interrupted(f"interrupted by {signal.Signals(number).name}")


def prepare(name: str) -> Driver:
    """The driver, on a swarm that is as declared. PlayError: it isn't."""
    found = stack.prepare(name)
    command = ("pulumi", *pulumi_cli.PREVIEW, "--stack", name)
    environment = {**os.environ, "NO_COLOR": "1"}
    try:
        preview = process.run(command, COMMAND_SECONDS, stderr=subprocess.STDOUT, env=environment)
    except subprocess.TimeoutExpired:
        raise PlayError(f"the preview took longer than {COMMAND_SECONDS} s, and was ended") from None
    if preview.returncode:
        raise PlayError(f"{preview.stdout}\nIt begins on a swarm that is as declared: `make up STACK={name}`")
    stopped = hosts.of(name, {node.ssh.private_key_file for node in found.settings.nodes})
    stops = "It stops hosts, and starts them again: the leader, and all workers but one. "
    print(
        "The play takes about six minutes. Services of its own, play_..., "
        f"come and go beside those that are there. {stops if stopped else ''}"
        "In the end all is as it was, after Ctrl-C too."
    )
    return Driver(found, stopped, Transcript())


@contextmanager
def put_back(driver: Driver) -> Iterator[None]:
    """All as it is now when it ends, however it ends. PlayError: that failed."""
    services = driver.swarm.services()
    try:
        yield
    except BaseException as error:
        print(harmless(f"\nThe play ends here: {error}"), file=sys.stderr)
        restore(driver, services, broken=True)
        raise
    restore(driver, services, broken=False)


def restore(driver: Driver, services: Mapping[str, str], *, broken: bool) -> None:
    """What script.restore does, with nobody to interrupt it."""
    name = driver.found.settings.stack
    on_signals(lambda *_: print("wait: all is being put back as it was", file=sys.stderr))
    try:
        script.restore(driver, services, broken=broken)
    except PlayError as error:
        raise PlayError(f"{error}\nNot all is as it was: run `make up STACK={name}`") from error


def text(driver: Driver) -> str:
    """The page."""
    found, name = driver.found, driver.found.settings.stack
    roles = Counter("manager" if node.manager else "worker" for node in found.settings.nodes)
    engines = ", ".join(sorted({host.engine for host in found.observation.values() if host.engine}))
    return f"""# The play

A session on a live swarm: create, scale, roll out, remove; hosts fail and come back; a page is published.
`pulumi config set` and `pulumi up` do all of it; docker commands only show the result.

`make play` runs the session and writes this page. It ends with an error if a check (✓) fails. Of Pulumi's
output the page shows what was done and the result. Here: stack `{name}`,
managers: {roles["manager"]}, workers: {roles["worker"]}, Docker Engine {engines},
Pulumi {pulumi_cli.version()}.

The commands use the play's own configuration, a copy in a git-ignored folder. `Pulumi.{name}.yaml`
stays unchanged, and `make up` restores what it declares, however the play ends.

{driver.transcript.markdown()}"""


if __name__ == "__main__":
    faults.run(partial(main, sys.argv[1:]))

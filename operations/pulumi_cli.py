"""The Pulumi command line: how it is run, each way with its flags once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from swarm import process
from swarm.errors import ShownError, TimedOutError

PROJECT = "swarm"
ANSWER_SECONDS = 120  # for what only reads or writes configuration and state: a backend may be far away

# Nobody is asked: the program says what will be done, and refuses by itself.
_AS_TOLD = ("--yes", "--skip-preview", "--suppress-outputs")
UP = ("up", *_AS_TOLD)
PREVIEW = ("preview", "--expect-no-changes")
# The program tells who is dialed, so it runs; a refresh would dial hosts that may be gone.
DESTROY = ("destroy", "--run-program", "--refresh=false", *_AS_TOLD)
DESTROYING: Mapping[str, str] = {"SWARM_DESTROY": "1"}  # what tells the program so
SELECT = ("stack", "select", "--create")  # a stack's name follows


def output(*arguments: str, text: str | None = None) -> str:
    """Standard output of a command that reads `text`, and touches no host. ShownError: it failed, and has
    said why; TimedOutError: it gave no answer."""
    try:
        done = process.run(["pulumi", *arguments], ANSWER_SECONDS, text=text, stderr=None)
    except subprocess.TimeoutExpired:
        backend = os.environ.get("PULUMI_BACKEND_URL") or "that of your login"
        raise TimedOutError(
            f"`pulumi {' '.join(arguments[:2])}` gave no answer within {ANSWER_SECONDS} s",
            f"see that its backend answers ({backend})",
        ) from None
    if done.returncode:
        raise ShownError(done.returncode)
    return done.stdout


def shown(*arguments: str, **environment: str) -> None:
    """Runs a command on this terminal, as if it were typed. ShownError: it failed."""
    if code := process.typed(["pulumi", *arguments], environment):
        raise ShownError(code)


def select(stack: str) -> None:
    """Makes a stack the selected one, and makes it where there is none."""
    print(output(*SELECT, stack), end="", file=sys.stderr)


def export(stack: str) -> dict[str, Any]:
    """The state of a stack."""
    exported: dict[str, Any] = json.loads(output("stack", "export", "--stack", stack))
    return exported


def version() -> str:
    """Pulumi's own."""
    return output("version").strip().lstrip("v")

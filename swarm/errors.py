"""What goes wrong in a way that somebody can act on, as one tree. Libraries raise; `faults.run` shows it, and
exits.

Standard library only: what makes hosts runs before anything is installed.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence


class SwarmError(Exception):
    """What happened and where, and the remedy if there is one; `code` is the exit code of a program that it
    ends."""

    code = 1

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}: {remedy}" if remedy else what)


class ShownError(SwarmError):
    """A command failed that has shown why itself, and whose exit code is to be ours."""

    def __init__(self, code: int) -> None:
        super().__init__("")
        self.code = code


class CommandError(SwarmError):
    """A command failed, or took too long and was ended: why, in words."""


class TimedOutError(SwarmError, TimeoutError):
    """What was waited for didn't come about in time."""


class LabError(SwarmError):
    """Hosts can't be made here, or don't answer."""


class StatusError(LabError):
    """A command of this computer ended with a status other than 0."""

    def __init__(self, command: Sequence[str], status: int, stderr: str) -> None:
        self.how = f"failed with status {status}"
        self.stderr = stderr.strip()
        super().__init__(f"`{shlex.join(command)}` {self.how}", self.stderr)


class BenchError(SwarmError):
    """What was to be measured failed: its command, and what it said."""


class PlayError(SwarmError):
    """What ends the play or a stage of the acceptance: a check that doesn't hold, a command that fails."""


class NoAnswerError(PlayError):
    """No manager answers, or none without an error."""

"""The types of what the fixtures of unit tests give."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from swarm.declare.compose import Service, Stack

Program = Callable[[str, str], Path]  # a name and a text put a program on PATH
Problems = list[tuple[str, str]]  # key and rule


class ReadStack(Protocol):
    """Reads a Compose file of this text."""

    def __call__(
        self, text: str, ignored: tuple[str, ...] = ..., **variables: str
    ) -> tuple[Stack, Problems]: ...


class ReadService(Protocol):
    """Reads a Compose file with one service of this text; None: there is none to read."""

    def __call__(self, text: str, **variables: str) -> tuple[Service | None, Problems]: ...

"""Data of Compose files that knows where each of its values was written, also after files were merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm.declare.compose.document import Document


@dataclass(frozen=True)
class Origin:
    """A place in a file: a path such as `services.page.ports[0]`."""

    file: Path
    document: Document
    path: str = ""

    def inner(self, rest: str) -> Origin:
        """A place in there: `.image`, `[0]`."""
        return Origin(self.file, self.document, (self.path + rest).removeprefix("."))

    @property
    def line(self) -> int:
        """The line that it is on."""
        return self.document.line(self.path)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.path}" if self.path else where


@dataclass(frozen=True)
class Located:
    """A value: a mapping or a list of such, or what is in none. `filled` has a variable's value in it."""

    value: Any
    origin: Origin
    filled: bool = False

    @property
    def plain(self) -> Any:
        """The data alone."""
        if isinstance(self.value, dict):
            return {name: one.plain for name, one in self.value.items()}
        return [one.plain for one in self.value] if isinstance(self.value, list) else self.value

    def at(self, path: str) -> tuple[Located, str]:
        """What is at a path, or else what it would be in, and the rest of the path."""
        for key, child in self._children():
            if path == key or path.startswith((f"{key}.", f"{key}[")):
                return child.at(path[len(key) :].removeprefix("."))
        return self, path

    def where(self, path: str) -> Origin:
        """Where what is at a path was written, or what it would be in."""
        found, rest = self.at(path)
        return found.origin.inner(rest if rest.startswith("[") or not rest else f".{rest}")

    def shows(self, path: str, value: Any) -> bool:
        """Whether a value that is at a path, or was made of what is there, shows nothing of a variable."""
        leaves = list(self.at(path)[0]._leaves())
        return not any(one.filled for one in leaves) or value in [
            one.value for one in leaves if not one.filled
        ]

    def _children(self) -> Iterator[tuple[str, Located]]:
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from ((f"[{at}]", one) for at, one in enumerate(self.value))

    def _leaves(self) -> Iterator[Located]:
        """What is in no mapping or list there, and the names in mappings, which have no variables."""
        if not isinstance(self.value, (dict, list)):
            yield self
        for name, child in self._children():
            yield Located(name, self.origin)
            yield from child._leaves()


def locate(written: Any, filled: Any, origin: Origin) -> Located:
    """The data of a file, as it was written and with its variables filled in."""
    if isinstance(written, dict):
        inner: Any = {
            name: locate(one, filled[name], origin.inner(f".{name}")) for name, one in written.items()
        }
    elif isinstance(written, list):
        inner = [locate(one, filled[at], origin.inner(f"[{at}]")) for at, one in enumerate(written)]
    else:
        inner = filled
    return Located(inner, origin, isinstance(written, str) and written != filled)

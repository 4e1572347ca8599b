"""The reader of one Compose file, which names problems by line, and knows what may be left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from swarm.declare.compose.document import Document
from swarm.declare.compose.unsupported import REASONS, ignored
from swarm.declare.reader import Reader, join, near
from swarm.finding import Finding, warning


class FileReader(Reader):
    """Tells the reader of everything of problems in a file, with the file and the line; paths begin in
    the file. `allowed` are paths, with * for anything, that may have keys which aren't supported."""

    def __init__(self, outer: Reader, path: Path, document: Document, allowed: Iterable[str]) -> None:
        super().__init__()
        self._outer, self._path, self._document = outer, path, document
        self._allowed = ["[^.]*".join(map(re.escape, one.split("*"))) for one in allowed]
        self._unfilled: list[str] = []
        self._ignored: dict[str, list[int]] = {}  # lines, by what is ignored, and why

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return self._outer.full

    def problem(self, key: str, value: object, rule: str, remedy: str) -> None:
        """Notes a problem, once."""
        told = any(one == key or one.startswith(f"{key}[") for one in self._unfilled)
        if told or self.full:
            return
        where = f"{self._path}:{self._document.line(key)}"
        self._outer.problem(f"{where}: {key}" if key else where, value, rule, remedy)

    def unfilled(self, key: str, rule: str, remedy: str) -> None:
        """Notes a text with a variable that has no value; what that text breaks besides isn't told."""
        self.problem(key, None, rule, remedy)
        self._unfilled.append(key)

    def unknown(self, path: str, name: str, keys: Iterable[str]) -> None:
        """Notes a key that isn't known, unless it is an extension, or may be left out."""
        where = join(path, name)
        if self.allows(where):
            return
        if why := ignored(where):
            self.ignore(where, f"{name}: {why}")
            return
        reason = REASONS.get(name)
        if not reason and name.startswith("x-"):
            return
        if not reason and (suggestion := near(name, keys)):
            self.problem(where, None, "there is no such key", suggestion)
            return
        rule = f"isn't supported: {reason or 'it is no key of Compose that `docker stack deploy` takes'}"
        self.problem(where, None, rule, f"Remove it, or list `{where}` in the stack's `ignoreUnsupported`")

    def allows(self, path: str) -> bool:
        """Whether the stack's `ignoreUnsupported` has this path."""
        return any(re.fullmatch(pattern, path) for pattern in self._allowed)

    def ignore(self, path: str, what: str) -> None:
        """Notes what has no effect, and why, as one part of the file's warning."""
        self._ignored.setdefault(what, []).append(self._document.line(path))

    def warnings(self) -> tuple[Finding, ...]:
        """One that lists all that is ignored; none where nothing is."""
        parts = [f"line {', '.join(map(str, lines))}: {what}" for what, lines in self._ignored.items()]
        what = f"ignored, as by `docker stack deploy`: {'; '.join(parts)}"
        return (warning("compose", str(self._path), what),) if parts else ()

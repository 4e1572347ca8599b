"""The reader of a stack's Compose files, which names problems by line, and knows what may be left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from swarm.declare.compose.sources import Sources
from swarm.declare.compose.unsupported import REASONS, ignored
from swarm.declare.reader import Reader, join, near
from swarm.finding import Finding, warning


class FileReader(Reader):
    """Tells the reader of everything of problems in the files, with the file and the line; paths begin in
    what the files are merged to. `allowed` are paths, with * for anything, that may have keys which aren't
    supported."""

    def __init__(self, outer: Reader, found: Sources, allowed: Iterable[str]) -> None:
        super().__init__()
        self._outer, self._found = outer, found
        self._allowed = ["[^.]*".join(map(re.escape, one.split("*"))) for one in allowed]
        # Lines, by the file, and by what is ignored and why.
        self._ignored: dict[Path, dict[str, list[int]]] = {}

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return self._outer.full

    def problem(self, key: str, value: object, rule: str, remedy: str) -> None:
        """Notes a problem, once; with the value unless a variable's is in it. What lacks a variable's value
        is told already."""
        if self.full:
            return
        origin = self._found.data.where(key)
        told = any(
            file == origin.file and (path == origin.path or path.startswith(f"{origin.path}["))
            for file, path in self._found.unfilled
        )
        if not told:
            shown = value if self._found.data.shows(key, value) else None
            self._outer.problem(str(origin), shown, rule, remedy)

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
        written = self._found.data.where(where).path
        rule = f"isn't supported: {reason or 'it is no key of Compose that `docker stack deploy` takes'}"
        self.problem(where, None, rule, f"Remove it, or list `{written}` in the stack's `ignoreUnsupported`")

    def allows(self, path: str) -> bool:
        """Whether the stack's `ignoreUnsupported` has this path."""
        written = self._found.data.where(path).path
        return any(re.fullmatch(pattern, written) for pattern in self._allowed)

    def ignore(self, path: str, what: str) -> None:
        """Notes what has no effect, and why, as one part of its file's warning."""
        origin = self._found.data.where(path)
        self._ignored.setdefault(origin.file, {}).setdefault(what, []).append(origin.line)

    def warnings(self) -> tuple[Finding, ...]:
        """One a file that lists all that is ignored there; none where nothing is."""
        return tuple(_warning(file, found) for file, found in self._ignored.items())


def _warning(file: Path, ignored: Mapping[str, list[int]]) -> Finding:
    parts = [f"line {', '.join(map(str, lines))}: {what}" for what, lines in ignored.items()]
    return warning("compose", str(file), f"ignored, as by `docker stack deploy`: {'; '.join(parts)}")

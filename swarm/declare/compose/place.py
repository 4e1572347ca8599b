"""A service's place in a file, in front of the paths of all that is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from swarm.declare.compose.file_reader import FileReader
from swarm.declare.keys import Key

T = TypeVar("T")


class Place:
    """What is read of a service, by paths of its own. `names` are those that it may use, by top-level key,
    and `folder` is the stack's on the nodes."""

    def __init__(
        self, reader: FileReader, service: str, names: Mapping[str, Collection[str]], folder: str = ""
    ) -> None:
        self.reader, self.service, self.names, self.folder = reader, service, names, folder

    def problem(self, path: str, value: Any, rule: str, remedy: str) -> None:
        """Notes a problem."""
        self.reader.problem(self._at(path), value, rule, remedy)

    def ignore(self, path: str, what: str) -> None:
        """Notes what has no effect, and why."""
        self.reader.ignore(self._at(path), what)

    def allows(self, path: str) -> bool:
        """Whether what isn't supported there may be left out."""
        return self.reader.allows(self._at(path))

    def build(self, kind: Callable[..., T], path: str, raw: Any) -> T | None:
        """A dataclass, by the keys of its fields; None where it isn't whole."""
        return self.reader.build(kind, self._at(path), raw)

    def given(self, path: str, raw: Any, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The values that are there, and right, by field."""
        return self.reader.given(self._at(path), raw, keys)

    def check_declared(self, path: str, kind: str, name: str) -> None:
        """Notes a name that isn't in the file under this top-level key."""
        if name not in self.names[kind]:
            rule = f"no {kind.removesuffix('s')} of this name is declared"
            self.problem(path, name, rule, f"Add it under `{kind}` at the end of the file")

    def check_once(self, path: str, listed: Collection[str]) -> None:
        """Notes what is listed twice."""
        for one in (one for one, times in Counter(listed).items() if times > 1):
            self.problem(path, one, "it is there twice, which Docker refuses", "Remove one of them")

    def _at(self, path: str) -> str:
        return f"services.{self.service}{path}"

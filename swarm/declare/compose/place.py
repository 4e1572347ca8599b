"""A service's place in a file, in front of the paths of all that is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from swarm.declare.keys import Key
from swarm.declare.reader import Reader

T = TypeVar("T")


class Place:
    """What is read of a service, by paths of its own. `names` are those that it may use, by top-level key."""

    def __init__(self, reader: Reader, service: str, names: Mapping[str, Collection[str]]) -> None:
        self.reader, self.service, self.names = reader, service, names

    def problem(self, path: str, value: Any, rule: str, remedy: str) -> None:
        """Notes a problem."""
        self.reader.problem(self._at(path), value, rule, remedy)

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

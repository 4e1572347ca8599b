"""Tables of the keys of Compose files, and the values by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from swarm.declare.reader import Reader, join
from swarm.declare.rules import UnshownError

REQUIRED = object()


@dataclass(frozen=True)
class Key:
    """A key of a mapping: `read` gives its value or raises ValueError where the rule is broken. `hidden`
    says that people write secrets there, so that no value is shown."""

    read: Callable[[Any], Any]
    rule: str
    default: Any = REQUIRED
    hidden: bool = False


class TableReader(Reader):
    """Takes values out of parsed YAML by tables of keys."""

    def mapping(self, path: str, raw: Any, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The values by key, defaults filled in; REQUIRED where a value without one can't be had."""
        if not isinstance(raw, Mapping):
            self.wrong(path, None, "must be a mapping", f"Its keys are {', '.join(keys)}")
            return {name: key.default for name, key in keys.items()}
        for name in (name for name in raw if name not in keys and not self.full):
            self.unknown(path, name, keys)
        return {name: self._taken(join(path, name), raw.get(name), key) for name, key in keys.items()}

    def _taken(self, path: str, raw: Any, key: Key) -> Any:
        if raw is None:
            if key.default is REQUIRED:
                self.wrong(path, None, f"is missing; it {key.rule}", "Add it")
            return key.default
        try:
            return key.read(raw)
        except (ValueError, TypeError) as error:
            hidden = key.hidden or isinstance(error, UnshownError)
            self.wrong(path, None if hidden else raw, key.rule, "Correct it")
            return key.default


def whole(values: Mapping[str, Any]) -> bool:
    """Whether every required value is there."""
    return REQUIRED not in values.values()

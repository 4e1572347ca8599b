"""Reading configuration by tables of keys: every mistake is gathered, none stops the reading."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """One mistake in the configuration: where, what, the rule that it breaks, the remedy."""

    key: str
    value: Any
    rule: str
    remedy: str

    def __str__(self) -> str:
        value = "" if self.value is None else f" is {json.dumps(self.value, default=str)}"
        return f"{self.key}{value}: {self.rule}. {self.remedy}."


class ConfigurationError(Exception):
    """The configuration has mistakes; the message lists all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        title = "one mistake" if count == 1 else f"{count} mistakes"
        lines = "".join(f"\n  - {mistake}" for mistake in self.mistakes)
        super().__init__(f"the configuration has {title}; nothing was changed:{lines}")


class UnshownError(ValueError):
    """A value breaks the rule, and may be a secret."""


REQUIRED = object()


@dataclass(frozen=True)
class Key:
    """A key of a mapping: `read` gives its value or raises ValueError where the rule is broken."""

    read: Callable[[Any], Any]
    rule: str
    default: Any = REQUIRED
    remedy: str = "Correct it"


class Reader:
    """Takes values out of parsed YAML, and gathers the mistakes on the way."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def wrong(self, key: str, value: Any, rule: str, remedy: str) -> None:
        """Notes a mistake, once."""
        mistake = Mistake(key, value, rule, remedy)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def mapping(self, path: str, raw: Any, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The values by key, defaults filled in; REQUIRED where a value without one can't be had."""
        if not isinstance(raw, Mapping):
            self.wrong(path, raw, "must be a mapping", f"Its keys are {', '.join(keys)}")
            return {name: key.default for name, key in keys.items()}
        for name in (name for name in raw if name not in keys):
            self.unknown(path, name, raw[name], keys)
        return {name: self._value(join(path, name), raw.get(name), key) for name, key in keys.items()}

    def unknown(self, path: str, name: str, value: Any, keys: Mapping[str, Key]) -> None:
        """Notes a key that isn't known."""
        remedy = near(name, keys) or f"Keys there are {', '.join(keys)}"
        self.wrong(join(path, name), value, "there is no such key", remedy)

    def _value(self, path: str, raw: Any, key: Key) -> Any:
        if raw is None:
            if key.default is REQUIRED:
                self.wrong(path, None, f"is missing; it {key.rule}", "Add it")
            return key.default
        try:
            return key.read(raw)
        except (ValueError, TypeError) as error:
            self.wrong(path, None if isinstance(error, UnshownError) else raw, key.rule, key.remedy)
            return key.default


def near(name: str, keys: Iterable[str]) -> str:
    """A question after the key that may be meant; empty where none is like it."""
    like = difflib.get_close_matches(str(name), list(keys), n=1)
    return f"Did you mean `{like[0]}`" if like else ""


def whole(values: Mapping[str, Any]) -> bool:
    """Whether every required value is there."""
    return REQUIRED not in values.values()


def join(path: str, name: Any) -> str:
    """The path of a key: `swarm:nodes`, `swarm:nodes[2].role`; in a file it begins with the first key."""
    return f"{path}{name}" if not path or path.endswith(":") else f"{path}.{name}"


def boolean(raw: Any) -> bool:
    """True or false; Pulumi's configuration holds both as text."""
    return {"true": True, "false": False}[str(raw).lower()] if _is_word(raw) else _refuse()


def text(raw: Any) -> str:
    """A text that isn't empty."""
    return raw if isinstance(raw, str) and raw else _refuse()


def sequence(raw: Any) -> list[Any]:
    """A list."""
    return raw if isinstance(raw, list) else _refuse()


def texts(raw: Any) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(item) for item in sequence(raw))


def distinct(raw: Any) -> tuple[str, ...]:
    """A list of texts, each there once."""
    listed = texts(raw)
    return listed if len(set(listed)) == len(listed) else _refuse()


def strings(raw: Any) -> dict[str, str]:
    """A mapping of names to texts; numbers become their text, as Docker does with labels."""
    if not isinstance(raw, Mapping):
        _refuse()
    return {str(name): _scalar(value) for name, value in raw.items()}


def number(low: int, high: int) -> Callable[[Any], int]:
    """A whole number between both ends, which belong to it."""

    def read(raw: Any) -> int:
        value = int(raw) if isinstance(raw, (int, str)) and not isinstance(raw, bool) else _refuse()
        return value if low <= value <= high else _refuse()

    return read


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of a few words."""

    def read(raw: Any) -> str:
        return str(raw) if raw in choices else _refuse()

    return read


def _is_word(raw: Any) -> bool:
    return str(raw).lower() in ("true", "false")


def _scalar(raw: Any) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, (str, int, float)) else _refuse()


def _refuse() -> Any:
    raise ValueError

"""Reading configuration by tables of keys: every mistake is gathered, none stops the reading."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swarm.errors import SwarmError


@dataclass(frozen=True)
class Mistake:
    """One mistake in the configuration: where, what, the rule that it breaks, the remedy."""

    key: str
    value: Any
    rule: str
    remedy: str

    def __str__(self) -> str:
        # As it is, not escaped: the engine blots out what it knows as a secret, where it finds that text.
        value = "" if self.value is None else f" is {json.dumps(self.value, ensure_ascii=False)}"
        said = f"{self.key}{value}: {self.rule}. {self.remedy}."
        return "".join(letter if letter.isprintable() else "?" for letter in said)


MOST = 200  # mistakes; a file that isn't meant for us may have as many as it has lines


class ConfigurationError(SwarmError):
    """The configuration has mistakes; the message lists all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        title = "one mistake" if count == 1 else f"{count} mistakes{' or more' if count == MOST else ''}"
        lines = "".join(f"\n  - {mistake}" for mistake in self.mistakes)
        super().__init__(f"the configuration has {title}; nothing was changed:{lines}")


class UnshownError(ValueError):
    """A value is of another kind than what belongs there; it may be a secret of whatever was meant."""


REQUIRED = object()


@dataclass(frozen=True)
class Key:
    """A key of a mapping: `read` gives its value or raises ValueError where the rule is broken. `hidden`
    says that people write secrets there, so that no value is shown."""

    read: Callable[[Any], Any]
    rule: str
    default: Any = REQUIRED
    remedy: str = "Correct it"
    hidden: bool = False


LONGEST_SHOWN = 200  # characters; a key or a certificate has more


class Reader:
    """Takes values out of parsed YAML, and gathers the mistakes on the way. `secret` are the keys under
    which the engine has secrets: nothing in them is shown."""

    def __init__(self, secret: Iterable[str] = ()) -> None:
        self.mistakes: list[Mistake] = []
        self._secret = tuple(secret)

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return len(self.mistakes) >= MOST

    def wrong(self, key: str, value: Any, rule: str, remedy: str) -> None:
        """Notes a mistake, once; with the value where it can be shown."""
        hidden = any(key == one or key.startswith((f"{one}.", f"{one}[", f"{one} ")) for one in self._secret)
        mistake = Mistake(key, value if not hidden and _can_be_shown(value) else None, rule, remedy)
        if mistake not in self.mistakes and not self.full:
            self.mistakes.append(mistake)

    def mapping(self, path: str, raw: Any, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The values by key, defaults filled in; REQUIRED where a value without one can't be had."""
        if not isinstance(raw, Mapping):
            self.wrong(path, None, "must be a mapping", f"Its keys are {', '.join(keys)}")
            return {name: key.default for name, key in keys.items()}
        for name in (name for name in raw if name not in keys and not self.full):
            self.unknown(path, name, keys)
        return {name: self._value(join(path, name), raw.get(name), key) for name, key in keys.items()}

    def unknown(self, path: str, name: str, keys: Mapping[str, Key]) -> None:
        """Notes a key that isn't known. Its value may be a secret of a mistyped key."""
        remedy = near(name, keys) or f"Keys there are {', '.join(keys)}"
        self.wrong(join(path, name), None, "there is no such key", remedy)

    def _value(self, path: str, raw: Any, key: Key) -> Any:
        if raw is None:
            if key.default is REQUIRED:
                self.wrong(path, None, f"is missing; it {key.rule}", "Add it")
            return key.default
        try:
            return key.read(raw)
        except (ValueError, TypeError) as error:
            hidden = key.hidden or isinstance(error, UnshownError)
            self.wrong(path, None if hidden else raw, key.rule, key.remedy)
            return key.default


def _can_be_shown(value: Any) -> bool:
    """Whether it is a number, or a short text on one line: all else may have a secret in it."""
    if isinstance(value, str):
        return len(value) <= LONGEST_SHOWN and value.isprintable()
    return isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 10**LONGEST_SHOWN)


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
    if isinstance(raw, str) and raw.lower() in ("true", "false"):
        return raw.lower() == "true"
    return raw if isinstance(raw, bool) else _refuse()


def text(raw: Any) -> str:
    """A text that isn't empty."""
    return raw if isinstance(raw, str) and raw else _refuse()


def line(raw: Any) -> str:
    """A text on one line, without control characters."""
    return text(raw) if str(raw).isprintable() else _refuse()


def sequence(raw: Any) -> list[Any]:
    """A list."""
    if isinstance(raw, list):
        return raw
    raise UnshownError


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
        raise UnshownError
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


def _scalar(raw: Any) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, (str, int, float)) else _refuse()


def _refuse() -> Any:
    raise ValueError

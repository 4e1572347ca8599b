"""Reading dataclasses by the keys of their fields: every problem is gathered, none stops the reading."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from swarm.declare.keys import Key, Part, keys_of
from swarm.declare.rules import UnshownError
from swarm.errors import SwarmError

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """One problem in the configuration: where, what, the rule that it breaks, the remedy."""

    key: str
    value: Any
    rule: str
    remedy: str

    def __str__(self) -> str:
        # As it is, not escaped: the engine blots out what it knows as a secret, where it finds that text.
        value = "" if self.value is None else f" is {json.dumps(self.value, ensure_ascii=False)}"
        said = f"{self.key}{value}: {self.rule}. {self.remedy}."
        return "".join(letter if letter.isprintable() else "?" for letter in said)


MOST = 200  # problems; a file that isn't meant for us may have as many as it has lines


class ConfigurationError(SwarmError):
    """The configuration has problems; the message lists all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        title = "one problem" if count == 1 else f"{count} problems{' or more' if count == MOST else ''}"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"the configuration has {title}; nothing was changed:{lines}")


LONGEST_SHOWN = 200  # characters; a key or a certificate has more


class Reader:
    """Takes values out of parsed YAML, and gathers the problems on the way. `secret` are the keys under
    which the engine has secrets: nothing in them is shown."""

    def __init__(self, secret: Iterable[str] = ()) -> None:
        self.problems: list[Problem] = []
        self._secret = tuple(secret)

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return len(self.problems) >= MOST

    def problem(self, key: str, value: Any, rule: str, remedy: str) -> None:
        """Notes a problem, once; with the value where it can be shown."""
        hidden = any(key == one or key.startswith((f"{one}.", f"{one}[", f"{one} ")) for one in self._secret)
        problem = Problem(key, value if not hidden and _can_be_shown(value) else None, rule, remedy)
        if problem not in self.problems and not self.full:
            self.problems.append(problem)

    def build(
        self,
        kind: Callable[..., T],
        path: str,
        raw: Any,
        keys: Mapping[str, Key] | None = None,
        **known: object,
    ) -> T | None:
        """A dataclass, from a mapping with the keys of its fields, but for those that are known. None where
        it isn't whole: a value that is required is missing or wrong."""
        keys = keys or keys_of(kind)
        found = {**self.given(path, raw, keys, known), **known}
        return kind(**found) if whole(keys, found) else None

    def given(
        self, path: str, raw: Any, keys: Mapping[str, Key], known: Collection[str] = ()
    ) -> dict[str, Any]:
        """The values that are there, and right, by field."""
        heads = dict.fromkeys(name.partition(".")[0] for name in keys)
        if not isinstance(raw, Mapping):
            self.problem(path, None, "must be a mapping", f"Its keys are {', '.join(heads)}")
            return {}
        for name in (name for name in raw if name not in heads and not self.full):
            self.unknown(path, name, heads)
        found: dict[str, Any] = {}
        for name in heads:
            at, value, key = join(path, name), raw.get(name), keys.get(name)
            if value is not None:
                found |= self._value(at, value, key) if key else self._inner(at, value, name, keys)
            elif key and key.required and key.field not in known:
                self.problem(at, None, f"is missing; it {key.rule.text}", "Add it")
        return found

    def unknown(self, path: str, name: str, keys: Iterable[str]) -> None:
        """Notes a key that isn't known. Its value may be a secret of a mistyped key."""
        remedy = near(name, keys) or f"Keys there are {', '.join(keys)}"
        self.problem(join(path, name), None, "there is no such key", remedy)

    def _value(self, path: str, raw: Any, key: Key) -> dict[str, object]:
        rule = key.rule
        if isinstance(rule, Part):
            keys = keys_of(rule.keys)
            made = self.build(rule.kind, path, raw, keys) if self._is_mapping(path, raw) else None
            return {} if made is None else {key.field: made}
        try:
            return {key.field: rule.read(raw)}
        except (ValueError, TypeError) as error:
            hidden = rule.hidden or isinstance(error, UnshownError)
            self.problem(path, None if hidden else raw, rule.text, "Correct it")
            return {}

    def _inner(self, path: str, raw: Any, head: str, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The values of the keys such as `deploy.mode`, out of the mapping that has them."""
        inner = {rest: key for name, key in keys.items() if (rest := name.removeprefix(f"{head}.")) != name}
        return self.given(path, raw, inner) if self._is_mapping(path, raw) else {}

    def _is_mapping(self, path: str, raw: Any) -> bool:
        if not isinstance(raw, Mapping):
            self.problem(path, None, "must be a mapping", "Correct it")
        return isinstance(raw, Mapping)


def _can_be_shown(value: Any) -> bool:
    """Whether it is a number, or a short text on one line: all else may have a secret in it."""
    if isinstance(value, str):
        return len(value) <= LONGEST_SHOWN and value.isprintable()
    return isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < 10**LONGEST_SHOWN)


def near(name: str, keys: Iterable[str]) -> str:
    """A question after the key that may be meant; empty where none is like it."""
    like = difflib.get_close_matches(str(name), list(keys), n=1)
    return f"Did you mean `{like[0]}`" if like else ""


def whole(keys: Mapping[str, Key], values: Mapping[str, object]) -> bool:
    """Whether every required value is there."""
    return all(key.field in values for key in keys.values() if key.required)


def join(path: str, name: Any) -> str:
    """The path of a key: `swarm:nodes`, `swarm:nodes[2].role`; in a file it begins with the first key."""
    return f"{path}{name}" if not path or path.endswith(":") else f"{path}.{name}"

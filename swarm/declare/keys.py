"""Keys of the configuration, each written once: at the field of the dataclass that holds its value."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast, dataclass_transform

from swarm.declare.rules import Rule

T = TypeVar("T")
MISSING: Any = dataclasses.MISSING


@dataclass(frozen=True)
class Part:
    """A value that is a mapping with keys of its own, those of a dataclass, and becomes one."""

    kind: Callable[..., object]
    keys: Callable[..., object]
    text: str = "must be a mapping"


@dataclass(frozen=True)
class Key:
    """A key and the field that it fills."""

    field: str
    rule: Rule[Any] | Part
    default: object  # MISSING: it is required

    @property
    def required(self) -> bool:
        """Whether there must be a value."""
        return self.default is MISSING


def key(
    rule: Rule[T] | Callable[[Any], T],
    text: str = "",
    *,
    default: T = MISSING,
    default_factory: Callable[[], T] = MISSING,
    name: str = "",
    hidden: bool = False,
    kw_only: bool = False,
) -> T:
    """A field that a key fills. The type that the rule gives must be the field's; `text` tells it, if it
    doesn't itself. `name` is the key, where it isn't the field's name; one such as `deploy.replicas` is in a
    mapping. What is `hidden` isn't in the dataclass's repr either."""
    made: Any = dataclasses.field
    field: T = made(
        default=default,
        default_factory=default_factory,
        kw_only=kw_only,
        repr=not hidden,
        metadata={"name": name, "rule": Rule(rule, text or getattr(rule, "text", ""), hidden)},
    )
    return field


def part(kind: Callable[..., T], *, default: T, name: str = "", keys: Callable[..., T] | None = None) -> T:
    """A field that a mapping fills: a dataclass, by its own keys or those of a class derived from it."""
    made: Any = dataclasses.field
    field: T = made(default=default, metadata={"name": name, "rule": Part(kind, keys or kind)})
    return field


_KEYS: dict[Callable[..., object], dict[str, Key]] = {}


@dataclass_transform(frozen_default=True, field_specifiers=(key, part, dataclasses.field))
def camel_cased(kind: type[T]) -> type[T]:
    """Makes a frozen dataclass, whose fields may have keys: that of drain_timeout is drainTimeout."""
    return _declared(kind, lambda field: re.sub("_(.)", lambda match: match[1].upper(), field))


@dataclass_transform(frozen_default=True, field_specifiers=(key, part, dataclasses.field))
def snake_cased(kind: type[T]) -> type[T]:
    """The same, with keys that are as the fields are called."""
    return _declared(kind, str)


def _declared(kind: type[T], spell: Callable[[str], str]) -> type[T]:
    made = dataclass(frozen=True)(kind)
    _KEYS[made] = {
        field.metadata["name"] or spell(field.name): Key(
            field.name,
            field.metadata["rule"],
            field.default if field.default_factory is dataclasses.MISSING else field.default_factory(),
        )
        for field in dataclasses.fields(cast(Any, made))
        if "rule" in field.metadata
    }
    return made


def keys_of(kind: Callable[..., object]) -> dict[str, Key]:
    """The keys of a dataclass, in the order of its fields."""
    return _KEYS[kind]


def taken(kind: Callable[..., T], values: dict[str, Any]) -> T:
    """A dataclass of those of the values that are its own, which are taken out of them."""
    fields = [key.field for key in keys_of(kind).values()]
    return kind(**{field: values.pop(field) for field in fields if field in values})

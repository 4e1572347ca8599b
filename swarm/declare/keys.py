"""Keys of the configuration, each written once: at the field of the dataclass that holds its value."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
MISSING: Any = dataclasses.MISSING


@dataclass(frozen=True)
class Rule:
    """What a value must be: `read` gives it or raises ValueError, `text` tells people. `hidden` says that
    people write secrets there, so that no value is shown. `name` is the key's, if it isn't the field's."""

    read: Callable[[Any], object]
    text: str
    name: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Key:
    """A key and the field that it fills; without a default it is required."""

    field: str
    rule: Rule
    required: bool


def key(
    read: Callable[[Any], T],
    rule: str,
    *,
    default: T = MISSING,
    default_factory: Callable[[], T] = MISSING,
    name: str = "",
    hidden: bool = False,
    kw_only: bool = False,
) -> T:
    """A field that a key fills. The type that `read` gives must be the field's. What is `hidden` isn't in
    the dataclass's repr either."""
    made: Any = dataclasses.field
    field: T = made(
        default=default,
        default_factory=default_factory,
        kw_only=kw_only,
        repr=not hidden,
        metadata={"rule": Rule(read, rule, name, hidden)},
    )
    return field


@dataclass_transform(frozen_default=True, field_specifiers=(key, dataclasses.field))
def declared(kind: type[T]) -> type[T]:
    """Makes a frozen dataclass, whose fields may have keys."""
    return dataclass(frozen=True)(kind)


def camel_case(field: str) -> str:
    """The key of a field: drain_timeout is drainTimeout."""
    return re.sub("_(.)", lambda match: match[1].upper(), field)


def keys_of(kind: Any, spell: Callable[[str], str] = camel_case) -> dict[str, Key]:
    """The keys of a dataclass, in the order of its fields."""
    return {
        field.metadata["rule"].name or spell(field.name): Key(
            field.name,
            field.metadata["rule"],
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in dataclasses.fields(kind)
        if "rule" in field.metadata
    }

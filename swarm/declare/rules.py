"""What a value must be: each rule gives the value, or raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# A registry's host, a path of lower-case parts, a tag and a digest, of which the path is a must.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
IMAGE = re.compile(
    rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?"
    r"(?:@(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?",
    re.ASCII,
)


class UnshownError(ValueError):
    """A value is of another kind than what belongs there; it may be a secret of whatever was meant."""


@dataclass(frozen=True)
class Rule(Generic[T]):
    """What a value must be: `read` gives it or raises ValueError, `text` tells people. `hidden` says that
    people write secrets there, so that no value is shown."""

    read: Callable[[Any], T]
    text: str
    hidden: bool = False

    def __call__(self, raw: Any) -> T:
        """The value."""
        return self.read(raw)


def must_be(text: str) -> Callable[[Callable[[Any], T]], Rule[T]]:
    """Makes a rule of the function that reads the value."""
    return lambda read: Rule(read, f"must be {text}")


@must_be("true or false")
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


def anything(raw: Any) -> Any:
    """What is read further on, with a path of its own."""
    return raw


def items(raw: Any) -> Any:
    """A list, the items of which are."""
    return sequence(raw)


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


def number(low: int, high: int, what: str = "a number") -> Rule[int]:
    """A whole number between both ends, which belong to it."""

    @must_be(f"{what}, {low} to {high}")
    def read(raw: Any) -> int:
        value = int(raw) if isinstance(raw, (int, str)) and not isinstance(raw, bool) else _refuse()
        return value if low <= value <= high else _refuse()

    return read


def one_of(*choices: str) -> Rule[str]:
    """One of a few words."""

    @must_be(", ".join((*choices[:-2], " or ".join(choices[-2:]))))
    def read(raw: Any) -> str:
        return str(raw) if raw in choices else _refuse()

    return read


def image(raw: Any) -> str:
    """The name of an image, by the grammar of https://github.com/distribution/reference."""
    if not IMAGE.fullmatch(text(raw)) or len(raw) > 255 or re.fullmatch("[0-9a-f]{64}", raw):
        raise ValueError
    return str(raw)


def _scalar(raw: Any) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, (str, int, float)) else _refuse()


def _refuse() -> Any:
    raise ValueError

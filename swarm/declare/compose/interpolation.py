"""Variables in the texts of Compose files, filled in as Docker's client does it. A default may have variables
in it again, as Compose allows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import NoReturn

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
START = re.compile(
    rf"\$(?:(?P<dollar>\$)|(?P<plain>{_NAME})|\{{(?P<name>{_NAME})(?P<how>:?[-?+])?)?", re.ASCII
)
BRACE = re.compile(r"\$\$|\$\{|\}")
DEEPEST = 20  # defaults in defaults


def interpolate(source: str, variables: Mapping[str, str], secrets: Collection[str] = ()) -> str:
    """The source with its variables filled in: $NAME and ${NAME}, and by their value, or by whether they have
    one, ${NAME:-default}, ${NAME-default}, ${NAME:?message}, ${NAME?message}, ${NAME:+text}, ${NAME+text};
    $$ is a dollar sign. Raises ValueError, which shows no value, for a variable that has neither a value nor
    a default, and for a secret, which would be shown."""
    return _Filling(variables, secrets).text(source)


class _Filling:
    def __init__(self, variables: Mapping[str, str], secrets: Collection[str]) -> None:
        self.variables, self.secrets = variables, secrets

    def text(self, source: str, depth: int = 0) -> str:
        """The text with its variables filled in."""
        if depth > DEEPEST:
            raise ValueError(f"its defaults are nested deeper than {DEEPEST} levels")
        filled, at = [], 0
        while start := START.search(source, at):
            value, end = self._filled(source, start, depth)
            filled += [source[at : start.start()], value]
            at = end
        return "".join((*filled, source[at:]))

    def _filled(self, source: str, start: re.Match[str], depth: int) -> tuple[str, int]:
        """What stands for the variable that starts there, and where it ends."""
        if start["dollar"]:
            return "$", start.end()
        if start["plain"]:
            return self._value(start["plain"], "", "", depth), start.end()
        end = _closing(source, start.end()) if start["name"] else _refuse()
        word = source[start.end() : end]
        if word and not start["how"]:
            _refuse()
        return self._value(start["name"], start["how"] or "", word, depth), end + 1

    def _value(self, name: str, how: str, word: str, depth: int) -> str:
        if name in self.secrets:
            raise ValueError(f"{name} is in swarm:secrets: what is filled in is shown, a secret never is")
        value = self.variables.get(name)
        if how.startswith(":"):
            value = value or None
        if how.endswith("+"):
            return "" if value is None else self.text(word, depth + 1)
        if value is not None:
            return value
        if how.endswith("-"):
            return self.text(word, depth + 1)
        raise ValueError(f"variable {name} {word or 'has neither a value nor a default'}")


def _closing(source: str, at: int) -> int:
    """Where the brace is that closes the one before."""
    depth = 1
    for brace in BRACE.finditer(source, at):
        depth += {"${": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            return brace.start()
    return _refuse()


def _refuse() -> NoReturn:
    raise ValueError("a $ in it is none of $NAME, ${NAME}, ${NAME:-default}; $$ is a dollar")

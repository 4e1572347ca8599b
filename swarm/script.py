"""Programs in other languages, each a file of its own beside the module that uses it.

Their bodies are constant: values come as variables in a header of the shell, quoted, or as arguments.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

COMMENT = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)
SOURCED = re.compile(r"^\. \./(\S+)\n", re.MULTILINE)


def program(path: Path) -> str:
    """A program without its lines of comment, which a host doesn't need and a state doesn't compare."""
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def render(path: Path, calls: Iterable[Sequence[str]] = (), **values: object) -> str:
    """A shell script: the values as variables; the file, with those in it that it sources (`. ./NAME`), each
    once; and calls of its functions, in words."""
    header = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items())
    return header + _resolved(path, {path}) + "".join(f"{shlex.join(call)}\n" for call in calls)


def _resolved(path: Path, seen: set[Path]) -> str:
    def fragment(found: re.Match[str]) -> str:
        other = path.with_name(found[1])
        if other in seen:
            return ""
        seen.add(other)
        return _resolved(other, seen)

    return SOURCED.sub(fragment, program(path))

"""A stack's `envFile`: variables by line, as Compose reads its .env files, in their plain forms alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from swarm import files
from swarm.declare.compose.interpolation import interpolate
from swarm.declare.reader import Reader
from swarm.declare.settings import NAMESPACE, StackConfig

LINE = re.compile(
    r"(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*"
    r"(?:'(?P<literal>[^']*)'|\"(?P<quoted>(?:[^\"\\]|\\[nrt$\"\\])*)\"|(?P<bare>(?![#'\"]).*?))"
    r"(?:[ \t]+\#.*)?[ \t]*"
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "$": "$$"}
FORM = "must be NAME=VALUE, with or without `export`, the value without quotes or in one pair of them"


def read(reader: Reader, config: StackConfig, secrets: Collection[str]) -> dict[str, str]:
    """The stack's variables: those of its `envFile`, under its own. The reader is told of each line that
    isn't understood, and nothing of its value."""
    if not config.env_file:
        return dict(config.variables)
    try:
        text = files.text(config.env_file)
    except files.UnreadableError as error:
        where = f"{NAMESPACE}stacks ({config.name}).envFile"
        reader.problem(where, str(config.env_file), f"can't be read: {error}", "Correct the path")
        return dict(config.variables)
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        try:
            found |= _read(line.strip(" \t\r"), {**found, **config.variables}, secrets)
        except ValueError as error:
            reader.problem(f"{config.env_file}:{number}", None, str(error), "Correct the line")
    return {**found, **config.variables}


def _read(line: str, known: Mapping[str, str], secrets: Collection[str]) -> dict[str, str]:
    """The variable of a line; none of an empty one or a comment."""
    if not line or line.startswith("#"):
        return {}
    if not (match := LINE.fullmatch(line)):
        raise ValueError(FORM)
    if match["literal"] is not None:
        return {match["name"]: match["literal"]}
    template = re.sub(r"\\(.)", lambda one: ESCAPES.get(one[1], one[1]), match["quoted"] or "")
    try:
        return {match["name"]: interpolate(template or match["bare"] or "", known, secrets)}
    except ValueError:  # its words may have a part of the value
        rule = "its value has a $ that begins no variable with a value; in single quotes it is a dollar sign"
        raise ValueError(rule) from None

"""The `env_file` of services: variables by line, as Docker's client reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from swarm import files
from swarm.declare.compose import values
from swarm.declare.compose.located import Located
from swarm.declare.compose.merging import pairs


def read(path: Path) -> dict[str, str | None]:
    """The variables; None for a name without a value. Raises UnreadableError, and ValueError for a line that
    is none."""
    # Lines as Docker's client has them: other characters that end one for Python are in a value.
    lines = [one.removesuffix("\r").lstrip() for one in files.text(path).split("\n")]
    return values.variables([one for one in lines if one and one[0] != "#"])


def folded(service: Located, folder: Path) -> Located:
    """A service of one of several files with the variables of its `env_file` in its `environment`: to
    Docker's client they are the file's own, and replace those of files before. What can't be read stays."""
    if not isinstance(service.value, dict) or "env_file" not in service.value:
        return service
    listed = service.value["env_file"]
    own = pairs(service.value.get("environment", replace(listed, value={})), empty=None)
    if not isinstance(own.value, dict):
        return service
    found: dict[str, Located] = {}
    for one in listed.value if isinstance(listed.value, list) else [listed]:
        try:
            variables = read(folder / one.value)
        except (files.UnreadableError, ValueError, TypeError):
            return service
        found |= {name: Located(value, one.origin, filled=True) for name, value in variables.items()}
    rest = {name: one for name, one in service.value.items() if name != "env_file"}
    return replace(service, value={**rest, "environment": replace(own, value={**found, **own.value})})

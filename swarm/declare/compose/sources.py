"""The Compose files of a stack: each read and filled in, and all of them as one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from swarm import files
from swarm.declare.compose.document import Document, fill
from swarm.declare.compose.env_file import folded
from swarm.declare.compose.located import Located, Origin, locate
from swarm.declare.compose.merging import merge
from swarm.declare.compose.merging_items import KEYED, doubles
from swarm.declare.reader import Reader
from swarm.declare.settings import NAMESPACE, StackConfig

# A version that isn't there, and 3, are the newest to Docker's client.
NEWEST = {"None": "3.13", "3": "3.13"}


@dataclass(frozen=True)
class Sources:
    """The data of all files, and where texts are that lack the value of a variable: file and path."""

    data: Located
    unfilled: list[tuple[Path, str]] = field(default_factory=list)


def opened(reader: Reader, config: StackConfig) -> list[Origin]:
    """The stack's files, those left out that can't be read; the reader is told why."""
    found = [_opened(reader, config, path) for path in config.compose]
    return [one for one in found if one]


def read(
    reader: Reader,
    config: StackConfig,
    origins: Sequence[Origin],
    known: Collection[str],
    secrets: Mapping[str, str],
) -> Sources:
    """The files' data with the variables under the known keys filled in, and merged."""
    unfilled: list[tuple[Path, str]] = []
    located = [_filled(reader, config, one, known, secrets, unfilled) for one in origins]
    if len(located) > 1 and all(isinstance(one.value, dict) for one in located):
        _check(reader, located)
        located = _folded(located, origins[0].file.parent)
    else:  # where one is no mapping, that is its problem
        located = [one for one in located if not isinstance(one.value, dict)] or located
    return Sources(reduce(merge, located), unfilled)


def _opened(reader: Reader, config: StackConfig, path: Path) -> Origin | None:
    try:
        return Origin(path, Document(files.text(path)))
    except files.UnreadableError as error:
        where = f"{NAMESPACE}stacks ({config.name}).compose"
        reader.problem(where, str(path), f"can't be read: {error}", "Correct the path")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        # A password that begins with * or ! is an alias or a tag, which PyYAML quotes.
        problem = re.sub(r"'(?!<)[^']{3,}'", "", str(error.problem))
        reader.problem(
            f"{path}:{line}", None, problem, "Correct the file; quote texts with special characters"
        )
    return None


def _filled(
    reader: Reader,
    config: StackConfig,
    origin: Origin,
    known: Collection[str],
    secrets: Mapping[str, str],
    unfilled: list[tuple[Path, str]],
) -> Located:
    def tell(path: str, rule: str, remedy: str) -> None:
        reader.problem(str(origin.inner(path)), None, rule, remedy)
        unfilled.append((origin.file, path))

    written: Any = origin.document.data
    if not isinstance(written, dict):
        return locate(written, written, origin)
    part = {name: value for name, value in written.items() if name in known}
    return locate(written, written | fill(part, config.variables, secrets, tell), origin)


def _services(located: Located) -> dict[str, Located]:
    services = located.value.get("services")
    return services.value if services and isinstance(services.value, dict) else {}


def _check(reader: Reader, located: Sequence[Located]) -> None:
    """What Docker's client refuses, or would drop silently, of several files."""
    versions = [str(one.value["version"].value) if "version" in one.value else "None" for one in located]
    if len({NEWEST.get(one, one) for one in versions}) > 1:
        rule = "files of one stack must have the same `version`, and one without has the newest, 3.13"
        reader.problem(str(located[-1].where("version")), None, rule, "Remove it from all of them")
    for at, one in enumerate(located):
        for name, service in _services(one).items():
            if not isinstance(service.value, dict):
                continue
            later = any(name in _services(other) for other in located[at + 1 :])
            before = [_services(other)[name].value for other in located[:at] if name in _services(other)]
            for kind in KEYED:
                if not later and not any(kind in (other or {}) for other in before):
                    continue
                for double in doubles(kind, service.value.get(kind, Located(None, one.origin))):
                    rule = f"of two {kind} with this key Docker's client keeps the last, as it merges files"
                    reader.problem(str(double.origin), None, rule, "Have the service in one file alone")


def _folded(located: Sequence[Located], folder: Path) -> list[Located]:
    """The files, with variables from an `env_file` where a service is in several."""
    made = []
    for one in located:
        services = {
            name: folded(service, folder)
            if sum(name in _services(other) for other in located) > 1
            else service
            for name, service in _services(one).items()
        }
        whole = one.value.get("services")
        known = {"services": replace(whole, value=services)} if services else {}
        made.append(replace(one, value={**one.value, **known}))
    return made

"""Secrets and configs at the top of a file, and their contents."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from swarm import files
from swarm.declare import environment
from swarm.declare.compose import values
from swarm.declare.compose.named import Named, check_length, outside
from swarm.declare.keys import key, keys_of, snake_cased, taken
from swarm.declare.reader import Reader
from swarm.declare.rules import text
from swarm.declare.settings import NAMESPACE

# Docker's rules, from the checks of a new secret or config in swarmkit's manager/controlapi: fewer bytes
# than this, and 64 characters for a name, of which 8 are the suffix that tells contents apart.
LIMITS = {"secrets": 500 * 1024, "configs": 1000 * 1024}
LONGEST_NAME = 64 - 8
NAME = r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?"

# What was written in place of a name may be the content itself: it isn't shown.
SETTING = f"Set it by `pulumi config set --secret --path {NAMESPACE}secrets.NAME`, and give that name"


@snake_cased
class File:
    """A secret or a config: what tasks are given to read as a file. Never shown."""

    name: str
    content: bytes = field(default=b"", repr=False)
    external: str | None = None  # Docker's name of one that is there already
    labels: Mapping[str, str] = values.named()


@snake_cased
class _Written(Named):
    """The keys that are no field of a file by themselves."""

    file: str | None = key(text, "must be the path of a file", default=None)
    environment: str | None = key(
        text,
        "must be a name in swarm:secrets, or of a variable of the environment",
        default=None,
        hidden=True,
    )


KEYS = keys_of(_Written) | keys_of(File)


class ContentReader:
    """Reads the secrets and configs of a stack; `secrets` are contents by name."""

    def __init__(self, reader: Reader, stack: str, folder: Path, secrets: Mapping[str, str]) -> None:
        self.reader, self.stack, self.folder, self.secrets = reader, stack, folder, secrets

    def read(self, kind: str, raw: Mapping[str, Any]) -> tuple[File, ...]:
        """Those of a kind; the reader is told the problems."""
        found = [self._read(kind, name, options) for name, options in raw.items()]
        return tuple(one for one in found if one)

    def _read(self, kind: str, name: str, raw: Any) -> File | None:
        where = f"{kind}.{name}"
        if not re.fullmatch(NAME, name, re.ASCII):
            rule = "its name must be letters, digits, inner - _ and ."
            self.reader.problem(where, None, rule, "Rename it")
        found = self.reader.given(where, raw, KEYS)
        if external := outside(self.reader, where, name, KEYS, found):
            return File(name, external=external)
        written = taken(_Written, found)
        if written.name:
            rule = "its name is ours to choose: a changed content needs another one"
            self.reader.problem(f"{where}.name", written.name, rule, "Remove it")
        check_length(self.reader, where, self.stack, name, LONGEST_NAME)
        content = self._content(where, written, LIMITS[kind])
        return File(name, content, **found) if content else None

    def _content(self, where: str, written: _Written, limit: int) -> bytes:
        """From a file, swarm:secrets or the environment; nothing where it is wrong."""
        path, variable = written.file, written.environment
        if bool(path) == bool(variable):
            rule = "its content comes from `file` or from `environment`, one of them"
            self.reader.problem(where, None, rule, "Give one of them, or `external: true`")
            return b""
        source = f"{where}.{'file' if path else 'environment'}"
        try:
            content = files.content(self.folder / path, limit) if path else self._variable(str(variable))
        except files.UnreadableError as error:
            value, remedy = str(self.folder / str(path)), "Correct the path, or the file"
            self.reader.problem(source, value, f"can't be read: {error}", remedy)
            return b""
        except ValueError as error:
            self.reader.problem(source, None, str(error), SETTING)
            return b""
        if not 0 < len(content) < limit:
            rule = f"must hold something, and less than {limit // 1024} KiB"
            self.reader.problem(source, None, rule, "Correct it" if path else SETTING)
            return b""
        return content

    def _variable(self, name: str) -> bytes:
        """What has this name in swarm:secrets, or else in the environment. Not what is the run's own there:
        a file that somebody sends us would get the passphrase by asking for it."""
        if name not in self.secrets and environment.is_own(name):
            raise ValueError("it is a credential of the run's own, which no service gets by its name alone")
        return self.secrets.get(name, os.environ.get(name, "")).encode()

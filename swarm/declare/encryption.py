"""Whether what is secret in the configuration is where it stays secret, and encrypted there. No value is
shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from swarm import files
from swarm.declare.compose.document import Document
from swarm.declare.reader import Reader
from swarm.declare.settings import NAMESPACE

SECRETS = f"{NAMESPACE}secrets"
STACKS = f"{NAMESPACE}stacks"
# The engine knows all three; the last is that of its first version.
SPELLINGS = (SECRETS, "secrets", f"{NAMESPACE}config:secrets")


def check(reader: Reader, values: Mapping[str, Any], secret: Collection[str], path: Path) -> None:
    """Tells the reader of secrets in plain, and of those elsewhere than under swarm:secrets. `secret` are the
    keys under which the engine has at least one, `path` is that of Pulumi.STACK.yaml."""
    for key in (key for key in values if key in secret and key.startswith(NAMESPACE) and key != SECRETS):
        rule = "has a secret in it, and what it declares is shown"
        remedy = f"Set it anew without `--secret`, in plain; contents of secrets go to {SECRETS}.NAME"
        if key == STACKS:
            remedy = f"Move it to {SECRETS}.NAME; a Compose file has it as `secrets`, by `environment: NAME`"
        reader.problem(key, None, rule, remedy)
    where = [SECRETS] if SECRETS in values and SECRETS not in secret else []
    for one in where or (f"{SECRETS}.{name}" for name in in_plain(path)):
        remedy = f"Set {'each' if where else 'it'} with `pulumi config set --secret --path {SECRETS}.NAME`"
        reader.problem(one, None, "is there for all to read", remedy)


def in_plain(path: Path) -> Iterator[str]:
    """The names of secrets that a stack's file has in plain. The engine tells only that there is one that is
    encrypted; so it is asked alone where the secrets come from elsewhere than from this file."""
    try:
        data = Document(files.text(path)).data
    except (files.UnreadableError, yaml.YAMLError):
        return
    config = data.get("config") if isinstance(data, Mapping) else None
    for key, declared in config.items() if isinstance(config, Mapping) else ():
        if key in SPELLINGS and isinstance(declared, Mapping) and not _encrypted(declared):
            yield from (name for name, value in declared.items() if not _encrypted(value))


def _encrypted(value: Any) -> bool:
    """Whether it is what the engine writes in place of a secret."""
    return isinstance(value, Mapping) and list(value) == ["secure"] and isinstance(value["secure"], str)

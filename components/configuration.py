"""All that is declared, in one reading: settings, the way to the hosts, the stacks' Compose files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components import compose, connection, settings
from components.checks import ConfigurationError, Reader


def load(
    values: Mapping[str, Any], folder: Path, project: str, stack: str
) -> tuple[settings.Settings, list[compose.Stack]]:
    """Settings and stacks. Raises ConfigurationError with every mistake in any of them; no host is
    dialled for that."""
    reader = Reader()
    declared = settings.read(reader, values, folder, project, stack)
    connection.check(reader, declared)
    stacks = [compose.read(reader, deployment) for deployment in declared.stacks]
    if reader.mistakes:
        raise ConfigurationError(reader.mistakes)
    return declared, stacks

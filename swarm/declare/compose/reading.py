"""From a Compose file to a stack. A key that isn't known is refused by path and line; what Docker's client
ignores is, with a warning: nothing is dropped silently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from swarm.declare.compose import dotenv, networks, sources, values, volumes
from swarm.declare.compose.contents import ContentReader
from swarm.declare.compose.file_reader import FileReader
from swarm.declare.compose.model import Service, Stack
from swarm.declare.compose.named import LABEL, LONGEST_LABEL, check_length
from swarm.declare.compose.service import ServiceReader
from swarm.declare.keys import key, keys_of, snake_cased
from swarm.declare.reader import Reader
from swarm.declare.settings import StackConfig


def _mapping(name: str) -> Mapping[str, Any]:
    return key(values.mapping, f"must be a mapping of {name}", default_factory=dict)


@snake_cased
class _Top:
    """The keys at the top of a file."""

    version: str | None = key(str, "must be a text", default=None)  # obsolete; it says nothing
    services: Mapping[str, Any] = _mapping("services")
    networks: Mapping[str, Any] = _mapping("networks")
    volumes: Mapping[str, Any] = _mapping("volumes")
    secrets: Mapping[str, Any] = _mapping("secrets")
    configs: Mapping[str, Any] = _mapping("configs")


def read(reader: Reader, config: StackConfig, secrets: Mapping[str, str] | None = None) -> Stack:
    """The stack of its Compose files; `secrets` are contents by name. The reader is told the problems; what
    has one is left out."""
    secrets = secrets or {}
    origins = sources.opened(reader, config)
    if len(origins) < len(config.compose):
        return Stack(config.name)
    config = replace(config, variables=dotenv.read(reader, config, secrets))
    found = sources.read(reader, config, origins, keys_of(_Top), secrets)
    own = FileReader(reader, found, config.ignore_unsupported)
    return _StackReader(own, config, secrets).read(found.data.plain)


class _StackReader:
    """Reads the data of the files."""

    def __init__(self, reader: FileReader, config: StackConfig, secrets: Mapping[str, str]) -> None:
        self.reader, self.config, self.secrets = reader, config, secrets
        self.name, self.folder = config.name, config.compose[0].parent

    def read(self, raw: Any) -> Stack:
        """The stack; the reader is told the problems."""
        top = self.reader.build(_Top, "", raw) or _Top()
        made = {name: networks.read(self.reader, self.name, name, one) for name, one in top.networks.items()}
        services = self._services(top)
        if any(one.network == "default" for service in services for one in service.networks):
            made.setdefault("default", networks.read(self.reader, self.name, "default", {}))
        contents = ContentReader(self.reader, self.name, self.folder, self.secrets)
        return Stack(
            self.name,
            services,
            tuple(made.values()),
            contents.read("secrets", top.secrets),
            contents.read("configs", top.configs),
            self.config.depends_on,
            self.config.resolve_images,
            self.reader.warnings(),
        )

    def _services(self, top: _Top) -> tuple[Service, ...]:
        made = {name: volumes.read(self.reader, self.name, name, one) for name, one in top.volumes.items()}
        names = {
            "networks": (*top.networks, "default"),
            "volumes": tuple(made),
            "secrets": tuple(top.secrets),
            "configs": tuple(top.configs),
        }
        config = self.config
        reader = ServiceReader(self.reader, self.folder, config.variables, names, made, config.folder)
        for name in top.services:
            where = f"services.{name}"
            if not re.fullmatch(LABEL, name):
                self.reader.problem(
                    where, None, "its name must be letters, digits, inner - and _", "Rename it"
                )
            check_length(self.reader, where, self.name, name, LONGEST_LABEL)
        found = [reader.read(name, one) for name, one in top.services.items()]
        return tuple(service for service in found if service)

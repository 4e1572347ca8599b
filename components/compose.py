"""Compose files, read into a small typed model; stack.py turns it into resources.

The model holds what the mapping knows. Any other key is refused by its path: nothing is dropped.
Source of the keys: the Compose specification, https://compose-spec.io, as `docker stack deploy` takes it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from components.checks import (
    Key,
    Reader,
    number,
    one_of,
    sequence,
    strings,
    text,
    whole,
)
from components.settings import NAMESPACE, Deployment, Node


@dataclass(frozen=True)
class Port:
    """A published port: on every node (ingress) or on those that run a task (host)."""

    target: int
    published: int
    protocol: str = "tcp"
    mode: str = "ingress"


@dataclass(frozen=True)
class Update:
    """How a service's tasks are replaced by new ones."""

    parallelism: int = 1
    delay: str = "0s"
    order: str = "stop-first"


@dataclass(frozen=True)
class Service:
    """A service as declared."""

    name: str
    image: str
    replicas: int = 1
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    constraints: tuple[str, ...] = ()
    update: Update | None = None


@dataclass(frozen=True)
class Stack:
    """A stack as declared; names are those in the file, Docker's carry the stack's in front."""

    name: str
    services: tuple[Service, ...]
    networks: tuple[str, ...]

    def full(self, name: str) -> str:
        """The name that Docker knows a service or network by."""
        return f"{self.name}_{name}"

    @property
    def mesh_ports(self) -> list[int]:
        """The ports that are published on every node."""
        ports = (port for service in self.services for port in service.ports)
        return [port.published for port in ports if port.mode == "ingress"]

    def endpoints(self, nodes: Sequence[Node]) -> list[dict[str, str]]:
        """Where the published ports answer. In host mode that is only where a task runs, and the
        swarm may move it: the address is left to the reader."""
        return [
            {
                "service": self.full(service.name),
                "mode": port.mode,
                "address": f"{nodes[0].host if port.mode == 'ingress' else 'NODE'}:{port.published}",
            }
            for service in self.services
            for port in service.ports
        ]


def read(reader: Reader, deployment: Deployment) -> Stack:
    """The stack of a Compose file. The reader is told the mistakes; what has one is left out."""
    path, raw = deployment.compose, {}
    try:
        raw = yaml.safe_load(interpolate(path.read_text(), deployment.variables))
    except OSError as error:
        where = f"{NAMESPACE}stacks ({deployment.name}).compose"
        reader.wrong(where, str(path), f"can't be read: {error.strerror}", "Correct the path")
    except (yaml.YAMLError, ValueError) as error:
        reader.wrong(str(path), None, " ".join(str(error).split()), "Correct the file")
    else:
        return _stack(reader, deployment.name, path, raw)
    return Stack(deployment.name, (), ())


def interpolate(source: str, variables: Mapping[str, str]) -> str:
    """The source with ${NAME} and ${NAME:-default} filled in, and $$ for a dollar sign. Raises
    ValueError for a variable that has neither a value nor a default."""

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if not match["name"]:
            raise ValueError(f"only ${{NAME}}, ${{NAME:-default}} and $$ are known, not {match[0]}")
        if match["name"] not in variables and match["default"] is None:
            raise ValueError(f"variable {match['name']} isn't in `variables` and has no default")
        return variables.get(match["name"]) or match["default"] or ""

    known = r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}|\S{0,20})"
    return re.sub(known, value, source)


def _stack(reader: Reader, name: str, path: Path, raw: Any) -> Stack:
    top = reader.mapping(f"{path}:", raw, TOP)
    for network, options in top["networks"].items():
        reader.mapping(f"{path}:networks.{network}", options or {}, NETWORK)
    services = [
        service
        for service_name, options in top["services"].items()
        if (service := _service(reader, f"{path}:services.{service_name}", service_name, options))
    ]
    for service in services:
        for network in set(service.networks) - {*top["networks"], "default"}:
            reader.wrong(
                f"{path}:services.{service.name}.networks",
                network,
                "no network of this name is declared",
                "Add it under `networks` at the end of the file",
            )
    used = {network for service in services for network in service.networks}
    return Stack(name, tuple(services), tuple(dict.fromkeys([*top["networks"], *sorted(used)])))


def _service(reader: Reader, path: str, name: str, raw: Any) -> Service | None:
    values = reader.mapping(path, raw, SERVICE)
    deploy = reader.mapping(f"{path}.deploy", values["deploy"], DEPLOY)
    placement = reader.mapping(f"{path}.deploy.placement", deploy["placement"], PLACEMENT)
    update = deploy["update_config"]
    paced = reader.mapping(f"{path}.deploy.update_config", update, UPDATE) if update else None
    ports = [_port(reader, f"{path}.ports[{at}]", one) for at, one in enumerate(values["ports"])]
    if not whole(values):
        return None
    return Service(
        name=name,
        image=values["image"],
        replicas=deploy["replicas"],
        command=values["command"],
        environment=values["environment"],
        networks=tuple(values["networks"]),
        ports=tuple(port for port in ports if port),
        constraints=tuple(placement["constraints"]),
        update=Update(**paced) if paced else None,
    )


def _port(reader: Reader, path: str, raw: Any) -> Port | None:
    """Long as a mapping, or short as PUBLISHED:TARGET[/PROTOCOL]."""
    short = re.fullmatch(r"(\d+):(\d+)(?:/(tcp|udp|sctp))?", str(raw))
    if short:
        raw = {"published": short[1], "target": short[2], "protocol": short[3] or "tcp"}
    elif not isinstance(raw, Mapping):
        reader.wrong(path, raw, "must be PUBLISHED:TARGET, or a mapping", "Correct it")
        return None
    values = reader.mapping(path, raw, PORT)
    return Port(**values) if whole(values) else None


def texts(raw: Any) -> list[str]:
    """A list of texts."""
    return [text(item) for item in sequence(raw)]


def words(raw: Any) -> tuple[str, ...]:
    """A command: a list of words, or a text that is split as a shell would."""
    return tuple(shlex.split(raw)) if isinstance(raw, str) else tuple(map(str, sequence(raw)))


def variables(raw: Any) -> dict[str, str]:
    """A mapping of names to values, or a list of NAME=VALUE."""
    if isinstance(raw, list):
        return dict(str(item).split("=", 1) for item in raw)
    return strings(raw)


def duration(raw: Any) -> str:
    """A duration as Go writes it, which is how the engine gives it back: 90s is 1m30s."""
    match = re.fullmatch(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", str(raw))
    if not match:
        raise ValueError
    total = sum(int(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True))
    minutes, seconds = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def _mapping(raw: Any) -> Mapping[str, Any]:
    if isinstance(raw, Mapping):
        return raw
    raise ValueError


TOP = {
    "services": Key(_mapping, "must be a mapping of services", {}),
    "networks": Key(_mapping, "must be a mapping of networks", {}),
}
NETWORK = {"driver": Key(one_of("overlay"), "must be overlay, the driver of swarms", "overlay")}
SERVICE = {
    "image": Key(text, "must be the name of an image, with its tag"),
    "command": Key(words, "must be a text or a list of words", ()),
    "environment": Key(variables, "must be a mapping, or a list of NAME=VALUE", {}),
    "networks": Key(texts, "must be a list of networks", ["default"]),
    "ports": Key(sequence, "must be a list of ports", []),
    "deploy": Key(_mapping, "must be a mapping", {}),
}
DEPLOY = {
    "replicas": Key(number(0, 10_000), "must be a number of tasks", 1),
    "placement": Key(_mapping, "must be a mapping", {}),
    "update_config": Key(_mapping, "must be a mapping", None),
}
PLACEMENT = {"constraints": Key(texts, "must be a list of constraints", [])}
UPDATE = {
    "parallelism": Key(number(0, 10_000), "must be a number of tasks", 1),
    "delay": Key(duration, "must be a duration, such as 10s or 1m30s", "0s"),
    "order": Key(one_of("stop-first", "start-first"), "must be stop-first or start-first", "stop-first"),
}
PORT = {
    "target": Key(number(1, 65535), "must be a port, 1 to 65535"),
    "published": Key(number(1, 65535), "must be a port, 1 to 65535"),
    "protocol": Key(one_of("tcp", "udp", "sctp"), "must be tcp, udp or sctp", "tcp"),
    "mode": Key(one_of("ingress", "host"), "must be ingress or host", "ingress"),
}

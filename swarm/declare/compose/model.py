"""Stacks as declared: small and typed, each field with its key. components/ makes resources of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from swarm.declare.compose import amounts, values
from swarm.declare.compose.attachments import Attachment, Reference
from swarm.declare.compose.contents import File
from swarm.declare.compose.mounts import Mount
from swarm.declare.compose.networks import Network
from swarm.declare.compose.ports import Port
from swarm.declare.compose.rollout import COUNT, Healthcheck, Restart, Rollback, Update
from swarm.declare.keys import key, part, snake_cased
from swarm.declare.rules import boolean, image, one_of, text
from swarm.declare.settings import Node
from swarm.finding import Finding


@snake_cased
class Resources:
    """What a task may use, or is promised: billionths of a processor, and bytes. 0: not said."""

    cpus: int = key(amounts.cpus, default=0)
    memory: int = key(amounts.memory, default=0)


@snake_cased
class Reservations(Resources):
    """What a task is promised: also things that engines say they have, each with its number."""

    generic: tuple[tuple[str, int], ...] = key(values.generic_resources, default=(), name="generic_resources")


@snake_cased
class Logging:
    """Where the output of containers goes."""

    driver: str = key(text, "must be the name of a logging driver", default="")  # the engine's own
    options: Mapping[str, str] = values.named()


@snake_cased
class Service:
    """A service as declared. Defaults are Docker's."""

    name: str
    image: str = key(
        image, "must be the name of an image as Docker takes it, with its tag, such as nginx:1.26.3"
    )
    replicas: int | None = 1  # None: global, a task on every node that fits
    entrypoint: tuple[str, ...] = key(values.words, default=(), hidden=True)
    command: tuple[str, ...] = key(values.words, default=(), hidden=True)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = values.named("deploy.labels")  # of the service
    container_labels: Mapping[str, str] = values.named("labels")
    hostname: str | None = key(text, "must be a host name", default=None)
    user: str | None = key(str, "must be a user, or USER:GROUP", default=None)
    working_dir: str | None = key(text, "must be a path", default=None)
    init: bool | None = key(boolean, default=None)
    isolation: str | None = key(one_of("default", "process", "hyperv"), default=None)
    read_only: bool = key(boolean, default=False)
    stop_signal: str | None = key(text, "must be a signal, such as SIGTERM", default=None)
    stop_grace_period: str = key(amounts.duration, default="10s")
    healthcheck: Healthcheck | None = part(Healthcheck, default=None)
    hosts: tuple[tuple[str, str], ...] = key(  # name and address
        values.hosts, default=(), name="extra_hosts"
    )
    dns: tuple[str, ...] = key(values.addresses, default=())
    dns_search: tuple[str, ...] = key(
        values.one_or_more, "must be a domain, or a list of domains", default=()
    )
    cap_add: tuple[str, ...] = key(values.capabilities, default=())
    cap_drop: tuple[str, ...] = key(values.capabilities, default=())
    sysctls: Mapping[str, str] = values.named()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[Attachment, ...] = ()
    ports: tuple[Port, ...] = ()
    endpoint_mode: str = key(one_of("vip", "dnsrr"), default="vip", name="deploy.endpoint_mode")
    secrets: tuple[Reference, ...] = ()
    configs: tuple[Reference, ...] = ()
    constraints: tuple[str, ...] = key(values.constraints, default=(), name="deploy.placement.constraints")
    spread: str | None = None  # over the values of this
    max_replicas: int = key(  # per node; 0: any number
        COUNT, "must be a number of tasks", default=0, name="deploy.placement.max_replicas_per_node"
    )
    limits: Resources | None = part(Resources, default=None, name="deploy.resources.limits")
    reservations: Reservations | None = part(Reservations, default=None, name="deploy.resources.reservations")
    restart: Restart = part(Restart, default=Restart(), name="deploy.restart_policy")
    update: Update | None = part(Update, default=None, name="deploy.update_config")
    rollback: Update | None = part(Update, default=None, name="deploy.rollback_config", keys=Rollback)
    logging: Logging | None = part(Logging, default=None)


@snake_cased
class Stack:
    """A stack as declared; names are those in the file, Docker's carry the stack's in front."""

    name: str
    services: tuple[Service, ...] = ()
    networks: tuple[Network, ...] = ()
    secrets: tuple[File, ...] = ()
    configs: tuple[File, ...] = ()
    depends_on: tuple[str, ...] = ()  # stacks that are whole before it is touched
    resolve_images: str = "changed"  # always, changed or never
    warnings: tuple[Finding, ...] = ()  # of what has no effect in the file

    def full(self, name: str) -> str:
        """The name that Docker knows a service by; secrets and configs have a suffix too."""
        return f"{self.name}_{name}"

    @property
    def external_configs(self) -> list[str]:
        """Docker's names of the configs that are to be there already."""
        return [one.external for one in self.configs if one.external]

    @property
    def mesh_ports(self) -> list[int]:
        """The ports that are published on every node, those aside that the swarm chooses."""
        ports = (port for service in self.services for port in service.ports)
        return [port.published for port in ports if port.mode == "ingress" and port.published]

    def endpoints(self, nodes: Sequence[Node]) -> list[dict[str, str]]:
        """Where the published ports answer. In host mode that is only where a task runs, and the
        swarm may move it: the address is left to the reader. A port that the swarm chooses is too."""
        first = nodes[0].host
        return [
            {
                "service": self.full(service.name),
                "mode": port.mode,
                "address": f"{first if port.mode == 'ingress' else 'NODE'}:{port.published or 'PORT'}",
            }
            for service in self.services
            for port in service.ports
        ]

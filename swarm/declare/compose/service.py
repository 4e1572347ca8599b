"""From a service in a Compose file to the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from swarm import files
from swarm.declare.compose import attachments, env_file, mounts, ports, values
from swarm.declare.compose.file_reader import FileReader
from swarm.declare.compose.model import Service
from swarm.declare.compose.place import Place
from swarm.declare.compose.ports import Port
from swarm.declare.compose.rollout import COUNT, Healthcheck, Restart, plain_restart, restart_of
from swarm.declare.compose.volumes import Volume
from swarm.declare.keys import key, keys_of, snake_cased, taken
from swarm.declare.reader import whole
from swarm.declare.rules import items, one_of, text


@snake_cased
class _Written:
    """The keys that are no field of a service by themselves: others, or the file, are needed for it."""

    environment: Mapping[str, str | None] = key(values.variables, default_factory=dict, hidden=True)
    env_file: tuple[str, ...] = key(values.one_or_more, "must be a path, or a list of paths", default=())
    volumes: list[Any] = key(items, "must be a list of volumes", default_factory=list)
    networks: Mapping[str, Any] = key(values.attached, default_factory=dict)
    ports: list[Any] = key(items, "must be a list of ports", default_factory=list)
    secrets: list[Any] = key(
        items, "must be a list of names under `secrets`, or of mappings", default_factory=list
    )
    configs: list[Any] = key(
        items, "must be a list of names under `configs`, or of mappings", default_factory=list
    )
    mode: str = key(
        one_of("replicated", "global"),
        "must be replicated or global; Pulumi's provider has no jobs",
        default="replicated",
        name="deploy.mode",
    )
    replicas: int | None = key(COUNT, "must be a number of tasks", default=None, name="deploy.replicas")
    plain_restart: str = key(plain_restart, default="", name="restart")
    preferences: list[Any] = key(
        items, "must be a list with one preference", default_factory=list, name="deploy.placement.preferences"
    )


@snake_cased
class _Preference:
    spread: str = key(text, "must be what to spread over, such as node.labels.zone")


KEYS = keys_of(Service) | keys_of(_Written)


class ServiceReader:
    """Reads services; `names` are those that they may use, by top-level key, and `node_folder` is the
    stack's folder on the nodes."""

    def __init__(
        self,
        reader: FileReader,
        folder: Path,
        variables: Mapping[str, str],
        names: Mapping[str, Collection[str]],
        volumes: Mapping[str, Volume],
        node_folder: str = "",
    ) -> None:
        self.reader, self.folder, self.variables = reader, folder, variables
        self.names, self.volumes, self.node_folder = names, volumes, node_folder

    def read(self, name: str, raw: Any) -> Service | None:
        """A service; None where it lacks what it must have."""
        place = Place(self.reader, name, self.names, self.node_folder)
        found = place.given("", raw, KEYS)
        written = taken(_Written, found)
        published = ports.read(place, written.ports)
        _check_mode(place, written, found.get("endpoint_mode", ""), published)
        if not whole(KEYS, found):
            return None
        service = Service(
            name=name,
            replicas=None if written.mode == "global" else _replicas(written),
            environment=self._environment(place, written),
            mounts=mounts.read(place, written.volumes, self.volumes),
            networks=attachments.networks(place, written.networks),
            ports=published,
            secrets=attachments.references(place, "secrets", written.secrets),
            configs=attachments.references(place, "configs", written.configs),
            restart=_restart(place, written.plain_restart, found.pop("restart", None)),
            spread=_spread(place, written.preferences),
            **found,
        )
        return replace(
            service,
            healthcheck=_healthcheck(place, service.healthcheck),
            cap_drop=tuple(one for one in service.cap_drop if one not in service.cap_add),
        )

    def _environment(self, place: Place, written: _Written) -> dict[str, str]:
        """From the files, then from the service; a name without a value has that of the variable."""
        found: dict[str, str | None] = {}
        for path in written.env_file:
            found |= self._env_file(place, path)
        found |= written.environment
        filled = {name: self.variables.get(name) if value is None else value for name, value in found.items()}
        for name in (name for name, value in filled.items() if value is None):
            rule = "it has no value, and no variable of this name has one"
            place.problem(".environment", name, rule, "Give it one, or add it to the stack's `variables`")
        return {name: value for name, value in filled.items() if value is not None}

    def _env_file(self, place: Place, path: str) -> dict[str, str | None]:
        try:
            return env_file.read(self.folder / path)
        except files.UnreadableError as error:
            place.problem(".env_file", path, f"can't be read: {error}", "Correct the path")
        except ValueError:
            place.problem(".env_file", path, "its lines must be NAME=VALUE", "Correct the file")
        return {}


def _check_mode(place: Place, written: _Written, endpoint_mode: str, published: Collection[Port]) -> None:
    if written.mode == "global" and written.replicas is not None:
        rule = "a global service has a task on every node that fits"
        place.problem(".deploy.replicas", written.replicas, rule, "Remove it, or the mode")
    if endpoint_mode == "dnsrr" and any(port.mode == "ingress" for port in published):
        rule = "a service without a virtual address can't have ports on every node"
        remedy = "Publish its ports with `mode: host`, or remove it"
        place.problem(".deploy.endpoint_mode", "dnsrr", rule, remedy)


def _replicas(written: _Written) -> int:
    return 1 if written.replicas is None else written.replicas


def _restart(place: Place, plain: str, policy: Restart | None) -> Restart:
    """The policy of `deploy`; else what `restart` stands for."""
    if policy and plain:
        place.ignore(".restart", "restart: `deploy.restart_policy` takes precedence")
    elif plain.startswith("no"):
        remedy = "say `deploy: {restart_policy: {condition: none}}`"
        place.ignore(".restart", f"restart: no: tasks are started again all the same; {remedy}")
    return policy or restart_of(plain)


def _healthcheck(place: Place, found: Healthcheck | None) -> Healthcheck | None:
    if not found or not found.disable:
        return found
    if found.test:
        place.problem(".healthcheck.disable", True, "there is a `test` too", "Remove one of them")
    return Healthcheck(("NONE",))


def _spread(place: Place, raw: list[Any]) -> str | None:
    path = ".deploy.placement.preferences"
    found = [place.build(_Preference, f"{path}[{at}]", one) for at, one in enumerate(raw)]
    if len(found) > 1:
        rule = "there can be one only: the Docker provider doesn't keep their order"
        place.problem(path, None, rule, "Leave it to one")
    return found[0].spread if found and found[0] else None

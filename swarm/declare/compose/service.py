"""From a service in a Compose file to the model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from swarm import files
from swarm.declare.compose import schema, values
from swarm.declare.compose.model import (
    Attachment,
    Healthcheck,
    Logging,
    Mount,
    Port,
    Reference,
    Resources,
    Restart,
    Service,
    Update,
)
from swarm.declare.compose.tables import Key, TableReader, whole

Values = dict[str, Any]


class ServiceReader:
    """Reads one service; `declared` are the names that it may use, and the volumes, by top-level key."""

    def __init__(
        self,
        reader: TableReader,
        name: str,
        folder: Path,
        variables: Mapping[str, str],
        declared: Mapping[str, Any],
    ) -> None:
        self.reader, self.name, self.folder = reader, name, folder
        self.variables, self.declared = variables, declared

    def read(self, raw: Any) -> Service | None:
        """The service; None where it lacks what it must have."""
        top = self._mapping("", raw, schema.SERVICE)
        deploy = self._mapping(".deploy", top["deploy"], schema.DEPLOY)
        placement = self._mapping(".deploy.placement", deploy["placement"], schema.PLACEMENT)
        resources = self._mapping(".deploy.resources", deploy["resources"], schema.RESOURCES)
        ports = [port for at, one in enumerate(top["ports"]) for port in self._ports(f".ports[{at}]", one)]
        self._check_mode(deploy, ports)
        self._check_once(".ports", [f"{port.published}/{port.protocol}" for port in ports if port.published])
        if not whole(top):
            return None
        return Service(
            name=self.name,
            image=top["image"],
            replicas=None if deploy["mode"] == "global" else self._replicas(deploy),
            entrypoint=top["entrypoint"],
            command=top["command"],
            environment=self._environment(top),
            labels=deploy["labels"],
            container_labels=top["labels"],
            hostname=top["hostname"],
            user=top["user"],
            working_dir=top["working_dir"],
            init=top["init"],
            read_only=top["read_only"],
            stop_signal=top["stop_signal"],
            stop_grace_period=top["stop_grace_period"],
            healthcheck=self._healthcheck(top["healthcheck"]),
            hosts=top["extra_hosts"],
            dns=top["dns"],
            dns_search=top["dns_search"],
            cap_add=top["cap_add"],
            cap_drop=tuple(name for name in top["cap_drop"] if name not in top["cap_add"]),
            sysctls=top["sysctls"],
            mounts=self._mounts(top["volumes"]),
            networks=self._networks(top["networks"]),
            # As Docker sorts them, and gives them back.
            ports=tuple(sorted(ports, key=lambda port: port.published or 0)),
            endpoint_mode=deploy["endpoint_mode"],
            secrets=self._references("secrets", top["secrets"]),
            configs=self._references("configs", top["configs"]),
            constraints=placement["constraints"],
            spread=self._spread(placement["preferences"]),
            max_replicas=placement["max_replicas_per_node"],
            limits=self._table(Resources, ".deploy.resources.limits", resources["limits"], schema.AMOUNTS),
            reservations=self._table(
                Resources, ".deploy.resources.reservations", resources["reservations"], schema.AMOUNTS
            ),
            restart=self._table(Restart, ".deploy.restart_policy", deploy["restart_policy"], schema.RESTART)
            or Restart(),
            update=self._table(Update, ".deploy.update_config", deploy["update_config"], schema.UPDATE),
            rollback=self._table(
                Update, ".deploy.rollback_config", deploy["rollback_config"], schema.ROLLBACK
            ),
            logging=self._table(Logging, ".logging", top["logging"], schema.LOGGING),
        )

    # Paths are the service's own, in front of which the reader is told where it is.

    def _mapping(self, path: str, raw: Any, keys: Mapping[str, Key]) -> Values:
        return self.reader.mapping(f"services.{self.name}{path}", raw, keys)

    def _wrong(self, path: str, value: Any, rule: str, remedy: str) -> None:
        self.reader.wrong(f"services.{self.name}{path}", value, rule, remedy)

    def _table(self, kind: Any, path: str, raw: Any, keys: Mapping[str, Key]) -> Any:
        """One of the model's, whose fields are the keys; None where it isn't declared, or isn't whole."""
        if raw is None:
            return None
        found = self._mapping(path, raw, keys)
        return kind(**found) if whole(found) else None

    def _check_declared(self, path: str, kind: str, name: str) -> None:
        if name not in self.declared[kind]:
            self._wrong(
                path,
                name,
                f"no {kind.removesuffix('s')} of this name is declared",
                f"Add it under `{kind}` at the end of the file",
            )

    def _check_mode(self, deploy: Values, ports: Collection[Port]) -> None:
        if deploy["mode"] == "global" and deploy["replicas"] is not None:
            rule = "a global service has a task on every node that fits"
            self._wrong(".deploy.replicas", deploy["replicas"], rule, "Remove it, or the mode")
        if deploy["endpoint_mode"] == "dnsrr" and any(port.mode == "ingress" for port in ports):
            rule = "a service without a virtual address can't have ports on every node"
            self._wrong(
                ".deploy.endpoint_mode", "dnsrr", rule, "Publish its ports with `mode: host`, or remove it"
            )

    def _replicas(self, deploy: Values) -> int:
        return 1 if deploy["replicas"] is None else int(deploy["replicas"])

    def _environment(self, top: Values) -> dict[str, str]:
        """From the files, then from the service; a name without a value has that of the variable."""
        found: dict[str, str | None] = {}
        for path in top["env_file"]:
            found |= self._env_file(path)
        found |= top["environment"]
        filled = {name: self.variables.get(name) if value is None else value for name, value in found.items()}
        for name in (name for name, value in filled.items() if value is None):
            rule = "it has no value, and no variable of this name has one"
            self._wrong(".environment", name, rule, "Give it one, or add it to the stack's `variables`")
        return {name: value for name, value in filled.items() if value is not None}

    def _env_file(self, path: str) -> dict[str, str | None]:
        try:
            # Lines as Docker's client has them: other characters that end one for Python are in a value.
            lines = [one.removesuffix("\r").lstrip() for one in files.text(self.folder / path).split("\n")]
            return values.variables([one for one in lines if one and one[0] != "#"])
        except files.UnreadableError as error:
            self._wrong(".env_file", path, f"can't be read: {error}", "Correct the path")
        except ValueError:
            self._wrong(".env_file", path, "its lines must be NAME=VALUE", "Correct the file")
        return {}

    def _healthcheck(self, raw: Any) -> Healthcheck | None:
        if raw is None:
            return None
        found = self._mapping(".healthcheck", raw, schema.HEALTHCHECK)
        disabled = found.pop("disable")
        if disabled and found["test"]:
            self._wrong(".healthcheck.disable", True, "there is a `test` too", "Remove one of them")
        return Healthcheck(("NONE",)) if disabled else Healthcheck(**found)

    def _networks(self, raw: Any) -> tuple[Attachment, ...]:
        """By name, with aliases or without; the service's own name is always one."""
        named = raw if isinstance(raw, dict) else dict.fromkeys(raw)
        attached = []
        for name, options in (named or {"default": None}).items():
            self._check_declared(".networks", "networks", name)
            found = self._mapping(f".networks.{name}", options or {}, schema.ATTACHMENT)
            attached.append(Attachment(name, tuple(dict.fromkeys((*found["aliases"], self.name)))))
        return tuple(attached)

    def _ports(self, path: str, raw: Any) -> list[Port]:
        """Long as a mapping, or short as [PUBLISHED:]TARGET[/PROTOCOL], each a port or a range."""
        if isinstance(raw, Mapping):
            found = self._mapping(path, raw, schema.PORT)
            return [Port(**found)] if whole(found) else []
        ports = r"\d{1,5}(?:-\d{1,5})?"
        short = re.fullmatch(rf"(?:({ports}):)?({ports})(?:/(tcp|udp|sctp))?", str(raw))
        targets = _range(short[2]) if short else []
        published: list[int] | list[None] = _range(short[1]) if short and short[1] else [None] * len(targets)
        if not short or not targets or len(published) != len(targets):
            self._wrong(
                path, raw, "must be PUBLISHED:TARGET, ranges of the same length, or a mapping", "Correct it"
            )
            return []
        if any(one == 0 or (one or 1) > 65535 for one in (*targets, *published)):
            self._wrong(path, raw, "must be ports, 1 to 65535", "Correct it")
            return []
        pairs = zip(targets, published, strict=True)
        return [Port(target, out, short[3] or "tcp") for target, out in pairs]

    def _mounts(self, raw: list[Any]) -> tuple[Mount, ...]:
        found = [self._mount(f".volumes[{at}]", one) for at, one in enumerate(raw)]
        mounts = tuple(mount for mount in found if mount)
        self._check_once(".volumes", [mount.target for mount in mounts])
        return mounts

    def _check_once(self, path: str, listed: Collection[str]) -> None:
        for one in (one for one, times in Counter(listed).items() if times > 1):
            self._wrong(path, one, "it is there twice, which Docker refuses", "Remove one of them")

    def _mount(self, path: str, raw: Any) -> Mount | None:
        """Long as a mapping, or short as TARGET, SOURCE:TARGET or SOURCE:TARGET:OPTIONS."""
        long = self._short_mount(path, raw) if isinstance(raw, str) else raw
        if long is None:
            return None
        found = self._mapping(path, long, schema.MOUNT)
        if not whole(found):
            return None
        kind, source = found["type"], found["source"]
        for other in ("bind", "volume", "tmpfs"):
            if other != kind and found[other]:
                self._wrong(f"{path}.{other}", None, f"is nothing for the type {kind}", "Remove it")
        if kind == "bind" and not source.startswith("/"):
            rule = "must be an absolute path: it is the node's, not this machine's"
            self._wrong(path, raw, rule, "Correct it; files from here go to services as `configs`")
        if kind == "tmpfs" and source:
            self._wrong(f"{path}.source", source, "is nothing for the type tmpfs", "Remove it")
        if kind == "volume" and source:
            self._check_declared(path, "volumes", source)
        bind = self._mapping(f"{path}.bind", found["bind"], schema.BIND)
        volume = self._mapping(f"{path}.volume", found["volume"], schema.OF_VOLUME)
        tmpfs = self._mapping(f"{path}.tmpfs", found["tmpfs"], schema.TMPFS)
        return Mount(
            kind,
            found["target"],
            source="" if kind == "volume" else source,
            volume=self.declared["volumes"].get(source) if kind == "volume" else None,
            read_only=found["read_only"],
            propagation=bind["propagation"],
            nocopy=volume["nocopy"],
            size=tmpfs["size"],
        )

    def _short_mount(self, path: str, raw: str) -> Values | None:
        parts = raw.split(":")
        source, target, options = ["", *parts, ""] if len(parts) == 1 else [*parts, ""][:3]
        known = {"", "rw", "ro", "nocopy", *values.PROPAGATIONS}
        given = options.split(",")
        if len(parts) > 3 or not set(given) <= known:
            self._wrong(path, raw, "must be SOURCE:TARGET[:ro] or a mapping", "Correct it")
            return None
        bind = source[:1] in ("/", ".", "~")
        long: Values = {"type": "bind" if bind else "volume", "target": target, "read_only": "ro" in given}
        if source:
            long["source"] = source
        if "nocopy" in given:
            long["volume"] = {"nocopy": True}
        if propagation := next((one for one in given if one in values.PROPAGATIONS), None):
            long["bind"] = {"propagation": propagation}
        return long

    def _references(self, kind: str, raw: list[Any]) -> tuple[Reference, ...]:
        """Short as a name, or long as a mapping."""
        found = []
        for at, one in enumerate(raw):
            path = f".{kind}[{at}]"
            options = self._mapping(path, {"source": one} if isinstance(one, str) else one, schema.REFERENCE)
            if not whole(options):
                continue
            self._check_declared(path, kind, options["source"])
            found.append(Reference(**options | {"target": options["target"] or options["source"]}))
        targets = [one.target for one in found]
        for target in sorted({one for one in targets if targets.count(one) > 1}):
            self._wrong(f".{kind}", target, "two of them are to be this file", "Give one another `target`")
        return tuple(found)

    def _spread(self, raw: list[Any]) -> str | None:
        found = [
            self._mapping(f".deploy.placement.preferences[{at}]", one, schema.PREFERENCE)
            for at, one in enumerate(raw)
        ]
        if len(found) > 1:
            rule = "there can be one only: the Docker provider doesn't keep their order"
            self._wrong(".deploy.placement.preferences", None, rule, "Leave it to one")
        return found[0]["spread"] if found and whole(found[0]) else None


def _range(raw: str) -> list[int]:
    first, _, last = raw.partition("-")
    return list(range(int(first), int(last or first) + 1))

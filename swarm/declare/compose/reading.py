"""From a Compose file to a stack. A key that isn't known is refused by path and line: nothing is dropped."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from swarm import files
from swarm.declare import environment
from swarm.declare.compose import schema
from swarm.declare.compose.document import Document, fill
from swarm.declare.compose.model import File, Network, Stack, Volume
from swarm.declare.compose.service import ServiceReader
from swarm.declare.compose.tables import TableReader, whole
from swarm.declare.reader import Reader, join, near
from swarm.declare.settings import NAMESPACE, Deployment

# Docker's rules, from the checks of a new secret or config in swarmkit's manager/controlapi: fewer bytes
# than this, and 64 characters for a name, of which 8 are the suffix that tells contents apart.
LIMITS = {"secrets": 500 * 1024, "configs": 1000 * 1024}
LONGEST_NAME = 64 - 8
OBJECT_NAME = r"[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?"
# From the checks of new services and networks there: a label of a host name, for which they stand.
LONGEST_LABEL = 63
PREDEFINED = ("bridge", "default", "docker_gwbridge", "host", "ingress", "none")
VOLUME_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]+"  # the engine's, when it makes one for a task
LABEL = r"[A-Za-z0-9](?:[-_A-Za-z0-9]*[A-Za-z0-9])?"

# What was written in place of a name may be the content itself: it isn't shown.
SETTING = f"Set it by `pulumi config set --secret --path {NAMESPACE}secrets.NAME`, and give that name"


class FileReader(TableReader):
    """Tells the reader of everything of mistakes in a file, with the file and the line; paths begin in
    the file. `ignored` are paths, with * for anything, that may have keys which aren't known."""

    def __init__(self, outer: Reader, path: Path, document: Document, ignored: Iterable[str]) -> None:
        super().__init__()
        self._outer, self._path, self._document = outer, path, document
        self._ignored = ["[^.]*".join(map(re.escape, one.split("*"))) for one in ignored]
        self._unfilled: list[str] = []

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return self._outer.full

    def wrong(self, key: str, value: Any, rule: str, remedy: str) -> None:
        """Notes a mistake, once."""
        told = any(one == key or one.startswith(f"{key}[") for one in self._unfilled)
        if told or self.full:
            return
        where = f"{self._path}:{self._document.line(key)}"
        self._outer.wrong(f"{where}: {key}" if key else where, value, rule, remedy)

    def unfilled(self, key: str, rule: str, remedy: str) -> None:
        """Notes a text with a variable that has no value; what that text breaks besides isn't told."""
        self.wrong(key, None, rule, remedy)
        self._unfilled.append(key)

    def unknown(self, path: str, name: str, keys: Iterable[str]) -> None:
        """Notes a key that isn't known, unless it is an extension or ignored."""
        where = join(path, name)
        if any(re.fullmatch(pattern, where) for pattern in self._ignored):
            return
        reason = schema.REASONS.get(name)
        if not reason and name.startswith("x-"):
            return
        if not reason and (suggestion := near(name, keys)):
            self.wrong(where, None, "there is no such key", suggestion)
            return
        rule = f"isn't supported: {reason or 'Swarm ignores it, or it is no key of Compose'}"
        self.wrong(where, None, rule, f"Remove it, or list `{where}` in the stack's `ignoreUnsupported`")


def read(reader: Reader, deployment: Deployment, secrets: Mapping[str, str] | None = None) -> Stack:
    """The stack of a Compose file; `secrets` are contents by name. The reader is told the mistakes; what
    has one is left out."""
    path = deployment.compose
    try:
        document = Document(files.text(path))
    except files.UnreadableError as error:
        where = f"{NAMESPACE}stacks ({deployment.name}).compose"
        reader.wrong(where, str(path), f"can't be read: {error}", "Correct the path")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        # A password that begins with * or ! is an alias or a tag, which PyYAML quotes.
        problem = re.sub(r"'(?!<)[^']{3,}'", "", str(error.problem))
        reader.wrong(f"{path}:{line}", None, problem, "Correct the file; quote texts with special characters")
    else:
        own = FileReader(reader, path, document, deployment.ignore_unsupported)
        return _StackReader(own, deployment, secrets or {}).read(document.data)
    return Stack(deployment.name)


class _StackReader:
    """Reads one file's data."""

    def __init__(self, reader: FileReader, deployment: Deployment, secrets: Mapping[str, str]) -> None:
        self.reader, self.deployment, self.secrets = reader, deployment, secrets
        self.name, self.folder = deployment.name, deployment.compose.parent

    def read(self, raw: Any) -> Stack:
        """The stack; the reader is told the mistakes."""
        if isinstance(raw, dict):
            known = {key: value for key, value in raw.items() if key in schema.TOP}
            raw |= fill(known, self.deployment.variables, self.secrets, self.reader.unfilled)
        top = self.reader.mapping("", raw, schema.TOP)
        networks = {name: self._network(name, options) for name, options in top["networks"].items()}
        volumes = {name: self._volume(name, options) for name, options in top["volumes"].items()}
        files = {kind: self._files(kind, top[kind]) for kind in LIMITS}
        declared = {"networks": [*networks, "default"], "volumes": volumes, "secrets": top["secrets"],
                    "configs": top["configs"]}  # fmt: skip
        services = []
        for name, options in top["services"].items():
            where = f"services.{name}"
            if not re.fullmatch(LABEL, name):
                self.reader.wrong(where, None, "its name must be letters, digits, inner - and _", "Rename it")
            self._check_length(where, name, LONGEST_LABEL)
            one = ServiceReader(self.reader, name, self.folder, self.deployment.variables, declared)
            if service := one.read(options):
                services.append(service)
        if any(one.network == "default" for service in services for one in service.networks):
            networks.setdefault("default", self._network("default", {}))
        return Stack(
            self.name,
            tuple(services),
            tuple(networks.values()),
            files["secrets"],
            files["configs"],
            self.deployment.depends_on,
            self.deployment.resolve_images,
        )

    def _check_length(self, where: str, name: str, longest: int) -> None:
        if len(f"{self.name}_{name}") > longest:
            rule = f"its name must have {longest} characters at most, {self.name}_ included"
            self.reader.wrong(where, None, rule, "Shorten it")

    def _external(self, where: str, name: str, values: Mapping[str, Any]) -> str | None:
        """Docker's name of what is there already; None for what isn't external."""
        external = values["external"]
        if isinstance(external, dict):  # as files had it before `name`
            return str(external.get("name", name))
        if not external:
            return None
        own = [key for key in values if key not in ("external", "name", "driver", "ipam") and values[key]]
        for key in own:
            rule = "an external one is as it is"
            self.reader.wrong(f"{where}.{key}", None, rule, "Remove it, or `external`")
        return str(values["name"] or name)

    def _network(self, name: str, raw: Any) -> Network:
        where = f"networks.{name}"
        values = self.reader.mapping(where, raw or {}, schema.NETWORK)
        ipam = self.reader.mapping(f"{where}.ipam", values["ipam"], schema.IPAM)
        configs = [
            self.reader.mapping(f"{where}.ipam.config[{at}]", one, schema.SUBNET)
            for at, one in enumerate(ipam["config"])
        ]
        external = self._external(where, name, values)
        full = external or values["name"] or f"{self.name}_{name}"
        if not external:
            self._check_network(where, full)
        return Network(
            name,
            full=full,
            external=external is not None,
            attachable=values["attachable"],
            internal=values["internal"],
            options=values["driver_opts"],
            labels=values["labels"],
            subnets=tuple(one["subnet"] for one in configs if whole(one)),
        )

    def _check_network(self, where: str, full: str) -> None:
        rule = f"its name must be letters, digits, inner - and _, {LONGEST_LABEL} characters at most"
        if full in PREDEFINED:
            rule = "Docker has a network of this name of its own"
        elif re.fullmatch(LABEL, full) and len(full) <= LONGEST_LABEL:
            return
        self.reader.wrong(where, full, rule, "Rename it")

    def _volume(self, name: str, raw: Any) -> Volume:
        where = f"volumes.{name}"
        values = self.reader.mapping(where, raw or {}, schema.VOLUME)
        external = self._external(where, name, values)
        full = external or values["name"] or f"{self.name}_{name}"
        if not re.fullmatch(VOLUME_NAME, full):
            rule = "its name must be letters, digits, and after the first also - _ and ."
            self.reader.wrong(where, full, rule, "Rename it")
        return Volume(
            full,
            external=external is not None,
            driver=values["driver"],
            options=values["driver_opts"],
            labels=values["labels"],
        )

    def _files(self, kind: str, raw: Mapping[str, Any]) -> tuple[File, ...]:
        """The secrets or the configs, with their contents."""
        found = []
        for name, options in raw.items():
            where = f"{kind}.{name}"
            if not re.fullmatch(OBJECT_NAME, name, re.ASCII):
                rule = "its name must be letters, digits, inner - _ and ."
                self.reader.wrong(where, None, rule, "Rename it")
            values = self.reader.mapping(where, options, schema.FILE)
            external = self._external(where, name, values)
            if external:
                found.append(File(name, external=external))
                continue
            if values["name"]:
                rule = "its name is ours to choose: a changed content needs another one"
                self.reader.wrong(f"{where}.name", values["name"], rule, "Remove it")
            self._check_length(where, name, LONGEST_NAME)
            if content := self._content(where, values, LIMITS[kind]):
                found.append(File(name, content, labels=values["labels"]))
        return tuple(found)

    def _content(self, where: str, values: Mapping[str, Any], limit: int) -> bytes:
        """From a file, swarm:secrets or the environment; nothing where it is wrong."""
        sources = [key for key in ("file", "environment") if values[key]]
        if len(sources) != 1:
            rule = "its content comes from `file` or from `environment`, one of them"
            self.reader.wrong(where, None, rule, "Give one of them, or `external: true`")
            return b""
        source, named = f"{where}.{sources[0]}", values[sources[0]]
        try:
            content = self._file(named, limit) if sources == ["file"] else self._variable(named)
        except files.UnreadableError as error:
            remedy = "Correct the path, or the file"
            self.reader.wrong(source, str(self.folder / named), f"can't be read: {error}", remedy)
            return b""
        except ValueError as error:
            self.reader.wrong(source, None, str(error), SETTING)
            return b""
        if not 0 < len(content) < limit:
            rule = f"must hold something, and less than {limit // 1024} KiB"
            remedy = "Correct it" if sources == ["file"] else SETTING
            self.reader.wrong(source, None, rule, remedy)
            return b""
        return content

    def _file(self, path: str, limit: int) -> bytes:
        return files.content(self.folder / path, limit)

    def _variable(self, name: str) -> bytes:
        """What has this name in swarm:secrets, or else in the environment. Not what is the run's own there:
        a file that somebody sends us would get the passphrase by asking for it."""
        if name not in self.secrets and environment.is_own(name):
            raise ValueError("it is a credential of the run's own, which no service gets by its name alone")
        return self.secrets.get(name, os.environ.get(name, "")).encode()

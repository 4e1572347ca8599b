"""The three stores, each as a connection that is kept open, and what is asked of them.

Written from the Docker Engine's API (https://docs.docker.com/reference/api/engine/), etcd's API in JSON
(https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/) and Redis's protocol
(https://redis.io/docs/latest/develop/reference/protocol-spec/).
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote

from swarm.errors import BenchError

LIMIT_SECONDS = 30
VALUE = "v" * 128
LABEL = "kv"  # on what is written into the swarm, so that it is found again
PREFIX = "kv-"  # of every key
READ = f"{PREFIX}read"  # the key that is read


def connect(at: Path) -> socket.socket:
    """A connection to a local socket; an answer may take LIMIT_SECONDS."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(LIMIT_SECONDS)
    connection.connect(str(at))
    return connection


class Store:
    """A client's connection to a store."""

    name: ClassVar[str]

    def __init__(self, at: Path) -> None:
        """`at`: the local socket that leads there."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        raise NotImplementedError

    def write(self, key: str) -> object:
        """Writes a new key with VALUE."""
        raise NotImplementedError

    def clean(self) -> None:
        """Removes every key that was written."""
        raise NotImplementedError


class HttpStore(Store):
    """A store that is asked over HTTP."""

    def __init__(self, at: Path) -> None:
        self.connection = http.client.HTTPConnection("localhost")
        self.connection.sock = connect(at)
        self.connection.auto_open = 0  # a lost connection is an error: a new one is another measure

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of an answer. BenchError: a refusal."""
        content = None if body is None else json.dumps(body)
        self.connection.request(method, path, content, {"Content-Type": "application/json"})
        with self.connection.getresponse() as response:
            answer = response.read()
        if response.status >= http.client.MULTIPLE_CHOICES:
            raise BenchError(f"{self.name}: {method} {path}: {response.status} {answer.decode()}")
        return answer


class Swarm(HttpStore):
    """A manager's Docker Engine."""

    name = "Swarm"

    def empty(self, _: str) -> object:
        """An answer from the engine itself."""
        return self.ask("GET", "/_ping")

    def read(self, _: str) -> object:
        """A config."""
        return self.ask("GET", f"/configs/{self._config}")

    def read_label(self, _: str) -> object:
        """A node with its labels."""
        return self.ask("GET", f"/nodes/{self._node}")

    def write(self, key: str) -> object:
        """Creates a config."""
        data = base64.b64encode(VALUE.encode()).decode()
        return self.ask("POST", "/configs/create", {"Name": key, "Labels": {LABEL: ""}, "Data": data})

    def write_label(self, key: str) -> object:
        """Changes a node's label; the change must name the version that it was made from."""
        node = json.loads(self.ask("GET", f"/nodes/{self._node}"))
        spec = node["Spec"]
        spec["Labels"] = {**spec["Labels"], LABEL: f"{key} {VALUE}"[: len(VALUE)]}
        return self.ask("POST", f"/nodes/{self._node}/update?version={node['Version']['Index']}", spec)

    def clean(self) -> None:
        """Removes the configs that were written, and the label."""
        for config in self._configs("label", LABEL):
            self.ask("DELETE", f"/configs/{config}")
        node = json.loads(self.ask("GET", f"/nodes/{self._node}"))
        if node["Spec"]["Labels"].pop(LABEL, None):
            version = node["Version"]["Index"]
            self.ask("POST", f"/nodes/{self._node}/update?version={version}", node["Spec"])

    @cached_property
    def _config(self) -> str:
        return self._configs("name", READ)[0]

    @cached_property
    def _node(self) -> str:
        return str(json.loads(self.ask("GET", "/info"))["Swarm"]["NodeID"])

    def _configs(self, key: str, value: str) -> list[str]:
        found = json.loads(self.ask("GET", "/configs?filters=" + quote(json.dumps({key: [value]}))))
        return [config["ID"] for config in found]


class Etcd(HttpStore):
    """A member of an etcd cluster."""

    name = "etcd"

    def empty(self, _: str) -> object:
        """An answer from the member itself; its /health would ask the others."""
        return self.ask("GET", "/version")

    def read(self, _: str) -> object:
        """A key, linearizable: the leader makes sure that it still leads."""
        return self._range(serializable=False)

    def read_own(self, _: str) -> object:
        """A key, serializable: as this member has it."""
        return self._range(serializable=True)

    def write(self, key: str) -> object:
        """Puts a key."""
        return self.ask("POST", "/v3/kv/put", {"key": _base64(key), "value": _base64(VALUE)})

    def clean(self) -> None:
        """Removes the keys."""
        # `range_end`: the first key that is no longer in the range.
        end = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)
        self.ask("POST", "/v3/kv/deleterange", {"key": _base64(PREFIX), "range_end": _base64(end)})

    def leads(self) -> bool:
        """Whether this member is the leader."""
        status = json.loads(self.ask("POST", "/v3/maintenance/status", {}))
        return bool(status["leader"] == status["header"]["member_id"])

    def _range(self, serializable: bool) -> bytes:
        answer = self.ask("POST", "/v3/kv/range", {"key": _base64(READ), "serializable": serializable})
        if b'"count":"1"' not in answer:
            raise BenchError(f"{self.name}: {READ} isn't there: {answer.decode()}")
        return answer


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Redis(Store):
    """A Redis server with two replicas."""

    name = "Redis"

    def __init__(self, at: Path) -> None:
        self.socket = connect(at)
        self.answers = self.socket.makefile("rb")

    def close(self) -> None:
        """Ends the connection."""
        self.answers.close()
        self.socket.close()

    def empty(self, _: str) -> object:
        """An answer that needs no data."""
        return self.ask("PING")

    def read(self, _: str) -> object:
        """A key."""
        return self.ask(f"GET {READ}")

    def write(self, key: str) -> object:
        """Sets a key, on this server's disk."""
        return self.ask(f"SET {key} {VALUE}")

    def write_twice(self, key: str) -> object:
        """Sets a key, and waits until a replica has it too. BenchError: none has."""
        answer = self.ask(f"SET {key} {VALUE}", f"WAIT 1 {LIMIT_SECONDS * 1000}")
        if not answer[-1]:
            raise BenchError(f"{self.name}: no replica has {key} after {LIMIT_SECONDS} s")
        return answer

    def clean(self) -> None:
        """Removes all keys."""
        self.ask("FLUSHALL")

    def ask(self, *commands: str) -> list[Any]:
        """The answers to commands of words, sent at once. BenchError: one is refused."""
        self.socket.sendall("".join(f"{command}\r\n" for command in commands).encode())
        return [self._answer() for _ in commands]

    def _answer(self) -> Any:
        line = self.answers.readline().decode()
        kind, rest = line[:1], line[1:].strip()
        match kind:
            case "+":
                return rest
            case ":":
                return int(rest)
            case "$" if int(rest) >= 0:
                return self.answers.read(int(rest) + 2)[:-2].decode()
            case "*":
                return [self._answer() for _ in range(int(rest))]
        raise BenchError(f"{self.name}: {line.strip() or 'the connection was closed'}")


@dataclass(frozen=True)
class Operation:
    """What is measured: a request to a store, which is given a new key, and the words for it."""

    store: type[Store]
    words: str
    request: Callable[[Any, str], object]
    together: bool = True  # whether many clients at once make sense

    def __str__(self) -> str:
        return f"{self.store.name}: {self.words}"


PING = Operation(Swarm, "empty: `GET /_ping`", Swarm.empty)
VERSION = Operation(Etcd, "empty: `GET /version`", Etcd.empty)
REDIS_PING = Operation(Redis, "empty: `PING`", Redis.empty)
READ_CONFIG = Operation(Swarm, "read a config", Swarm.read)
READ_LABEL = Operation(Swarm, "read a node with its labels", Swarm.read_label)
READ_ETCD = Operation(Etcd, "read a key, linearizable", Etcd.read)
READ_ETCD_OWN = Operation(Etcd, "read a key, serializable", Etcd.read_own)
READ_REDIS = Operation(Redis, "read a key", Redis.read)
WRITE_CONFIG = Operation(Swarm, "create a config", Swarm.write)
# Of changes of one node made at once all but one are refused: they name a version that is gone.
WRITE_LABEL = Operation(Swarm, "read a node, change its label", Swarm.write_label, together=False)
WRITE_ETCD = Operation(Etcd, "put a key", Etcd.write)
WRITE_REDIS = Operation(Redis, "set a key", Redis.write)
WRITE_REDIS_TWICE = Operation(Redis, "set a key, and wait for a replica", Redis.write_twice)

# In the order of measuring: what is compared stands side by side.
OPERATIONS = (
    *(PING, VERSION, REDIS_PING),
    *(READ_CONFIG, READ_ETCD, READ_LABEL, READ_ETCD_OWN, READ_REDIS),
    *(WRITE_CONFIG, WRITE_ETCD, WRITE_LABEL, WRITE_REDIS_TWICE, WRITE_REDIS),
)

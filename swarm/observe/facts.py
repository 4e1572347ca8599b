"""What a host tells of itself, beside its engine: the script that asks, and what it said."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from swarm.script import render

DATA_ROOT = "/var/lib/docker"

# What the scripts of an up need, by the package that has it. `ip` tells the probe which addresses are taken.
PACKAGES = {
    "flock": "util-linux",
    "ip": "iproute2",
    "timeout": "coreutils",
    "awk": "mawk",
    "cut": "coreutils",
    "date": "coreutils",
    "grep": "grep",
    "sed": "sed",
    "sleep": "coreutils",
    "sort": "coreutils",
    "tr": "coreutils",
    "uniq": "coreutils",
    "xargs": "findutils",
}


def script(data_root: str = DATA_ROOT) -> str:
    """Asks a host for its facts, those of an engine that has its data there."""
    return render(Path(__file__).with_name("probe.sh"), data_root=data_root, tools=" ".join(PACKAGES))


@dataclass(frozen=True)
class Facts:
    """What the script printed: what was said of each thing, in order."""

    said: Mapping[str, list[str]]

    @property
    def clock(self) -> float:
        """The host's, in seconds since 1970. KeyError, ValueError: it has told none."""
        return float(self.said["clock"][0])

    @property
    def age(self) -> float:
        """Seconds since the host was started; one that doesn't say so counts as old."""
        return self._since("booted")

    @property
    def engine_age(self) -> float:
        """Seconds since its Docker Engine was started."""
        return self._since("started")

    def _since(self, event: str) -> float:
        try:
            return self.clock - float(self.said[event][0])
        except (KeyError, ValueError):
            return float("inf")

    @property
    def cluster_id(self) -> str:
        """The ID of the swarm in the host's certificate, empty where that may not be read."""
        return self._certified(b"\x0a")

    @property
    def node_id(self) -> str:
        """The host's node ID there."""
        return self._certified(b"\x03")

    def _certified(self, kind: bytes) -> str:
        """An attribute of the certificate's subject: the organization is the swarm's ID, the common name the
        node's (swarmkit, ca/certificates.go)."""
        try:
            der = base64.b64decode(self.said["certificate"][0])
        except (KeyError, ValueError):
            return ""
        # Its type's identifier, then the kind of text, its length and the text. The issuer comes before.
        attribute = re.escape(b"\x06\x03\x55\x04" + kind) + rb"[\x0c\x13].([a-z0-9]{25})"
        found = re.findall(attribute, der, re.DOTALL)
        return found[-1].decode() if found else ""

    @property
    def free(self) -> int | None:
        """Bytes that are free where the engine usually keeps its images."""
        if "free" not in self.said:
            return None
        blocks, size = self.said["free"][0].split()
        return int(blocks) * int(size)

    @cached_property
    def kernel(self) -> Mapping[str, str]:
        """Whether its kernel has a module: yes, no or unknown."""
        return dict(line.split() for line in self.said.get("kernel", ()))

    @property
    def routes(self) -> tuple[str, ...]:
        """As `ip` shows them."""
        return tuple(self.said.get("route", ()))

    @property
    def lacks(self) -> tuple[str, ...]:
        """The programs that an up needs and that aren't there."""
        return tuple(dict.fromkeys(self.said.get("lacks", ())))


def read(lines: Iterable[bytes]) -> Facts:
    """What is said up to an empty line."""
    said: dict[str, list[str]] = {}
    for line in lines:
        if line == b"\n":
            break
        key, _, value = line.decode(errors="replace").rstrip("\n").partition(" ")
        said.setdefault(key, []).append(value)
    return Facts(said)

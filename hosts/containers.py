"""The container engine of this machine: docker where its daemon can run hosts, else podman.

The few differences between the two live here.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, BinaryIO

from hosts.machine import AS_ROOT, run
from swarm.errors import LabError

# Only the system's own daemon will do, whatever DOCKER_HOST says: the nodes' addresses
# are reachable from the machine that its containers run on.
DOCKER = ("docker", "--host", "unix:///var/run/docker.sock")
# The network must be one that this machine reaches: not a rootless one. crun, podman's default
# on Debian 12, refuses machines with both versions of cgroups mounted; runc takes them all.
PODMAN = (*AS_ROOT, "podman", "--runtime", "runc")

KINDS = ("container", "volume", "network")


@dataclass(frozen=True)
class Resource:
    """A container, volume or network; only a container is ever running."""

    kind: str
    name: str
    labels: dict[str, str]
    running: bool


@dataclass(frozen=True)
class Engine:
    """docker or podman, by its command; `packages`: what it takes to run it."""

    name: str
    command: tuple[str, ...]
    packages: frozenset[str] = frozenset()

    def __call__(self, *arguments: str, stdin: BinaryIO | None = None) -> str:
        """The stdout of the engine's command, without white space around it."""
        return run(*self.command, *arguments, stdin=stdin).strip()

    def find(self, label: str) -> list[Resource]:
        """Everything that carries the label, `key` or `key=value`, in any state."""
        if not shutil.which(self.name):
            # An engine that isn't installed has nothing.
            return []
        return [
            describe(kind, item)
            for kind in KINDS
            for item in self._inspect(kind, "--filter", f"label={label}")
        ]

    def has_image(self, image: str) -> bool:
        """Whether the image is in the engine's own store."""
        return bool(self("image", "ls", "--quiet", "--filter", f"reference={image}"))

    def subnets(self) -> dict[str, list[IPv4Network]]:
        """The IPv4 subnets of every network, by the network's name."""
        return {_name(n): subnets_of(n) for n in self._inspect("network")}

    def remove(self, resources: Iterable[Resource]) -> None:
        """Removes containers, then the volumes and networks that they used."""
        found = list(resources)
        for kind in KINDS:
            names = [r.name for r in found if r.kind == kind]
            if names:
                force = ("--force",) if kind == "container" else ()
                self(kind, "rm", *force, *names)
            if names and kind == "network" and self.name == "podman":
                # podman leaves its address book of a removed network behind.
                run(*AS_ROOT, "rm", "-rf", *(f"/var/lib/cni/networks/{name}" for name in names))

    def logs(self, container: str, lines: int) -> str:
        """The last lines that the container wrote."""
        done = subprocess.run(
            [*self.command, "logs", "--tail", str(lines), container],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.stdout.strip()

    def _inspect(self, kind: str, *filters: str) -> list[dict[str, Any]]:
        names = self._list(kind, *filters)
        while names:
            try:
                found: list[dict[str, Any]] = json.loads(self(kind, "inspect", *names))
            except LabError:
                there = self._list(kind, *filters)
                if set(names) <= set(there):
                    raise
                names = there  # another run has removed some meanwhile
            else:
                return found
        return []

    def _list(self, kind: str, *filters: str) -> list[str]:
        all_states = ("--all",) if kind == "container" else ()
        return self(kind, "ls", "--quiet", *all_states, *filters).split()


# podman recommends neither runc, nor the network plugins of its version 4, nor their iptables.
PODMAN_PACKAGES = frozenset({"podman", "runc", "containernetworking-plugins", "iptables"})
ENGINES = {
    "docker": Engine("docker", DOCKER),
    "podman": Engine("podman", PODMAN, PODMAN_PACKAGES),
}


def choose() -> Engine:
    """The engine to use; podman may yet have to be installed."""
    return ENGINES["docker" if _can_run_hosts(ENGINES["docker"]) else "podman"]


def _can_run_hosts(docker: Engine) -> bool:
    """Whether the daemon answers and starts privileged containers.

    It needs no image to try: docker mounts its own init, a static binary, into an empty one.
    """
    try:
        run(*docker.command, "version", timeout=10)
        empty = run("tar", "--create", "--files-from=/dev/null")
        image = run(*docker.command, "import", "-", text=empty).strip()
    except LabError:
        return False
    try:
        docker("run", "--rm", "--init", "--privileged", image, "/sbin/docker-init", "--version")
    except LabError:
        return False
    finally:
        docker("image", "rm", image)
    return True


def describe(kind: str, item: dict[str, Any]) -> Resource:
    """What either engine's `inspect` says of a thing of this kind."""
    labels = item.get("Config", item).get("Labels") or item.get("labels") or {}
    running = kind == "container" and bool(item["State"]["Running"])
    return Resource(kind, _name(item), labels, running)


def _name(item: dict[str, Any]) -> str:
    # docker writes the names of containers with a slash in front.
    name: str = item.get("Name") or item["name"]
    return name.lstrip("/")


def subnets_of(network: dict[str, Any]) -> list[IPv4Network]:
    """The IPv4 subnets in what either engine's `inspect` says of a network."""
    docker = (network.get("IPAM") or {}).get("Config") or []
    texts = [c.get("Subnet", "") for c in docker]
    texts += [s["subnet"] for s in network.get("subnets") or []]
    return [IPv4Network(text) for text in texts if "." in text]

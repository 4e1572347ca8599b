"""As many fake hosts and swarms as wanted, in this process. A fleet is shaped like a lab.Lab, as far as
tests/integration/deployment.py needs one."""

from __future__ import annotations

import contextlib
import copy
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from lab.layout import Node as LabNode
from tests.fakes import membership
from tests.fakes.host import Host
from tests.fakes.model import Engine, Swarm, World
from tests.fakes.sshd import PORT


class Fleet:
    """The hosts by name: swarm-manager-01... and swarm-worker-01..., which are declared, and those that a
    test adds. All are in no swarm at first."""

    def __init__(self, folder: Path, managers: int = 3, workers: int = 3) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.name = folder, "fakes"
        self.private_key, self.known_hosts = folder / "key", folder / "known_hosts"
        self.lock = threading.Condition(threading.RLock())
        self.world = World()
        self.hosts: dict[str, Host] = {}
        self._subnet, self._claim = _claim_subnet()
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.private_key)]
        subprocess.run(command, check=True)
        self.nodes: list[LabNode] = []
        for role, count in (("manager", managers), ("worker", workers)):
            for number in range(1, count + 1):
                host = self._make(f"swarm-{role}-{number:02}")
                self.nodes.append(LabNode(host.name, role, host.address))
        for host in self.hosts.values():
            host.sshd.wait()
        self.learn_host_keys()

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def add(self, name: str) -> Host:
        """One more host, that no configuration declares by itself."""
        host = self._make(name)
        host.sshd.wait()
        self.learn_host_keys()
        return host

    def _make(self, name: str) -> Host:
        address = f"{self._subnet}.{11 + len(self.hosts)}"
        authorized = self.private_key.with_suffix(".pub")
        host = Host(name, self.folder / f"{11 + len(self.hosts)}", address, authorized, self.lock)
        host.world = self.world
        self.world.engines[name] = Engine(name, address)
        self.hosts[name] = host
        host.sshd.launch()
        host.start_engine()
        return host

    def learn_host_keys(self) -> None:
        """Writes known_hosts with the keys that the hosts have now."""
        lines = [f"[{host.address}]:{PORT} {host.sshd.host_key}\n" for host in self.hosts.values()]
        self.known_hosts.write_text("".join(lines))

    def swarm(self, leader: str, *others: str, **labels: str) -> Swarm:
        """Makes a swarm of these hosts that has nothing to do with the project: names with `worker` in them
        are workers. `labels` are the swarm's own."""
        with self.lock:
            spec = {"Labels": labels} if labels else {}
            membership.init(self.world, self[leader].engine, {"Spec": spec})
            made = self[leader].swarm
            assert made is not None
            for name in others:
                role = "worker" if "worker" in name else "manager"
                membership.admit(made, self[name].engine, role, {})
            for name in (leader, *others):
                self[name].certify()
            return made

    def save(self) -> World:
        """How all engines and swarms are now."""
        with self.lock:
            return copy.deepcopy(self.world)

    def restore(self, world: World | None = None) -> None:
        """All as it was then, by default as at the beginning; and every host up, well, and asked nothing."""
        with self.lock:
            self.world = copy.deepcopy(world) if world else World()
            for name, host in self.hosts.items():
                self.world.engines.setdefault(name, Engine(name, host.address))
                host.world = self.world
                host.requests.clear()
                host.sshd.forget()
                host.certify()
                host.behave()
        for host in self.hosts.values():
            host.sshd.thaw()
            host.power_on()
        self.learn_host_keys()

    def close(self) -> None:
        """Ends all that it started."""
        for host in self.hosts.values():
            host.power_off()
        self._claim.close()

    def ssh_command(self, node: str) -> list[str]:
        """The ssh command that logs in to a host, and may be followed by one to run there."""
        known = ["-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "LogLevel=ERROR"]
        return ["ssh", "-i", str(self.private_key), *known, "-p", str(PORT), f"root@{self[node].address}"]

    def run(self, node: str, command: str) -> str:
        """The stdout of a shell command on a host, over SSH."""
        return subprocess.check_output(
            [*self.ssh_command(node), command], stdin=subprocess.DEVNULL, text=True, timeout=60
        )


@contextlib.contextmanager
def fleet(folder: Path, managers: int = 3, workers: int = 3) -> Iterator[Fleet]:
    """A fleet that is gone afterwards."""
    made = Fleet(folder, managers, workers)
    try:
        yield made
    finally:
        made.close()


def _claim_subnet() -> tuple[str, socket.socket]:
    """A /24 of 127.0.0.0/8 that no other process' fleet has, and the socket by which it is claimed. The
    first is 127.0.0."""
    for number in (0, *(1 + (os.getpid() + n) % 254 for n in range(254))):
        claim = socket.socket()
        try:
            claim.bind((f"127.0.{number}.10", PORT))
        except OSError:
            claim.close()
        else:
            return f"127.0.{number}", claim
    raise RuntimeError("every subnet of 127.0.0.0/16 is taken")

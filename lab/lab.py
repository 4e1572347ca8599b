"""A lab: containers that are hosts, on a network of their own."""

import os
import resource
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, TypeVar

from hosts import containers, images, machine
from hosts.containers import Engine, Resource
from hosts.machine import CHECKOUT, say, step
from lab import layout, neighbors
from lab.layout import Node
from lab.state import State
from swarm.errors import LabError, StatusError, TimedOutError
from swarm.waiting import NotYetError, until

PATIENCE = 60  # seconds that a node gets to answer, and killed commands to end

T = TypeVar("T")


class Lab:
    """The lab of this name in this checkout; it may not be up.

    Every method raises LabError for what a user can mend.
    """

    def __init__(self, name: str = layout.DEFAULT_NAME, owner: str | None = None) -> None:
        """`owner`: the process that the lab must not outlive, as `host.process` describes it."""
        self.name = layout.parse_name(name)
        self._owner = owner
        self._state = State(name)
        self.private_key = self._state.private_key
        self.known_hosts = self._state.known_hosts

    @classmethod
    def for_tests(cls, suffix: str = "") -> "Lab":
        """A lab named after this process. Removes those whose process is gone, whoever's."""
        pid = os.getpid()
        lab = cls("-".join(filter(None, ("test", str(pid), suffix))), machine.process(pid))
        machine.install(set(lab._engine.packages))
        _clear_orphans(lab._engine)
        return lab

    @property
    def nodes(self) -> list[Node]:
        """The nodes, managers first; none when the lab isn't there."""
        return [Node(**node) for node in self._state.settings.get("nodes", [])]

    def node(self, name: str) -> Node:
        """The node of this name."""
        found = {node.name: node for node in self.nodes}
        if name not in found:
            raise LabError(
                f"lab {self.name} has no node {name}",
                f"it has {', '.join(found)}" if found else f"begin with `{self._command('up')}`",
            )
        return found[name]

    def up(self, managers: int = 3, workers: int = 3) -> None:
        """Makes the lab have this size and answer: creates, starts, removes what that takes."""
        try:
            layout.nodes(layout.DEFAULT_SUBNET, managers, workers)
        except ValueError as error:
            raise LabError(f"lab {self.name}", str(error)) from None
        machine.install({"openssh-client", *self._engine.packages})
        image = images.node_image(self._engine)
        neighbors.provide(managers + workers)
        with self._state.locked():
            found = self._own()
            settings = self._network(found)
            nodes = layout.nodes(IPv4Network(settings["subnet"]), managers, workers)
            self._state.save(settings | {"nodes": [asdict(node) for node in nodes]})
            self._remove_surplus(found, nodes)
            key = self._state.public_key()
            if settings["registry"]:
                self._start_registry(found, settings["registry"])
            running = {r.name for r in found if r.running}
            keys = self._state.host_keys()
            missing = [
                node for node in nodes if self._called(node.name) not in running or node.address not in keys
            ]
            if missing:
                with step(f"{self.name}: starting {len(missing)} of {len(nodes)} nodes"):
                    registry = settings["registry"]
                    self._each(missing, lambda node: self._start(node, found, image, key, registry))
                    asked = self._each(missing, self._host_key)
                    keys |= dict(zip((n.address for n in missing), asked, strict=True))
                    self._state.save_host_keys({n.address: keys[n.address] for n in nodes})
                    self._each(nodes, self._wait)
            else:
                self._each(nodes, self._wait)

    def down(self) -> None:
        """Removes the lab: containers, network, volumes and state; images are kept."""
        if not self._resources() and not self._state.kept:
            say(f"{self.name}: nothing to remove")
            return
        with self._state.locked():
            found = self._own()
            with step(f"{self.name}: removing it"):
                self._engine.remove(found)
                shutil.rmtree(self._state.folder)

    def stop(self, node: str) -> None:
        """Takes the node's power away: nothing on it gets to say goodbye."""
        self._engine("stop", self._called(self.node(node).name))

    def start(self, node: str) -> None:
        """Gives the node its power back, and waits until it answers."""
        self._engine("start", self._called(self.node(node).name))
        self._wait(self.node(node))

    def stop_engine(self, node: str, signal: str = "TERM") -> float:
        """Ends the node's Docker Engine, which stays away; the host goes on answering SSH.

        Gives the moment of the signal, in seconds since the epoch.
        """
        end = f"touch /run/dockerd.off; date +%s.%N; pkill -{signal} -x dockerd || true"
        moment = float(self.console(node, end))
        self.console(
            node, f"timeout {PATIENCE} sh -c 'while pgrep -x dockerd; do sleep 0.1; done' >/dev/null"
        )
        return moment

    def start_engine(self, node: str) -> None:
        """Has the node's Docker Engine run again, and waits until it answers."""
        self.console(node, "rm -f /run/dockerd.off")
        self._wait(self.node(node))

    def destroy(self, node: str) -> None:
        """Removes the node's host for good, its disk too. Its host key is known until another is made."""
        name = self._called(self.node(node).name)
        self._engine.remove([found for found in self._resources() if found.name == name])

    def reimage(self, node: str) -> None:
        """Gives the node's name and address to a new host: new keys, an empty Docker Engine."""
        self.destroy(node)
        roles = Counter(one.role for one in self.nodes)
        self.up(roles["manager"], roles["worker"])

    def status(self) -> dict[str, str]:
        """What each node is doing, in a few words, by its name."""
        running = {r.name for r in self._resources() if r.running}

        def state(node: Node) -> str:
            if self._called(node.name) not in running:
                return "stopped"
            try:
                version = self._ssh(node, "docker version -f '{{.Server.Version}}'", timeout=10)
            except LabError:
                return "running, its engine does not answer"
            return f"up, Docker Engine {version.strip()}"

        nodes = self.nodes
        return dict(zip((n.name for n in nodes), self._each(nodes, state), strict=True))

    def run(
        self,
        node: str,
        command: str,
        input: str | None = None,  # noqa: A002 (as subprocess calls it)
    ) -> str:
        """The stdout of a shell command on the node, run as root over SSH.

        LabError: it failed; the message ends in its stderr.
        """
        return self._ssh(self.node(node), command, text=input)

    def console(self, node: str, command: str) -> str:
        """The stdout of a shell command at the node's console: it needs neither network nor sshd.

        LabError: it failed.
        """
        return self._engine("exec", self._called(self.node(node).name), "sh", "-c", command)

    def ssh_command(self, node: str) -> list[str]:
        """The ssh command that logs in to the node, and may be followed by one to run there."""
        return self._state.ssh_command(self.node(node).address)

    # What the lab is made of.

    @cached_property
    def _engine(self) -> Engine:
        # A lab stays in the engine that it began in, whatever is installed later.
        return containers.ENGINES.get(self._state.settings.get("engine", "")) or containers.choose()

    def _called(self, thing: str) -> str:
        """The name in the engine: the lab's comes first, in everything."""
        return f"{self.name}-{thing}"

    def _labels(self) -> list[str]:
        labels = layout.labels(self.name, CHECKOUT, self._owner)
        return [f"--label={key}={value}" for key, value in labels.items()]

    def _resources(self) -> list[Resource]:
        return self._engine.find(f"{layout.LABEL_LAB}={self.name}")

    def _own(self) -> list[Resource]:
        """The lab's resources, none of them another checkout's; remains of dead ones are gone."""
        ours, remains = [], []
        for found in self._resources():
            checkout = found.labels.get(layout.LABEL_CHECKOUT, "")
            kept = State(self.name, Path(checkout)).kept
            match layout.claim(checkout, str(CHECKOUT), kept):
                case "foreign":
                    raise LabError(
                        f"the lab {self.name} belongs to {checkout}",
                        f"run `{self._command('down')}` there, or give yours another --name",
                    )
                case "ours":
                    ours.append(found)
                case _:
                    remains.append(found)
        if remains:
            with step(f"{self.name}: clearing what is left of one whose state is gone"):
                self._engine.remove(remains)
        return ours

    def _network(self, found: list[Resource]) -> dict[str, Any]:
        """The lab's settings, with the network that they speak of in being."""
        settings = self._state.settings
        if settings and any(r.kind == "network" for r in found):
            return settings
        public = images.public_registry_answers()
        # Two labs that begin at once must not choose the same subnet.
        with machine.machine_lock("subnet", "choosing a subnet"):
            subnet = self._free_subnet()
            settings = {
                "name": self.name,
                "engine": self._engine.name,
                "owner": self._owner,
                "subnet": str(subnet),
                "registry": None if public else str(subnet[layout.REGISTRY]),
                "nodes": [],
            }
            self._state.save(settings)
            where = [f"--subnet={subnet}", f"--gateway={subnet[layout.GATEWAY]}"]
            self._engine("network", "create", *where, *self._labels(), self._called("network"))
        return settings

    def _free_subnet(self) -> IPv4Network:
        holders = {f"the network {n}": s for n, s in self._engine.subnets().items()}
        holders["a route of this machine"] = machine.routes()
        subnet = layout.choose_subnet(self.name, [s for found in holders.values() for s in found])
        if subnet:
            return subnet
        if self.name != layout.DEFAULT_NAME:
            raise LabError("every subnet in 10.111.0.0/16 is taken", "remove labs or routes there")
        wanted = layout.DEFAULT_SUBNET
        holder = next(h for h, taken in holders.items() if any(map(wanted.overlaps, taken)))
        raise LabError(
            f"the lab {self.name} needs {wanted}, which overlaps {holder}",
            "remove that, or run a lab with another --name: it takes another subnet",
        )

    def _remove_surplus(self, found: list[Resource], nodes: list[Node]) -> None:
        wanted = {self._called(thing) for thing in ("network", "registry", *(n.name for n in nodes))}
        surplus = [r for r in found if r.name not in wanted]
        if surplus:
            gone = sum(r.kind == "container" for r in surplus)
            with step(f"{self.name}: removing {gone} nodes that are too many"):
                self._engine.remove(surplus)

    def _start_registry(self, found: list[Resource], address: str) -> None:
        name = self._called("registry")
        there = [r for r in found if r.name == name]
        if not there:
            image = images.registry_image(self._engine)
            self._run_container("registry", address, image)
        elif not there[0].running:
            self._engine("start", name)

    def _start(self, node: Node, found: list[Resource], image: str, key: str, registry: str | None) -> None:
        name = self._called(node.name)
        there = {r.kind for r in found if r.name == name}
        if "container" in there:
            self._engine("start", name)
            return
        if "volume" not in there:
            self._engine("volume", "create", *self._labels(), name)
        self._run_container(
            node.name,
            node.address,
            "--privileged",
            "--pids-limit=-1",
            "--tmpfs=/run",
            f"--volume={name}:/var/lib/docker",
            f"--env=AUTHORIZED_KEY={key}",
            image,
            *([f"--registry-mirror=http://{registry}"] if registry else []),
        )

    def _run_container(self, thing: str, address: str, *arguments: str) -> None:
        self._engine(
            "run",
            "--detach",
            f"--name={self._called(thing)}",
            f"--hostname={thing}",
            f"--network={self._called('network')}",
            f"--ip={address}",
            f"--mac-address={layout.mac_address(address)}",
            f"--ulimit=nofile={_limit(resource.RLIMIT_NOFILE, 1 << 20)}",
            f"--ulimit=nproc={_limit(resource.RLIMIT_NPROC, 1 << 15)}",
            # Stopping is a power cut, and takes no time.
            "--stop-signal=KILL",
            *self._labels(),
            *arguments,
        )

    # Whether nodes answer.

    def _host_key(self, node: Node) -> str:
        """The node's host key, asked of the engine: anyone can answer on a network."""
        wait = "until cat /etc/ssh/ssh_host_ed25519_key.pub; do sleep 0.1; done 2>/dev/null"
        try:
            key = self._engine("exec", self._called(node.name), "timeout", "20", "sh", "-c", wait)
        except LabError as error:
            raise self._failed(node, str(error)) from None
        return " ".join(key.split()[:2])

    def _wait(self, node: Node) -> None:
        """Returns when the node answers SSH and its engine answers.

        Not `docker info`: that waits for the managers of a swarm that has lost its leader.
        """
        wait = "until docker version >/dev/null 2>&1; do sleep 0.2; done"

        def answers() -> bool:
            try:
                self._ssh(node, f"timeout {PATIENCE} sh -c '{wait}'")
            except LabError as error:
                if any(r.running for r in self._resources() if r.name == self._called(node.name)):
                    raise NotYetError(str(error)) from None
                raise self._failed(node, "it has ended") from None
            return True

        try:
            until("an answer", answers, PATIENCE)
        except TimedOutError as error:
            raise self._failed(node, str(error)) from None

    def _failed(self, node: Node, why: str) -> LabError:
        name = self._called(node.name)
        logs = self._engine.logs(name, 5)
        return LabError(
            f"{node.name} ({node.address}): {why}",
            f"see `{self._engine.name} logs {name}`, which ends in\n{logs}",
        )

    def _ssh(self, node: Node, command: str, text: str | None = None, timeout: float | None = None) -> str:
        try:
            return machine.run(*self._state.ssh_command(node.address), command, text=text, timeout=timeout)
        except StatusError as error:
            raise LabError(f"{node.name}: `{command}` {error.how}", error.stderr) from None

    def _each(self, nodes: Sequence[Node], action: Callable[[Node], T]) -> list[T]:
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(action, nodes))

    def _command(self, command: str) -> str:
        name = "" if self.name == layout.DEFAULT_NAME else f" --name {self.name}"
        return f"python3 -m lab{name} {command}"


def _limit(kind: int, most: int) -> int:
    """The limit to give a container: an engine that may not raise limits can't give more.

    `most` is what podman allows itself; the defaults of both engines are no lower.
    """
    _, hard = resource.getrlimit(kind)
    return most if hard == resource.RLIM_INFINITY else min(hard, most)


def _clear_orphans(engine: Engine) -> None:
    """Removes every lab, and every part of one, whose owner is a process that is gone."""
    checkouts = {CHECKOUT}

    def cleared() -> bool:
        if orphans := _orphans(engine):
            names = sorted({r.labels[layout.LABEL_LAB] for r in orphans})
            checkouts.update(Path(r.labels[layout.LABEL_CHECKOUT]) for r in orphans)
            with step(f"removing labs whose process is gone: {', '.join(names)}"):
                engine.remove(orphans)
        return not _orphans(engine)

    with machine.machine_lock("orphans", "removing labs whose process is gone"):
        # What the killed process asked of the engine may still be under way.
        until("labs whose process is gone removed", cleared, PATIENCE, passing=LabError)
        for file in (file for c in checkouts for file in c.glob(".labs/*/lab.json")):
            state = State(file.parent.name, file.parent.parent.parent)
            owner = state.settings.get("owner")
            if owner and not machine.alive(owner):
                shutil.rmtree(state.folder)


def _orphans(engine: Engine) -> list[Resource]:
    owned = engine.find(layout.LABEL_OWNER)
    return [r for r in owned if not machine.alive(r.labels[layout.LABEL_OWNER])]

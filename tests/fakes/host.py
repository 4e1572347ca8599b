"""One fake host: an sshd, a Docker Engine's socket, and the controls that a test has over both."""

from __future__ import annotations

import copy
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes import api, shapes
from tests.fakes.api import Answer, Request
from tests.fakes.model import Engine, Node, Swarm, World
from tests.fakes.server import Moods, Socket
from tests.fakes.sshd import Sshd

PING = ("GET /_ping", "HEAD /_ping")


class Host:
    """A host of the fleet; its membership is in the fleet's world."""

    def __init__(self, name: str, folder: Path, address: str, authorized: Path, lock: threading.Condition):
        self.name, self.address, self.lock = name, address, lock
        self.world = World()
        self.path = folder / "docker.sock"
        self.sshd = Sshd(folder, address, authorized, self.path)
        self.socket: Socket | None = None
        self.moods = Moods()
        self.requests: list[Request] = []

    # What it tells.

    @property
    def engine(self) -> Engine:
        return self.world.engines[self.name]

    @property
    def swarm(self) -> Swarm | None:
        """The swarm that it is in, whatever it says."""
        return self.world.swarm_of(self.engine)

    @property
    def node(self) -> Node:
        """Its entry in its swarm."""
        assert self.swarm is not None, f"{self.name} is in no swarm"
        return self.swarm.nodes[self.engine.node_id]

    def changes(self) -> list[str]:
        """The requests that weren't mere questions, as `POST /swarm/leave`."""
        return [one.name for one in self.requests if one.method not in ("GET", "HEAD")]

    @property
    def touched(self) -> bool:
        """Whether it was told to change anything, or given a token."""
        return bool(self.changes()) or "SWMTKN" in self.received()

    def received(self) -> str:
        """All that came in over SSH, tokens too."""
        return "\n".join(self.sshd.received())

    def forget(self) -> None:
        """What it was asked, and what came in, up to now."""
        self.requests.clear()
        self.sshd.forget_sessions()

    # What a test does to it.

    def be(
        self,
        state: str,
        *,
        error: str = "",
        itself: bool = True,
        managers: bool = True,
        certified: bool = True,
    ) -> None:
        """Has its engine say so of its membership for as long as the test wants: pending (with or without
        its own node ID and the managers it knows), error, locked, active; `certified`: with a certificate
        that can be read on its disk."""
        with self.lock:
            self.engine.certified = certified
            self.engine.state, self.engine.error = state, error
            self.engine.knows_itself, self.engine.knows_managers = itself, managers
            if state == "error" and not error:
                self.engine.error = "error while loading TLS certificate: no PEM data in it"
            self.certify()
            self.lock.notify_all()

    def certify(self) -> None:
        """Puts the certificate of its membership on its disk, or takes it away."""
        shutil.rmtree(self.sshd.lib / "docker", ignore_errors=True)
        folder = self.sshd.lib / "docker/swarm/certificates"
        if self.engine.node_id and self.engine.certified:
            folder.mkdir(parents=True)
            (folder / "swarm-node.crt").write_text(shapes.certificate(self.engine))

    def hang(self, request: str = "*") -> None:
        """Its engine takes such requests, `GET /info` or all, and never answers."""
        self.moods.silent.add(request)

    def tell(self, request: str, status: int, body: Any) -> None:
        """Its engine answers such requests with this, and does nothing."""
        self.moods.told[request] = (status, body if status < 400 else {"message": body})

    def meanwhile(self, request: str, event: Callable[[], object], after: int = 0) -> None:
        """Has something happen, once, when such a request has come in and before it is answered; `after` so
        many others of its kind. A probe asks for `GET /info` once, and a script after that."""
        self.moods.events[request] = [*[lambda: None] * after, event]

    def behave(self) -> None:
        """Ends what `hang`, `tell` and `meanwhile` began."""
        with self.lock:
            self.moods = Moods()
            self.lock.notify_all()

    def freeze_view(self) -> None:
        """As a manager it goes on telling what there is now, whatever happens to the swarm."""
        self.engine.view = copy.deepcopy(self.world)

    def deny_docker(self) -> None:
        """Its Docker socket isn't for us: permission denied."""
        self.sshd.deny(self.path)

    def stop_engine(self) -> None:
        """Its engine is down; SSH answers."""
        self.engine.up = False
        if self.socket:
            self.socket.close()
        self.socket = None

    def start_engine(self, age: float = 3600) -> None:
        """Its engine is up, since as many seconds."""
        self.engine.up = True
        started = self.sshd.run / "docker.pid"
        started.touch()
        os.utime(started, times=(time.time() - age,) * 2)
        if self.socket is None:
            self.socket = Socket(self.path, self.name, self._answer, self.lock)

    def power_off(self) -> None:
        """Nothing of it answers."""
        self.sshd.stop()
        self.stop_engine()

    def power_on(self) -> None:
        """All of it answers again."""
        self.sshd.launch()
        self.sshd.wait()
        self.start_engine()

    # How its engine answers.

    def _answer(self, request: Request) -> Answer | None:
        """Called with the lock; None as long as it is to be silent."""
        if not any(one is request for one in self.requests[-1:]) and request.name not in PING:
            self.requests.append(request)
        self.moods.happen(request)
        told = self.moods.about(request)
        if not isinstance(told, bool):
            return told
        if not told or self._searches_a_leader(request):
            return None
        if request.name in PING:
            return 200, None
        answer = api.answer(self.world, self.engine, request)
        if request.method != "GET":
            self.certify()
        self.lock.notify_all()  # it may have changed what others wait for
        return answer

    def _searches_a_leader(self, request: Request) -> bool:
        """A manager tells of itself only when it has a leader."""
        swarm = self.swarm
        lost = swarm is not None and (self.engine.cut_off or not self.world.has_leader(swarm))
        return request.name == "GET /info" and self.world.manages(self.engine) and lost

"""Three managers become one, and five: the cluster answers all the while."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from swarm.errors import LabError
from tests.integration.deployment import Deployment, changed
from tests.integration.drift import elected

PORT = 8090
STAYS = "swarm-manager-02"


class Client:
    """Asks again and again. `longest` is the longest time between two answers, seconds."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self.ask, self.answers, self.longest = ask, 0, 0.0
        self.over = threading.Event()

    @contextmanager
    def asking(self) -> Iterator[Client]:
        """It asks until the end of the block; the last answer is waited for."""
        self.answers, self.longest = 0, 0.0
        self.over.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            thread.join()

    def _run(self) -> None:
        answered = time.monotonic()
        while True:
            ending = self.over.is_set()
            try:
                self.ask()
            except (LabError, OSError):
                if time.monotonic() - answered > 120:
                    self.longest = float("inf")
                    return
                time.sleep(0.1)
                continue
            now = time.monotonic()
            self.answers, self.longest = self.answers + 1, max(self.longest, now - answered)
            answered = now
            if ending:
                return


def manager_answers(deployment: Deployment) -> None:
    """`docker node ls` on any of the managers that there are at the moment."""
    for name in (STAYS, "swarm-manager-01", "swarm-manager-03"):
        try:
            deployment.lab.run(name, "timeout 2 docker node ls")
        except LabError:
            continue
        return
    raise LabError("no manager answers")


def test_three_managers_become_one_and_five_while_the_cluster_answers(deployment: Deployment) -> None:
    deployment.configure(stacks=[])
    three = deployment.declared
    deployment.up()
    page = f"--publish mode=host,target=80,published={PORT} --constraint node.hostname==swarm-worker-03"
    deployment.docker(f"service create --name page {page} nginx:1.26.3")
    address = deployment.lab.node("swarm-worker-03").address

    nodes = Client(lambda: manager_answers(deployment))
    pages = Client(lambda: urllib.request.urlopen(f"http://{address}:{PORT}", timeout=2).read())
    with nodes.asking():
        elected(deployment)
    election = nodes.longest
    assert election > 1, "the election went unseen"

    # The one that stays isn't the one that started the swarm.
    one = [
        node | {"role": "leader"} if node["name"] == STAYS else node
        for node in three
        if node["name"] == STAYS or node["role"] == "worker"
    ]
    five = [
        node | {"role": "manager", "availability": "active"}
        if node["name"] in ("swarm-worker-01", "swarm-worker-02")
        else node
        for node in three
    ]
    for declared, managers in ((one, 1), (five, 5)):
        deployment.configure(nodes=declared)
        with nodes.asking(), pages.asking():
            output = deployment.up()
        assert sum(bool(status) for status in deployment.roles().values()) == managers
        assert nodes.answers > 5
        assert pages.answers > 5
        # An election's length is chance: twice the one that was measured here is one still.
        assert nodes.longest <= 2 * election, f"{managers} managers: {nodes.longest:.1f} s without an answer"
        assert pages.longest < election, f"{managers} managers: the page was away for {pages.longest:.1f} s"
        assert changed(output).get("replaced") is None
        deployment.preview()

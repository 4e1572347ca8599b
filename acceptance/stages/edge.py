"""The edge in front of the swarm: a client asks through it while a node dies and comes back."""

from __future__ import annotations

import time

from acceptance import tasks
from acceptance.client import Client
from acceptance.driver import Driver
from acceptance.play import script
from acceptance.stages import failover
from swarm.declare.load_balancer import ANSWER_SECONDS, FALL, INTERVAL_SECONDS

BEAT_SECONDS = 0.5  # between two requests: emulated machines have enough to do
NOTICED_SECONDS = FALL * (INTERVAL_SECONDS + ANSWER_SECONDS)


def give(stage: Driver) -> None:
    """The complete stage. PlayError: a check fails."""
    edge = stage.found.settings.edge
    if not edge:
        stage.transcript.unchecked("the stack declares no edge")
        return
    listened, asked = next(iter(edge.ports.items()))
    victim = behind(stage, asked)
    if edge.mode != "http" or not victim:
        stage.transcript.unchecked("it takes an edge of mode http, and a task behind it on another worker")
        return
    client = Client(stage.found.settings.node(edge.nodes[0]).host, listened, BEAT_SECONDS)
    with client.asking():
        stage.until("an answer of the edge", lambda: [one for one in list(client.answers) if not one.error])
        cut = time.monotonic()
        stage.stop([victim])
        noticed = time.monotonic() + NOTICED_SECONDS
        script.wait_for_nodes(stage)
        stage.start()
        script.wait_for_nodes(stage)
        script.wait_for_tasks(stage)
    late = [one for one in client.failed if one.ended < cut or one.began > noticed]
    what = f"none before {victim} died, and none that began {NOTICED_SECONDS} s after that"
    stage.check(f"through the edge: {client}; {what}", not late, late)
    stage.preview()


def behind(stage: Driver, port: int) -> str | None:
    """A worker without the edge that runs a task of the service which publishes a port."""
    edge = stage.found.settings.edge
    for name, service in failover.services(stage).items():
        if any(one.published == port for one in service.ports):
            for node in tasks.by_node(stage.swarm.tasks(name)):
                if edge and node not in edge.nodes and not stage.found.settings.node(node).manager:
                    return node
    return None

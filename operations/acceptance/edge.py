"""The edge in front of the swarm: a client asks through it while a node dies and comes back."""

from __future__ import annotations

import time

from components.edge import ANSWER_SECONDS, FALL, INTERVAL_SECONDS
from operations.acceptance import failover
from operations.client import Client
from operations.play import session, tasks
from operations.play.stage import Stage

BEAT_SECONDS = 0.5  # between two requests: emulated machines have enough to do
NOTICED_SECONDS = FALL * (INTERVAL_SECONDS + ANSWER_SECONDS)


def give(stage: Stage) -> None:
    """The whole stage. PlayError: a check doesn't hold."""
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
        session.wait_for_nodes(stage)
        stage.start()
        session.wait_for_nodes(stage)
        session.wait_for_tasks(stage)
    late = [one for one in client.failed if one.ended < cut or one.began > noticed]
    what = f"none before {victim} died, and none that began {NOTICED_SECONDS} s after that"
    stage.check(f"through the edge: {client}; {what}", not late, late)
    stage.preview()


def behind(stage: Stage, port: int) -> str | None:
    """A worker without the edge that runs a task of the service which publishes a port."""
    edge = stage.found.settings.edge
    for name, service in failover.services(stage).items():
        if any(one.published == port for one in service.ports):
            for node in tasks.by_node(stage.swarm.tasks(name)):
                if edge and node not in edge.nodes and not stage.found.settings.node(node).manager:
                    return node
    return None

"""Machines are destroyed for good: the Leader's, then all workers' but one; then all are made anew."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from acceptance import election, tasks
from acceptance.driver import Driver
from acceptance.environment import Environment
from acceptance.play import script
from operations import verify
from operations.doctor.ports import MANAGERS
from swarm import process, ssh
from swarm.declare.compose import Service
from swarm.declare.settings import Node
from swarm.finding import Verdict
from swarm.ssh import CONTROL, config_file

BEAT_SECONDS = 0.2
PAGE_SECONDS = 2  # between two requests to an address: emulated machines have an election to hold, too
READ_SECONDS = 10  # that ssh gets to read a file
DEAD_SECONDS = 2  # without an answer
DEATH_SECONDS = 300  # from the command that destroys a machine
PINNED = r"node\.hostname *== *(\S+)"


def give(environment: Environment) -> None:
    """The complete stage. PlayError: a check fails."""
    stage = environment.stage()
    managers = [node for node in stage.found.settings.nodes if node.manager and not node.lost]
    workers = [node.name for node in takers(stage) if not node.manager]
    # What a service is pinned to stays: its tasks have nowhere else to run.
    workers.sort(key=lambda name: name in pinned(services(stage).values()))
    if len(managers) < 3 or len(workers) < 2:
        stage.transcript.unchecked("it takes three managers and two workers")
        return
    lose_the_leader(stage)
    lose_workers(stage, workers[:-1])
    make_anew(environment)


def takers(stage: Driver) -> list[Node]:
    """The nodes that tasks get to."""
    return [node for node in stage.found.settings.nodes if node.availability == "active" and not node.lost]


def services(stage: Driver) -> dict[str, Service]:
    """The declared services by full name."""
    return {stack.full(one.name): one for stack in stage.found.stacks for one in stack.services}


def pinned(declared: Iterable[Service]) -> set[str]:
    """The hosts that services are bound to by name."""
    constraints = (re.fullmatch(PINNED, one) for service in declared for one in service.constraints)
    return {match[1] for match in constraints if match}


def running(stage: Driver) -> set[str]:
    """The IDs of all tasks of the declared services that run."""
    return {task.id for name in services(stage) for task in tasks.running(stage.swarm.tasks(name))}


def lose_the_leader(stage: Driver) -> None:
    """Another leads; nothing else changes."""
    old = stage.until("a Leader", lambda: script.leader(stage))
    node = stage.found.settings.node(old)
    before = running(stage)
    stage.docker("node ls")
    with asked(pages(stage, without=old)) as answers:
        new, seconds = asyncio.run(elected(stage, node))
    stage.transcript.passed(f"{new} leads, {seconds:.1f} s after the last sign of {old}")
    script.wait_for_nodes(stage)
    missed = [
        f"{where}: {len(lost)} of {len(said)}, {'; '.join(sorted(lost))}"
        for where, said in answers.items()
        if (lost := [one for one in said if one])
    ]
    number = sum(len(one) for one in answers.values())
    stage.check(
        f"the pages never stopped: {number} requests to {len(answers)} addresses meanwhile, all answered",
        number > 0 and not missed,
        f"requests without an answer: {' | '.join(missed) or 'none was made'}",
    )
    after = running(stage)
    stage.check(f"all {len(before)} tasks are the same", before == after, f"{after}, not {before}")
    said = stage.preview()
    stage.check(f"and warns of {old}", f"{old} is a member that gives no answer" in said, said)
    control = control_host(stage)
    stage.check(f"control moved, from {node.host} to {control}", control != node.host, control)


async def elected(stage: Driver, old: Node) -> tuple[str, float]:
    """Destroys the Leader's machine; gives the next Leader, and the seconds to it from the last sign of the
    old one."""
    death = asyncio.create_task(last_sign(old))
    try:
        new, moment = await election.elected(stage, old.name, lambda: stage.destroy([old.name]))
        return new, max(moment - await asyncio.wait_for(death, DEATH_SECONDS), 0)
    finally:
        death.cancel()


async def last_sign(node: Node) -> float:
    """When a manager last took a connection, in seconds since the epoch; returns when it is dead. Its swarm
    is asked, for sshd starts a process for each."""
    last = time.time()
    while time.time() - last < DEAD_SECONDS:
        began = time.time()
        try:
            async with asyncio.timeout(DEAD_SECONDS):
                _, writer = await asyncio.open_connection(node.host, MANAGERS)
            writer.close()
            last = began
        except OSError:  # TimeoutError is one
            pass
        await asyncio.sleep(BEAT_SECONDS)
    return last


def pages(stage: Driver, without: str) -> list[tuple[Node, int]]:
    """Where published pages are to be had: through the mesh on every node, in host mode where tasks run."""
    nodes = [node for node in stage.found.settings.nodes if not node.lost and node.name != without]
    found = []
    for name, service in services(stage).items():
        busy = tasks.by_node(stage.swarm.tasks(name))
        for port in service.ports:
            mesh = port.mode == "ingress"
            found += [
                (node, port.published)
                for node in nodes
                if port.protocol == "tcp"
                and port.published
                and (stage.found.observation[node.name].ip_vs if mesh else node.name in busy)
            ]
    return found


@contextmanager
def asked(where: Collection[tuple[Node, int]]) -> Iterator[dict[str, list[str]]]:
    """Asks pages all the time until the end; gives what each request lacked, by address: nothing where it was
    answered."""
    over = threading.Event()
    answers: dict[str, list[str]] = {f"{node.name}:{port}": [] for node, port in where}

    def ask(node: Node, port: int) -> None:
        while not over.wait(PAGE_SECONDS):
            answered, words = script.ask(node, port)
            answers[f"{node.name}:{port}"].append("" if answered else words or "no words")

    with ThreadPoolExecutor(max_workers=len(where) or 1) as pool:
        asking = [pool.submit(ask, *one) for one in where]
        try:
            yield answers
        finally:
            over.set()
        for one in asking:
            one.result()


def control_host(stage: Driver) -> str:
    """The host that control commands go through, by the SSH configuration."""
    path = config_file(stage.found.settings.stack)
    said = process.output(ssh.command(path, CONTROL, options=["-G"]), READ_SECONDS)
    return next(line.split()[1] for line in said.splitlines() if line.startswith("hostname "))


def lose_workers(stage: Driver, failing: list[str]) -> None:
    """What ran there runs on those that are left."""
    rest = {node.name for node in takers(stage)} - set(failing)
    stage.destroy(failing)
    wanted = services(stage)

    def moved() -> list[str] | None:
        found = {name: tasks.by_node(stage.swarm.tasks(name)) for name in wanted}
        if all(settled(found[name], wanted[name], rest) for name in wanted):
            return [f"{name}: {tasks.counted(one)}" for name, one in found.items()]
        return None

    for line in stage.until(f"all tasks on {', '.join(rest)}", moved):
        stage.transcript.passed(line)
    script.wait_for_nodes(stage)


def settled(found: Mapping[str, int], service: Service, rest: Collection[str]) -> bool:
    """Whether a service has its tasks on the nodes that are left. Of one with a port in host mode a node
    takes one task."""
    number = sum(found.values())
    wanted = number if service.replicas is None else service.replicas  # None: those of other nodes are gone
    if any(port.mode == "host" for port in service.ports):
        wanted = min(wanted, len(rest))
    return set(found) <= set(rest) and number == wanted


def make_anew(environment: Environment) -> None:
    """Creates the machines again, then runs `pulumi up` once."""
    environment.run(*environment.ground.create)
    environment.operation("up")
    stage = environment.stage()
    stage.docker("node ls")
    nodes = stage.swarm.nodes()
    declared = {node.name for node in stage.found.settings.nodes if not node.lost}
    stage.check(
        f"one up made the swarm whole: {len(declared)} nodes declared, {len(nodes)} listed, no old entry",
        set(nodes) == declared,
        nodes,
    )
    stage.preview()
    wrong = [str(one) for one in verify.verify(stage.found) if one.verdict is Verdict.FAILED]
    stage.check("all is as `make verify` wants it", not wrong, wrong)

"""One run after another: a fault befalls the Leader, and it is watched when there is another."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from acceptance import polling
from benchmarks.elections.rows import LONE_SECONDS, NO_FAULT, Row
from benchmarks.pulumi import engine_version
from lab import Lab, Node
from swarm.errors import BenchError

ELECTION_SECONDS = 60
RECOVERY_SECONDS = 120


@dataclass(frozen=True)
class Fault:
    """What befalls the Leader's node: `begin` gives the moment, in seconds since the epoch, and returns
    when the fault is in effect; `end` makes up for it."""

    begin: Callable[[Lab, str], float]
    end: Callable[[Lab, str], None]


def cut_off(lab: Lab, node: str) -> float:
    """Takes the node's network away; its engine goes on."""
    down = "ip link set eth0 down && grep -qx down /sys/class/net/eth0/operstate"
    return float(lab.console(node, f"date +%s.%N && {down}"))


def reconnect(lab: Lab, node: str) -> None:
    """Gives the node its network back."""
    lab.console(node, "ip link set eth0 up")


FAULTS = {
    "stopped": Fault(Lab.stop_engine, Lab.start_engine),
    "killed": Fault(lambda lab, node: lab.stop_engine(node, "KILL"), Lab.start_engine),
    "cut off": Fault(cut_off, reconnect),
}


def measure(lab: Lab, faults: Mapping[str, Fault], runs: int) -> Iterator[Row]:
    """The rows of a lab whose managers are one swarm: rounds of no fault and each fault in turn."""
    for number in range(1, runs + 1):
        yield said(asyncio.run(undisturbed(lab, number)))
        for name, fault in faults.items():
            yield said(asyncio.run(disturbed(lab, name, fault, number)))


def said(row: Row) -> Row:
    """The row, shown as progress."""
    print(row, file=sys.stderr, flush=True)
    return row


async def undisturbed(lab: Lab, number: int) -> Row:
    """The row of a swarm that nothing befalls: what the measuring itself takes."""
    managers = await settled(lab)
    async with polling.engines(lab, [node.name for node in managers]) as sockets:
        moment = asyncio.get_running_loop().create_future()
        moment.set_result(time.time())
        seen = await watch(sockets, None, moment, ELECTION_SECONDS)
    return Row(len(managers), NO_FAULT, number, *seen)


async def disturbed(lab: Lab, name: str, fault: Fault, number: int) -> Row:
    """The row of a swarm whose Leader is befallen by a fault, which has ended when this returns.

    BenchError: what was seen can't come from the fault.
    """
    leader, *others = await settled(lab)
    # A lone manager leaves no other behind: it is asked itself, and so is the worker.
    asked, seconds = (others, ELECTION_SECONDS) if others else (lab.nodes, LONE_SECONDS)
    async with polling.engines(lab, [node.name for node in asked]) as sockets:
        moment = asyncio.create_task(asyncio.to_thread(fault.begin, lab, leader.name))
        try:
            if not others:
                await moment  # nothing can happen before; its watch begins with the fault
            seen = await watch(sockets, leader.name, moment, seconds)
        finally:
            await asyncio.to_thread(fault.end, lab, leader.name)
    row = Row(1 + len(others), name, number, *seen)
    check(row)
    return row


def check(row: Row) -> None:
    """BenchError: what was seen after a fault can't come from it."""
    if row.lone:
        if row.write is not None:
            raise BenchError(f"{row}: it took a write while it was away, so the fault had no effect")
        return
    for what, seconds in (("new Leader", row.leader), ("write", row.write)):
        if seconds is None:
            raise BenchError(f"{row}: no {what} within {ELECTION_SECONDS} s")
        if seconds < 0:
            raise BenchError(f"{row}: a {what} before the fault; the Leader changed by itself, run it again")


async def settled(lab: Lab) -> list[Node]:
    """The managers, the Leader first, once every one says that all are Ready, Reachable and under one
    Leader. BenchError: they didn't within RECOVERY_SECONDS."""
    managers = [node for node in lab.nodes if node.role == "manager"]
    deadline = time.monotonic() + RECOVERY_SECONDS
    async with polling.engines(lab, [node.name for node in managers]) as sockets:
        while time.monotonic() < deadline:
            asked = (polling.ask(socket, "GET", "/nodes") for socket in sockets.values())
            answers = await asyncio.gather(*asked)
            views = {
                whole(answer.body, len(managers)) if answer.status == HTTPStatus.OK else None
                for answer in answers
            }
            if len(views) == 1 and (leader := views.pop()):
                return sorted(managers, key=lambda node: node.name != leader)
            await asyncio.sleep(polling.BEAT_SECONDS)
    said = "; ".join(f"{name}: {answer}" for name, answer in zip(sockets, answers, strict=True))
    raise BenchError(f"the managers aren't all Reachable under one Leader after {RECOVERY_SECONDS} s: {said}")


def whole(nodes: Sequence[Any], managers: int) -> str | None:
    """The Leader in a list of nodes, if all in it are Ready and that many managers Reachable."""
    ready = all(node["Status"]["State"] == "ready" for node in nodes)
    standings = [node["ManagerStatus"] for node in nodes if "ManagerStatus" in node]
    reachable = sum(one["Reachability"] == "reachable" for one in standings)
    return next(iter(leaders(nodes)), None) if ready and reachable == managers else None


def leaders(nodes: Sequence[Any]) -> list[str]:
    """The host names of the Leaders in a list of nodes, as the Docker Engine's API gives it."""
    return [node["Description"]["Hostname"] for node in nodes if leading(node)]


def leading(node: Mapping[str, Any]) -> bool:
    """Whether a node in such a list is the Leader."""
    return bool(node.get("ManagerStatus", {}).get("Leader"))


async def watch(
    sockets: Mapping[str, Path], old: str | None, moment: asyncio.Future[float], seconds: float
) -> tuple[float | None, float | None, str]:
    """Seconds from the moment to the first sight of a Leader other than the old one, and to the first
    accepted write; None: not within `seconds`. Then, what writes were last refused with.

    A write counts if it began when the old Leader was gone, or another had been seen: while an engine
    is being stopped it may still take some.
    """

    async def leads(_: str, socket: Path) -> bool:
        answer = await polling.ask(socket, "GET", "/nodes")
        return answer.status == HTTPStatus.OK and any(name != old for name in leaders(answer.body))

    async def accepts(name: str, socket: Path) -> bool:
        counts = moment.done() or leading.done()
        config = {"Name": f"election-{uuid.uuid4().hex}", "Data": "eA=="}
        answer = await polling.ask(socket, "POST", "/configs/create", config)
        if answer.status == HTTPStatus.CREATED:
            return counts
        refusals[name] = str(answer).partition(". ")[0]
        return False

    refusals: dict[str, str] = {}
    leading = asyncio.create_task(polling.first(sockets, leads, seconds))
    writing = asyncio.create_task(polling.first(sockets, accepts, seconds))
    began, leader, write = await asyncio.gather(moment, leading, writing)
    words = "; ".join(f"{name}: {words}" for name, words in sorted(refusals.items()))
    return leader and leader - began, write and write - began, "" if write else words


def conditions(lab: Lab) -> str:
    """On what it is measured, in a few words."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores that all the Docker Engines ({engine_version(lab)}) share with the benchmark"

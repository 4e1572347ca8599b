"""Rounds: every operation in turn, from one client and from many at once."""

from __future__ import annotations

import itertools
import re
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.kv.hosting import Sockets
from benchmarks.kv.stores import LIMIT_SECONDS, OPERATIONS, PREFIX, READ, Operation
from lab import Lab, Node
from swarm.errors import BenchError

ONE, MANY = 1, 8
SYNCS = 200

# Requests a second, a list by rounds, of an operation and a number of clients; and writes that reach the
# disk a second, by rounds.
Rates = dict[tuple[Operation, int], list[float]]
Measured = tuple[Rates, list[float]]


def measure(lab: Lab, node: Node, sockets: Sockets, seconds: float, rounds: int) -> Measured:
    """Every operation in every round. The first round warms up and isn't in it."""
    rates: Rates = {}
    syncs: list[float] = []
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}" if number else "warming up", file=sys.stderr)
        synced = disk(lab, node)
        print(f"  {synced:6.0f} a second: the disk", file=sys.stderr)
        for operation, clients, found in one_round(sockets, seconds):
            print(f"  {found:6.0f} a second: {operation} ({clients})", file=sys.stderr, flush=True)
            if number:
                rates.setdefault((operation, clients), []).append(found)
        if number:
            syncs.append(synced)
    return rates, syncs


def one_round(sockets: Sockets, seconds: float) -> Iterator[tuple[Operation, int, float]]:
    """Every operation with its number of clients and its rate; what was written is removed in the end."""
    stores = [store(at) for store, at in sockets.items()]
    try:
        for store in stores:
            store.write(READ)
        for clients in (ONE, MANY):
            for operation in OPERATIONS:
                if clients == ONE or operation.together:
                    yield operation, clients, rate(operation, sockets, clients, seconds)
    finally:
        for store in stores:
            store.clean()
            store.close()


def rate(operation: Operation, sockets: Sockets, clients: int, seconds: float) -> float:
    """Answered requests a second, of clients that each have a connection and ask one thing after the
    other for as long as this."""
    begin = threading.Barrier(clients, timeout=LIMIT_SECONDS)

    def client(_: int) -> float:
        keys = (f"{PREFIX}{uuid.uuid4().hex}-{number}" for number in itertools.count())
        with operation.store(sockets[operation.store]) as store:
            operation.request(store, next(keys))  # what a connection needs once, such as an ID
            begin.wait()
            began = now = time.perf_counter()
            answered = 0
            while now < began + seconds:
                operation.request(store, next(keys))
                answered += 1
                now = time.perf_counter()
        return answered / (now - began)

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(client, range(clients)))


def disk(lab: Lab, node: Node) -> float:
    """How many writes of 512 bytes a second reach the disk, one after the other, in a file that is there
    already: as a log does it. BenchError: dd says something else."""
    file = "/var/lib/docker/kv-disk"
    write = f"dd if=/dev/zero of={file} bs=512 count={SYNCS}"
    said = lab.run(node.name, f"{write} conv=fsync 2>&1 && {write} conv=notrunc oflag=dsync 2>&1; rm {file}")
    found = re.findall(r"copied, ([\d.e-]+) s", said)
    if len(found) != 2:
        raise BenchError(f"{node.name}: dd: {said}")
    return SYNCS / float(found[1])

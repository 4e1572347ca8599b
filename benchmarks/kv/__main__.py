"""`python3 -m benchmarks.kv`: how fast the swarm's own store is, beside etcd and Redis on the same hosts.

On a lab of its own, in a swarm made by a plain script. Writes a section of docs/reports/kv.md.
"""

from __future__ import annotations

import asyncio

from benchmarks import reports
from benchmarks.elections.measuring import conditions, settled
from benchmarks.kv import hosting
from benchmarks.kv.measuring import Measured, measure
from benchmarks.kv.report import figures
from benchmarks.pulumi import plain_script
from lab import Lab
from swarm import faults
from swarm.errors import BenchError

MANAGERS = 3
ROUNDS = 9
SECONDS = 1.0
PAGE = reports.REPORTS / "kv.md"


def main() -> int:
    """Measures, writes the page, prints the figures; gives the exit code."""
    lab = Lab.for_tests("kv")
    try:
        lab.up(MANAGERS, 0)
        text = "\n".join(figures(*run(lab, SECONDS, ROUNDS), conditions(lab)))
    except OSError as error:  # of the stores' sockets
        raise BenchError(str(error)) from error
    finally:
        lab.down()
    reports.write("make bench-kv", text, PAGE)
    print(text)
    return 0


def run(lab: Lab, seconds: float, rounds: int) -> Measured:
    """What was measured on a lab of managers that are in no swarm: each request for as long as this, in
    so many rounds. The swarm, etcd and Redis stay on it."""
    plain_script(lab)
    nodes = asyncio.run(settled(lab))
    hosting.start(lab, nodes)
    with hosting.leading(lab, nodes) as sockets:
        return measure(lab, nodes[0], sockets, seconds, rounds)


if __name__ == "__main__":
    faults.run(main)

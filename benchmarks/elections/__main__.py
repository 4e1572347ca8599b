"""`python3 -m benchmarks.elections`: how long a swarm is without a Leader when its Leader fails.

On labs of its own, in swarms made by a plain script, so that Docker alone is measured. Writes a section
of docs/reports/benchmarks.md, docs/reports/elections.csv and docs/reports/elections.svg.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from benchmarks.elections import report
from benchmarks.elections.measuring import FAULTS, conditions, measure
from benchmarks.elections.rows import Row
from benchmarks.pulumi import plain_script
from lab import Lab
from lab.layout import MAX_MANAGERS
from swarm import faults

SIZES = "1,3,5,7"
RUNS = 10


def main(arguments: Sequence[str]) -> int:
    """Measures, writes the page, prints its figures; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.elections", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each fault; {RUNS} if not given")
    parser.add_argument(
        "--sizes", type=sizes, default=SIZES, help=f"numbers of managers; {SIZES} if not given"
    )
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs: at least 1")
    lab = Lab.for_tests("elections")
    rows: list[Row] = []
    for size in options.sizes:
        found, where = one_size(lab, size, options.runs)
        rows += found
    print(report.write(rows, where))
    return 0


def sizes(text: str) -> list[int]:
    """Numbers of managers from `1,3,5`. ArgumentTypeError: others than can be measured."""
    found = [int(part) if part.isdecimal() else 0 for part in text.split(",")]
    if not all(size == 1 or 3 <= size <= MAX_MANAGERS for size in found):
        raise argparse.ArgumentTypeError(
            f"{text!r}: 1 or 3 to {MAX_MANAGERS}, such as {SIZES} (of two managers, neither may fail)"
        )
    return found


def one_size(lab: Lab, managers: int, runs: int) -> tuple[list[Row], str]:
    """The rows of a swarm of this size, and on what it ran, in a few words; the lab is gone afterwards."""
    try:
        # A lone manager has a worker beside it: one to ask while the manager is away.
        lab.up(managers, 1 if managers == 1 else 0)
        plain_script(lab)
        return list(measure(lab, FAULTS, runs)), conditions(lab)
    finally:
        lab.down()


if __name__ == "__main__":
    faults.run(partial(main, sys.argv[1:]))

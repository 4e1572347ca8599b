"""`python3 -m acceptance STACK [STAGE]`: the whole pipeline, or one stage of it.

Destroy, validate, create, converge, idempotence, verify, mesh, play, failover, edge, destroy. The first
stage that fails ends it, but the hosts are destroyed all the same. Writes .acceptance/junit.xml, and
docs/reports/acceptance.md if all went as it should. The exit code is 0 only then.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from acceptance import pipeline, report
from acceptance.environment import Environment
from acceptance.pipeline import Result
from acceptance.stages import DOES
from benchmarks import reports
from swarm import faults
from swarm.errors import PlayError
from swarm.foreign import harmless

PAGE = reports.REPORTS / "acceptance.md"
JUNIT = Path(".acceptance/junit.xml")


def main(arguments: Sequence[str]) -> int:
    """Runs the stages; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m acceptance", description=__doc__)
    parser.add_argument("stack")
    parser.add_argument("stage", nargs="?", choices=list(DOES), metavar="STAGE", help=", ".join(DOES))
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        environment = Environment(options.stack)
    except PlayError as error:
        print(harmless(f"acceptance: {error}"), file=sys.stderr)
        return 1
    stages = (options.stage,) if options.stage else pipeline.STAGES
    begun: set[str] = set()

    def act(name: str) -> Result:
        if name in begun:  # the second time: it clears away
            hold_on()
        begun.add(name)
        return environment.act(name, DOES[name])

    results = pipeline.give(stages, act)
    JUNIT.parent.mkdir(exist_ok=True)
    JUNIT.write_text(report.junit(stages, results, environment.stack), encoding="utf-8")
    Console(width=None if sys.stdout.isatty() else 130).print("", report.table(stages, results))
    failed = pipeline.failed(results)
    if environment.conditions and not options.stage and not failed:
        PAGE.write_text(
            report.page(environment.conditions, results, stages, environment.log.markdown()), encoding="utf-8"
        )
        print(f"\nThe log is in docs/reports/{PAGE.name}.")
    return 1 if failed else 0


def hold_on() -> None:
    """From here on an interrupt changes nothing: the hosts are being destroyed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: print("wait: the hosts are being destroyed", file=sys.stderr))


if __name__ == "__main__":
    faults.run(partial(main, sys.argv[1:]))

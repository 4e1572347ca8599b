"""The command line: `python -m operations VERB STACK`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from operations import lifecycle, recover, verify
from operations.doctor import examination
from swarm import faults


@dataclass(frozen=True)
class Verb:
    """What a verb does: a function of the stack's name and of options, which are flags with their help."""

    does: str
    run: Callable[..., int | None]
    options: Mapping[str, str] = field(default_factory=dict)
    interrupted: str = "interrupted"


JSON = {"json": "a list of findings, for machines"}
VERBS = {
    "up": Verb("make the hosts a swarm with its services, and verify it", lifecycle.up),
    "preview": Verb("whether all is as declared; changes nothing", lifecycle.preview),
    "verify": Verb("ask the live nodes: roles, tasks of services, published ports", verify.main, JSON),
    "doctor": Verb(
        "whether the hosts are fit for a swarm",
        examination.main,
        {"deep": "try a temporary overlay network too", **JSON},
        interrupted="interrupted; what was on the hosts for the doctor has ended",
    ),
    "recover": Verb("make the state fit for `pulumi up` after a run was killed", recover.main),
    "destroy": Verb(
        "have every host leave the swarm; copes with hosts that give no answer", lifecycle.destroy
    ),
}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments, checked; exits with a message where they make no sense."""
    parser = argparse.ArgumentParser(prog="python -m operations", description="What one does with a stack.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, verb in VERBS.items():
        added = verbs.add_parser(name, help=verb.does, description=verb.does)
        added.add_argument("stack", metavar="STACK")
        for option, does in verb.options.items():
            added.add_argument(f"--{option}", action="store_true", help=does)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> NoReturn:
    """Does what the arguments say, and exits."""
    given = vars(parse(arguments))
    verb = VERBS[given.pop("verb")]
    faults.run(partial(verb.run, **given), verb.interrupted)


if __name__ == "__main__":
    main(sys.argv[1:])

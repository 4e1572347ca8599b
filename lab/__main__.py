"""The command line: `python3 -m lab up`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from lab import layout
from lab.lab import Lab
from swarm.errors import SwarmError

T = TypeVar("T")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments, checked; exits with a message where they make no sense."""
    parser = argparse.ArgumentParser(
        prog="python3 -m lab",
        description="Containers that are hosts: each runs sshd and a Docker Engine of its own.",
    )
    parser.add_argument("--name", type=_checked(layout.parse_name), default=layout.DEFAULT_NAME)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="make the lab be there, this size, and answer")
    up.add_argument(
        "--nodes",
        type=_checked(layout.parse_size),
        default=(3, 3),
        metavar="MANAGERS,WORKERS",
    )
    commands.add_parser("down", help="remove it; images are kept")
    commands.add_parser("status", help="show what each node is doing")
    for command, does in (
        ("stop", "take a node's power away"),
        ("start", "give it back"),
        ("destroy", "remove a node for good; `up` makes it anew"),
        ("ssh", "log in, or run a command"),
    ):
        commands.add_parser(command, help=does).add_argument("node", metavar="NODE")
    commands.choices["ssh"].add_argument("remote", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say; the exit status."""
    given = parse(arguments)
    lab = Lab(given.name)
    match given.command:
        case "up":
            lab.up(*given.nodes)
            for node in lab.nodes:
                print(f"{node.name}  {node.address}  up")
        case "down":
            lab.down()
        case "status":
            return _show(lab)
        case "stop":
            lab.stop(given.node)
        case "start":
            lab.start(given.node)
        case "destroy":
            lab.destroy(given.node)
        case "ssh":
            command = lab.ssh_command(given.node)
            # In place of this process: the terminal and its signals are ssh's.
            os.execvp(command[0], [*command, *given.remote])  # noqa: S606
    return 0


def _show(lab: Lab) -> int:
    """Prints a line per node; 1 when one of them is not up."""
    states = lab.status()
    if not states:
        print(f"lab {lab.name}: not there")
    for node in lab.nodes:
        print(f"{node.name}  {node.address}  {states[node.name]}")
    return 0 if states and all(state.startswith("up") for state in states.values()) else 1


def _checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """The parser for argparse, which shows only the text of its own kind of error."""

    def checked(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SwarmError as error:
        sys.exit(f"lab: {error}")
    except KeyboardInterrupt:
        sys.exit("lab: interrupted; the same command goes on from here")

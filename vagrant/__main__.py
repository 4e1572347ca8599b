"""The command line: `python3 -m vagrant up`."""

import argparse
import os
import sys
from collections.abc import Sequence

from swarm.errors import SwarmError
from vagrant.machines import RUNNING, Machines


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments, checked; exits with a message where they make no sense."""
    parser = argparse.ArgumentParser(
        prog="python3 -m vagrant",
        description="Virtual machines that are hosts: those of Pulumi.dev.yaml.",
        epilog="Environment: N, how many machines; MEMORY, MiB of each; CPUS, of each.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="make these machines, or all, be there and answer")
    up.add_argument("nodes", nargs="*", metavar="NODE")
    commands.add_parser("down", help="remove all; the box is kept")
    commands.add_parser("status", help="show what each machine is doing")
    for command, does in (
        ("stop", "take a machine's power away"),
        ("start", "give it back"),
        ("ssh", "log in, or run a command"),
    ):
        commands.add_parser(command, help=does).add_argument("node", metavar="NODE")
    commands.choices["ssh"].add_argument("remote", nargs=argparse.REMAINDER, metavar="COMMAND")
    destroy = commands.add_parser("destroy", help="destroy machines; up makes new ones of their names")
    destroy.add_argument("nodes", nargs="+", metavar="NODE")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Does what the arguments say; the exit status."""
    given = parse(arguments)
    machines = Machines()
    match given.command:
        case "up":
            machines.up(given.nodes)
        case "down":
            machines.down()
        case "destroy":
            machines.destroy(given.nodes)
        case "stop":
            machines.stop(given.node)
        case "start":
            machines.start(given.node)
        case "status":
            return _show(machines)
        case "ssh":
            command = machines.ssh_command(given.node)
            # In place of this process: the terminal and its signals are ssh's.
            os.execvp(command[0], [*command, *given.remote])  # noqa: S606
    return 0


def _show(machines: Machines) -> int:
    """Prints a line per machine; 1 when one of them is not running."""
    states = machines.status()
    if not states:
        print("no machines")
    for name, state in states.items():
        print(f"{name}  {state}")
    return 0 if states and all(state == RUNNING for state in states.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SwarmError as error:
        sys.exit(f"vagrant: {error}")
    except KeyboardInterrupt:
        sys.exit("vagrant: interrupted; the same command goes on from here")

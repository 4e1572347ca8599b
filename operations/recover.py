"""`python3 -m operations.recover STACK`: makes a stack fit for `pulumi up` after a run was killed.

A killed engine leaves three things: its lock, its plugins, and creations of which it is not known
whether they came about. The lock goes if its process is dead, the plugins are ended. Services and
networks that are there are taken into the state; memberships need nothing, for their scripts are safe
to run again.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.connection import CONTROL, config_file
from operations.engine import PROJECT, look_at, pulumi

INSPECTED = {
    "docker:index/service:Service": "service",
    "docker:index/network:Network": "network",
}


def main(arguments: Sequence[str]) -> None:
    """Recovers the stack, and says what it did; says nothing where there is nothing to do."""
    (stack,) = arguments
    remove_dead_locks(stack)
    end_orphans(Path.cwd(), Path("/proc"))
    state = json.loads(pulumi("stack", "export", "--stack", stack))
    pending = [
        operation["resource"]
        for operation in state["deployment"].pop("pending_operations", ())
        if operation["type"] == "creating"
    ]
    if pending:
        look_at(stack)  # finds a live manager
        take_in(state["deployment"], pending, dict(find(stack, pending)))
        pulumi("stack", "import", "--stack", stack, text=json.dumps(state))


def remove_dead_locks(stack: str) -> None:
    """Removes the file backend's locks that processes on this host left which are dead now."""
    backend = os.environ.get("PULUMI_BACKEND_URL", "")
    if not backend.startswith("file://"):
        return
    folder = Path(backend.removeprefix("file://")).expanduser()
    for path in folder.glob(f".pulumi/locks/organization/{PROJECT}/{stack}/*.json"):
        lock = json.loads(path.read_text())
        if lock["hostname"] == socket.gethostname() and not is_engine(lock["pid"]):
            path.unlink()
            print(f"removed the lock of an earlier run (process {lock['pid']}), which is dead")


def end_orphans(project: Path, processes: Path) -> None:
    """Ends the plugins and language hosts that dead engines left in this project."""
    for process in processes.glob("[0-9]*"):
        try:
            name = (process / "comm").read_text()
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            ours = (process / "cwd").readlink() == project
        except OSError:
            continue  # it has ended, or is another user's
        if ours and name.startswith("pulumi-") and not is_engine(int(parent)):
            os.kill(int(process.name), signal.SIGTERM)
            print(f"ended {name.strip()} (process {process.name}), which an engine left that is dead")


def is_engine(pid: int) -> bool:
    """Whether a Pulumi engine runs under this process ID."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == "pulumi"
    except OSError:
        return False


def take_in(deployment: dict[str, Any], pending: Sequence[dict[str, Any]], found: Mapping[str, str]) -> None:
    """Takes pending creations into the state that came about, with their IDs by URN, and forgets the
    others. What they are like is found out by the next refresh."""
    for resource in pending:
        urn = resource["urn"]
        what = "is left to pulumi up"
        if urn in found:
            what = "is there, and taken into the state"
            taken = {**resource, "id": found[urn], "outputs": resource["inputs"]}
            deployment["resources"].append(taken)
        print(f"an earlier run was killed while it created {urn.rpartition('::')[2]}: that {what}")


def find(stack: str, pending: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The URNs of what Docker knows by name, with its ID."""
    for resource in pending:
        kind = INSPECTED.get(resource["type"])
        if kind:
            command = f"docker {kind} inspect --format '{{{{.ID}}}}' {resource['inputs']['name']}"
            asked = subprocess.run(
                ["ssh", "-F", str(config_file(stack)), CONTROL, command],
                capture_output=True,
                text=True,
                check=False,
            )
            if asked.returncode == 0:
                yield resource["urn"], asked.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])

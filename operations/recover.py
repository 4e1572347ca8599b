"""Makes a stack fit for `pulumi up` after a run was killed.

A killed engine leaves three things: its lock, its plugins, and creations of which it is not known
whether they came about. The lock goes if its process is dead, the plugins are ended. Services, networks,
secrets and configs that are there are taken into the state; memberships need nothing, for their scripts
are safe to run again. A state that was cut off while it was written makes way for the one before it.

A run that failed leaves a fourth: what it replaced and hadn't deleted yet. The engine deletes it in the
next up, without asking whether it is there; what was removed by hand since would fail every up.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from operations import pulumi_cli
from operations.pulumi_cli import PROJECT
from operations.stack import prepare
from swarm import process, ssh
from swarm.errors import CommandError
from swarm.faults import doing
from swarm.run import Run

ANSWER_SECONDS = 20  # the SSH connection aside

INSPECTED = {
    "docker:index/service:Service": "service",
    "docker:index/network:Network": "network",
    "docker:index/secret:Secret": "secret",
    "docker:index/serviceConfig:ServiceConfig": "config",
}


def main(stack: str) -> None:
    """Recovers the stack, and says what it did; says nothing where there is nothing to do."""
    remove_dead_locks(stack)
    restore_state(stack)
    end_orphans(Path.cwd(), Path("/proc"))
    state = pulumi_cli.export(stack)
    deployment = state["deployment"]
    pending = [
        operation["resource"]
        for operation in deployment.pop("pending_operations", ())
        if operation["type"] == "creating"
    ]
    replaced = [
        resource
        for resource in deployment.get("resources") or ()
        if resource.get("delete") and resource["type"] in INSPECTED
    ]
    # Finds a live manager; where it refuses, so will the up, and the next recovery has another try.
    if (pending or replaced) and not (run := prepare(stack)).plan.refusals:
        doing("recovering what an earlier run left")
        found = {one["urn"]: there for one in pending if (there := find(run, one))}
        gone = [one["id"] for one in replaced if not find(run, one)]
        take_in(deployment, pending, found)
        forget(deployment, gone)
        if pending or gone:
            pulumi_cli.output("stack", "import", "--stack", stack, text=json.dumps(state))


def remove_dead_locks(stack: str) -> None:
    """Removes the file backend's locks that processes on this host left which are dead now."""
    for path in backend_files(f"locks/organization/{PROJECT}/{stack}/*.json"):
        lock = json.loads(path.read_text(encoding="utf-8"))
        if lock["hostname"] == socket.gethostname() and not is_engine(lock["pid"]):
            path.unlink()
            print(f"removed the lock of an earlier run (process {lock['pid']}), which is dead")


def restore_state(stack: str) -> None:
    """Where the file backend's state was cut off while it was written: the one before it, which the
    backend keeps beside it. A checksum that was cut off goes: the backend does without one, but not with half
    of one."""
    for path in backend_files(f"stacks/{PROJECT}/{stack}.json"):
        before = path.with_name(f"{path.name}.bak")
        checksum = path.with_name(f"{path.name}.attrs")
        if checksum.exists() and not is_json(checksum):
            checksum.unlink()
            print(
                "an earlier run was killed while it wrote the state: removed the checksum that it had begun"
            )
        if not is_json(path) and before.exists() and is_json(before):
            path.write_bytes(before.read_bytes())
            print("an earlier run was killed while it wrote the state: went back to the state before that")


def is_json(path: Path) -> bool:
    """Whether a file is whole."""
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def backend_files(pattern: str) -> list[Path]:
    """The files of a file backend; none of any other."""
    backend = os.environ.get("PULUMI_BACKEND_URL", "")
    if not backend.startswith("file://"):
        return []
    folder = Path(backend.removeprefix("file://")).expanduser()
    return list(folder.glob(f".pulumi/{pattern}"))


def end_orphans(project: Path, processes: Path) -> None:
    """Ends the plugins and language hosts that dead engines left in this project."""
    for entry in processes.glob("[0-9]*"):
        try:
            name = (entry / "comm").read_text(encoding="utf-8", errors="replace")
            parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[1]
            ours = (entry / "cwd").readlink() == project
        except OSError:
            continue  # it has ended, or is another user's
        if ours and name.startswith("pulumi-") and not is_engine(int(parent)):
            os.kill(int(entry.name), signal.SIGTERM)
            print(f"ended {name.strip()} (process {entry.name}), which an engine left that is dead")


def is_engine(pid: int) -> bool:
    """Whether a Pulumi engine runs under this process ID."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "pulumi"
    except OSError:
        return False


def take_in(deployment: dict[str, Any], pending: Sequence[dict[str, Any]], found: Mapping[str, str]) -> None:
    """Takes pending creations into the state that came about, with their IDs by URN, and forgets the
    others. What they are like is found out by the next refresh. What one was to replace is left to be
    deleted, as the engine leaves it."""
    for resource in pending:
        urn = resource["urn"]
        what = "is left to pulumi up"
        if urn in found:
            what = "is there, and taken into the state"
            for replaced in (one for one in deployment["resources"] if one["urn"] == urn):
                replaced["delete"] = True
            taken = {**resource, "id": found[urn], "outputs": resource["inputs"]}
            deployment["resources"].append(taken)
        print(f"an earlier run was killed while it created {urn.rpartition('::')[2]}: that {what}")


def forget(deployment: dict[str, Any], gone: Collection[str]) -> None:
    """Takes replaced resources out of the state of which nothing is left to delete, by their IDs."""
    for resource in [one for one in deployment["resources"] if one.get("delete") and one["id"] in gone]:
        deployment["resources"].remove(resource)
        print(f"forgot {resource['inputs']['name']}, which was replaced and is gone already")


def find(run: Run, resource: Mapping[str, Any]) -> str | None:
    """The ID of what Docker knows by a resource's name, if it does. CommandError: no manager can be asked."""
    kind = INSPECTED.get(resource["type"])
    if not kind:
        return None
    name = resource["inputs"]["name"]
    command = shlex.join(["docker", kind, "inspect", "--format", "{{.ID}}", "--", name])
    control = run.settings.node(run.plan.control)
    asked = ssh.command(ssh.config_file(run.settings.stack), control.name, command)
    try:
        return process.output(asked, control.ssh.connect_timeout + ANSWER_SECONDS).strip()
    except CommandError as error:
        if any(words in str(error).lower() for words in ("no such", "not found")):
            return None
        # Neither there nor gone: nobody could tell.
        told = f"{control.name} doesn't tell whether the {kind} {name} is there"
        raise CommandError(told, str(error)) from None

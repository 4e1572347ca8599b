"""A stack, where its hosts come from, and what is done to both."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from acceptance import driver, hosts
from acceptance.driver import CONFIG_FILE, Driver
from acceptance.pipeline import Result
from acceptance.report import Conditions
from acceptance.transcript import Transcript
from operations.stack import prepare
from swarm import process
from swarm.declare.settings import NAMESPACE
from swarm.errors import PlayError, SwarmError
from swarm.foreign import harmless
from swarm.ssh import config_file

STATUS_SECONDS = 120  # Vagrant takes seconds to begin
CHATTER = ("Bringing machine ", "==> ", "    ")  # how Vagrant's lines begin


class Log(Transcript):
    """A transcript that knows the checks of the stage that is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[str] = []
        self.left: list[str] = []

    def stage(self, title: str) -> None:
        """Begins a stage."""
        self.held, self.left = [], []
        super().act(title)

    def act(self, title: str) -> None:
        """Begins an act of the play."""
        self._title("###", title)

    def passed(self, text: str) -> None:
        """A check that holds."""
        self.held.append(text)
        super().passed(text)

    def unchecked(self, text: str) -> None:
        """What can't be checked here, and why."""
        self.left.append(text)
        super().unchecked(text)


class Environment:
    """Every method raises PlayError."""

    def __init__(self, stack: str) -> None:
        self.stack, self.log = stack, Log()
        self.file = Path(f"Pulumi.{stack}.yaml")
        try:
            self.declared: dict[str, Any] = yaml.safe_load(self.file.read_text(encoding="utf-8"))["config"]
        except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
            raise PlayError(f"{self.file}: {error}") from None
        found = hosts.of(stack, keys(self.declared))
        if not found:
            raise PlayError(
                f"the hosts of stack {stack} are none of ours to destroy and create: acceptance is for the "
                f"stack `{hosts.MACHINES}`, and for a lab of the stack's name whose key is declared"
            )
        self.ground = found
        self.conditions: Conditions | None = None  # known when the hosts have been probed
        self.narrow()

    def act(self, name: str, does: Callable[[Environment], None]) -> Result:
        """Does a stage, whatever becomes of it."""
        self.log.stage(name)
        began, failure = time.monotonic(), None
        try:
            does(self)
        except SwarmError as error:
            failure = str(error) or "see above what failed"
        except KeyboardInterrupt:
            failure = "interrupted"
        except Exception:  # the hosts are to be destroyed all the same
            failure = traceback.format_exc()
        if failure is not None:
            print(harmless(f"\nacceptance: {name} failed: {failure}"), file=sys.stderr)
        seconds = time.monotonic() - began
        return Result(name, seconds, tuple(self.log.held), tuple(self.log.left), failure)

    def pulumi(self, *arguments: str, shown: str = "Resources:", **environment: str) -> None:
        """Runs a Pulumi command on the stack, as Driver.run does."""
        command, own = ("pulumi", *arguments), {"PULUMI_STACK": self.stack, **environment}
        driver.run(self.log, command, own, driver.summary(shown))

    def operation(self, verb: str) -> None:
        """Does one of `python -m operations`, as Make does; shows what Pulumi did, and what came of it."""
        command = ("python", "-m", "operations", verb, self.stack)
        driver.run(self.log, command, {}, driver.summary("Resources:"))

    def run(self, *command: str) -> str:
        """Runs another command; gives its output, and shows what is for the log."""
        return driver.run(self.log, command, {}, logged)

    def stage(self) -> Driver:
        """The stack as it is now, where services come and go."""
        return Driver(prepare(self.stack), self.ground, self.log)

    def machines(self) -> dict[str, str]:
        """The hosts that there should be, by name, with their addresses where the tool says them."""
        return machines(self._status().stdout)

    def up(self) -> bool:
        """Whether all hosts that there should be answer."""
        return self._status().returncode == 0

    def _status(self) -> subprocess.CompletedProcess[str]:
        try:
            return process.run(self.ground.status, STATUS_SECONDS, stderr=None)
        except subprocess.TimeoutExpired:
            told = f"`{' '.join(self.ground.status)}` gave no answer within {STATUS_SECONDS} s"
            raise PlayError(told) from None

    def narrow(self) -> None:
        """Has all commands from here on declare those nodes alone that there should be machines for, at their
        addresses, where these are others than in the stack's own configuration."""
        os.environ.pop(CONFIG_FILE, None)
        own = self.declared[f"{NAMESPACE}nodes"]
        there = self.machines()
        nodes = narrowed(own, there)
        if there and nodes != own:
            path = config_file(self.stack).with_name("acceptance.yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = yaml.safe_load(self.file.read_text(encoding="utf-8"))
            whole["config"] = {**self.declared, f"{NAMESPACE}nodes": nodes}
            path.write_text(yaml.safe_dump(whole), encoding="utf-8")
            os.environ[CONFIG_FILE] = str(path)


def logged(line: str) -> bool:
    """Whether a line that a command prints is for the log. What Vagrant says of each of its steps isn't:
    hundreds of lines, with paths of this computer."""
    return bool(line.strip()) and not line.startswith(CHATTER)


def keys(declared: Mapping[str, Any]) -> set[Path]:
    """The private keys of all nodes, as written."""
    shared = declared.get(f"{NAMESPACE}ssh") or {}
    ways = [{**shared, **(node.get("ssh") or {})} for node in declared.get(f"{NAMESPACE}nodes") or ()]
    return {Path(way.get("privateKeyFile", "")) for way in ways}


def machines(status: str) -> dict[str, str]:
    """Addresses by name, of what the hosts' tool says in lines of name, address and state; the address is
    empty where it doesn't say it."""
    parts = (line.split("  ") for line in status.splitlines())
    there = ((name, rest) for name, *rest in parts if rest)
    return {name: rest[0] if len(rest) > 1 else "" for name, rest in there}


def narrowed(nodes: list[Mapping[str, Any]], there: Mapping[str, str]) -> list[dict[str, Any]]:
    """The declared nodes that are there, at their addresses."""
    return [{**node, "host": there[node["name"]] or node["host"]} for node in nodes if node["name"] in there]

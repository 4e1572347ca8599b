"""The Pulumi engine's command line, and the stack as configured and as observed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import state
from swarm import faults, process, ssh
from swarm.decide import decisions
from swarm.decide.plan import Plan
from swarm.declare import load
from swarm.declare.compose import Stack
from swarm.declare.reader import ConfigurationError, Mistake
from swarm.declare.settings import Settings
from swarm.errors import ShownError, TimedOutError
from swarm.faults import doing
from swarm.foreign import harmless
from swarm.observe import probe
from swarm.observe.model import Observation

PROJECT = "swarm"
ANSWER_SECONDS = 120  # for what only reads or writes configuration and state: a backend may be far away


def pulumi(*arguments: str, text: str | None = None) -> str:
    """Standard output of a Pulumi command that reads `text`, and touches no host. SwarmError: it failed, its
    error is shown; or it gave no answer."""
    try:
        done = process.run(["pulumi", *arguments], ANSWER_SECONDS, text=text, stderr=None)
    except subprocess.TimeoutExpired:
        backend = os.environ.get("PULUMI_BACKEND_URL") or "that of your login"
        raise TimedOutError(
            f"`pulumi {' '.join(arguments[:2])}` gave no answer within {ANSWER_SECONDS} s",
            f"see that its backend answers ({backend})",
        ) from None
    if done.returncode:
        raise ShownError(done.returncode)
    return done.stdout


@dataclass(frozen=True)
class Look:
    """A stack: what is declared, what is, and what `pulumi up` would do about it."""

    settings: Settings
    stacks: Sequence[Stack]
    observation: Observation
    plan: Plan


def declared(stack: str) -> tuple[Settings, list[Stack]]:
    """What a stack's configuration says. ConfigurationError: it has mistakes."""
    doing("reading the configuration")
    # With secrets: a Compose file is read whole, contents too. They go no further.
    try:
        raw: dict[str, Any] = json.loads(pulumi("config", "--json", "--show-secrets", "--stack", stack))
    except (ValueError, RecursionError):
        rule = "has a value that is nested too deep, or a number of thousands of digits"
        raise ConfigurationError([Mistake(f"Pulumi.{stack}.yaml", None, rule, "Correct it")]) from None
    values = {key: entry.get("objectValue", entry.get("value")) for key, entry in raw.items()}
    secret = [key for key, entry in raw.items() if entry["secret"]]
    faults.hide([values[key] for key in secret])
    return load.load(values, Path(), PROJECT, stack, secret)


def look_at(stack: str, patience: float = probe.STEADY_SECONDS) -> Look:
    """Looks at the machines of a stack, with `probe.observe`'s patience. ConfigurationError: its
    configuration has mistakes."""
    settings, stacks = declared(stack)
    doing("reading the state")
    known = state.of_export(json.loads(pulumi("stack", "export", "--stack", stack)))
    doing("looking at the hosts")
    ssh.write_config(settings)
    observation = probe.observe(
        settings,
        [one.name for one in stacks],
        say=lambda text: print(harmless(text), file=sys.stderr),
        patience=patience,
        configs=[name for one in stacks for name in one.external_configs],
    )
    doing("deciding what is to be done")
    plan = decisions.decide(settings, known, observation, stacks)
    ssh.write_config(settings, plan.control)
    return Look(settings, stacks, observation, plan)

"""A stack, as its own program sees it in an up."""

from __future__ import annotations

import json
import sys
from typing import Any

from components import state
from operations import pulumi_cli
from swarm import run
from swarm.declare.compose import Stack
from swarm.declare.reader import ConfigurationError, Problem
from swarm.declare.settings import Settings
from swarm.foreign import harmless
from swarm.observe import probe
from swarm.run import Run


def declared(stack: str) -> tuple[Settings, list[Stack]]:
    """What a stack's configuration says. ConfigurationError: it has problems."""
    # With secrets: a Compose file is read whole, contents too. They go no further.
    said = pulumi_cli.output("config", "--json", "--show-secrets", "--stack", stack)
    try:
        raw: dict[str, Any] = json.loads(said)
    except (ValueError, RecursionError):
        rule = "has a value that is nested too deep, or a number of thousands of digits"
        raise ConfigurationError([Problem(f"Pulumi.{stack}.yaml", None, rule, "Correct it")]) from None
    values = {key: entry.get("objectValue", entry.get("value")) for key, entry in raw.items()}
    secret = [key for key, entry in raw.items() if entry["secret"]]
    return run.declared(values, secret, pulumi_cli.PROJECT, stack)


def prepare(stack: str, patience: float = probe.STEADY_SECONDS) -> Run:
    """What `pulumi up` would find and do, without doing it; `patience` is the probe's, in seconds."""
    return run.prepare(
        *declared(stack),
        known=lambda: state.of_export(pulumi_cli.export(stack)),
        say=lambda text: print(harmless(text), file=sys.stderr),
        patience=patience,
    )

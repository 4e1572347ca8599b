"""One run, up to what is to be done: declared, observed, decided.

`pulumi up` begins with it, and so does every operation, so that all see the same plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swarm import faults, ssh
from swarm.decide import decisions
from swarm.decide.ownership import Known
from swarm.decide.plan import Plan
from swarm.declare import load
from swarm.declare.compose import Stack
from swarm.declare.settings import Settings
from swarm.faults import doing
from swarm.observe import probe
from swarm.observe.model import Observation
from swarm.observe.settling import late_engines, under_way


@dataclass(frozen=True)
class Run:
    """A stack: what is declared, what is, and what `pulumi up` does about it."""

    settings: Settings
    stacks: Sequence[Stack]
    observation: Observation
    plan: Plan


def declared(
    values: Mapping[str, Any], secret: Sequence[str], project: str, stack: str
) -> tuple[Settings, list[Stack]]:
    """What a configuration of these values says, the `secret` ones decrypted, which no error shows from here
    on. ConfigurationError: it has problems."""
    doing("reading the configuration")
    faults.hide([values[key] for key in secret if key in values])
    return load.load(values, Path(), project, stack, secret)


def prepare(
    settings: Settings,
    stacks: Sequence[Stack],
    known: Callable[[], Known],
    say: Callable[[str], None],
    *,
    patience: float = probe.STEADY_SECONDS,
    destroying: bool = False,
) -> Run:
    """The run, before anything is changed; `destroying`: hosts are to leave, and none is waited for that may
    not answer. `known` reads the state while the hosts are probed; `patience` is the probe's, in seconds."""
    doing("probing the hosts")
    ssh.write_config(settings)
    with ThreadPoolExecutor(max_workers=1) as beside:
        reading = beside.submit(copy_context().run, known)
        observation = probe.observe(
            settings,
            [stack.name for stack in stacks],
            say=say,
            patience=probe.BRIEF_SECONDS if destroying else patience,
            awaited=late_engines if destroying else under_way,
            configs=[name for stack in stacks for name in stack.external_configs],
        )
        there = reading.result()
    doing("deciding what is to be done")
    if destroying:
        plan = decisions.give_up(settings, there, observation, stacks)
    else:
        plan = decisions.decide(settings, there, observation, stacks)
    if not plan.refusals:
        ssh.write_config(settings, plan.control)
    return Run(settings, stacks, observation, plan)

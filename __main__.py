"""The whole program: what is declared, what is, what is to be done, and the resources that do it."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import pulumi

from components import state
from components.cluster import ClusterArgs, SwarmCluster
from swarm import faults, ssh
from swarm.decide import decisions, images
from swarm.declare import load
from swarm.declare.reader import ConfigurationError
from swarm.faults import SAID, doing
from swarm.foreign import harmless
from swarm.observe import probe
from swarm.observe.settling import late_engines, under_way

# The engine interrupts the program when a resource fails: its error is the last word, no traceback.
signal.signal(signal.SIGINT, lambda *_: os._exit(SAID))


def main() -> None:
    """From the configuration to the resources."""
    doing("reading the configuration")
    values = json.loads(os.environ["PULUMI_CONFIG"])
    secret = json.loads(os.environ.get("PULUMI_CONFIG_SECRET_KEYS") or "[]")
    faults.hide([values[key] for key in secret if key in values])
    try:
        settings, stacks = load.load(values, Path(), pulumi.get_project(), pulumi.get_stack(), secret)
    except ConfigurationError as error:
        refuse(str(error))

    doing("reading the state")
    known = state.of_this_run()

    doing("looking at the hosts")
    ssh.write_config(settings)
    destroying = os.environ.get("SWARM_DESTROY") == "1"
    observation = probe.observe(
        settings,
        [stack.name for stack in stacks],
        say=say,
        patience=probe.BRIEF_SECONDS if destroying else probe.STEADY_SECONDS,
        awaited=late_engines if destroying else under_way,
        configs=[name for stack in stacks for name in stack.external_configs],
    )

    doing("deciding what is to be done")
    if destroying:
        plan = decisions.give_up(settings, known, observation)
    else:
        plan = decisions.decide(settings, known, observation, stacks)
    for warning in plan.warnings:
        pulumi.log.warn(harmless(str(warning)))
    if plan.refusals:
        refuse("".join(["refused, nothing was changed:", *(f"\n  - {one}" for one in plan.refusals)]))
    if outline := plan.outline():
        say(f"to be done: {outline}")
    ssh.write_config(settings, plan.control)
    if stacks and plan.control:
        ssh.open_control(settings.stack, settings.node(plan.control).ssh.look_timeout)
    resolved = images.images(stacks, plan, settings, say=say)

    doing("declaring the resources")
    cluster = SwarmCluster("swarm", ClusterArgs(settings, plan))
    services = {}
    if stacks:
        from components.stack import deploy  # late: runs without stacks need no Docker plugin

        services = deploy(stacks, settings, plan, cluster, resolved)
    pulumi.export("cluster", cluster.cluster_id)
    pulumi.export("nodes", cluster.nodes)
    pulumi.export("services", services)
    pulumi.export("endpoints", [url for stack in stacks for url in stack.endpoints(settings.nodes)])


def say(text: str) -> None:
    """Says something, part of which hosts may have said."""
    pulumi.log.info(harmless(text))


def refuse(why: str) -> NoReturn:
    """Ends the run."""
    pulumi.log.error(harmless(why))
    sys.exit(SAID)


with faults.shown(pulumi.log.error):
    main()

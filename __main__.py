"""The whole program: what is declared, what is, what is to be done, and the resources that do it."""

import json
import os
import signal
from collections.abc import Iterable
from functools import partial
from importlib import import_module

import pulumi

from components import state
from swarm import faults, ssh
from swarm.decide import images
from swarm.decide.ownership import Known
from swarm.errors import SwarmError
from swarm.faults import SAID, doing
from swarm.foreign import harmless
from swarm.run import declared, prepare

# The engine interrupts the program when a resource fails: its error is the last word, no traceback.
signal.signal(signal.SIGINT, lambda *_: os._exit(SAID))

# The SDK sends each of its own debug lines to the engine, shown or not, and waits for the answer: a quarter
# of the time that it takes to declare the resources.
pulumi.log.debug = lambda *_, **__: None


def main() -> None:
    """From the configuration to the resources."""
    values = json.loads(os.environ["PULUMI_CONFIG"])
    secret = json.loads(os.environ.get("PULUMI_CONFIG_SECRET_KEYS") or "[]")
    settings, stacks = declared(values, secret, pulumi.get_project(), pulumi.get_stack())
    destroying = os.environ.get("SWARM_DESTROY") == "1"
    needed = ("components.cluster", "pulumi_command.remote", *(["components.stack"] if stacks else []))
    plan = prepare(settings, stacks, partial(known, needed), say, destroying=destroying).plan
    for warning in plan.warnings:
        pulumi.log.warn(harmless(str(warning)))
    if plan.refusals:
        raise SwarmError("\n  - ".join(("refused, nothing was changed:", *map(str, plan.refusals))))
    if outline := plan.outline():
        say(f"to be done: {outline}")
    if stacks and plan.control:
        ssh.open_control(settings.stack, settings.node(plan.control).ssh.probe_timeout)
    resolved = images.images(stacks, plan, settings, say=say)

    doing("declaring the resources")
    from components.cluster import ClusterArgs, SwarmCluster

    cluster = SwarmCluster("swarm", ClusterArgs(settings, plan))
    services = {}
    if stacks:
        from components.stack import deploy  # late: runs without stacks need no Docker plugin

        services = deploy(stacks, settings, plan, cluster, resolved)
    pulumi.export("cluster", cluster.cluster_id)
    pulumi.export("nodes", cluster.nodes)
    pulumi.export("services", services)
    pulumi.export("endpoints", [url for stack in stacks for url in stack.endpoints(settings.nodes)])


def known(needed: Iterable[str]) -> Known:
    """What the state knows. The hosts are probed meanwhile: there is time to load the needed modules."""
    for module in needed:
        import_module(module)
    return state.of_this_run()


def say(text: str) -> None:
    """Says something, part of which hosts may have said."""
    pulumi.log.info(harmless(text))


with faults.shown(pulumi.log.error):
    main()

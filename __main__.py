"""The whole program: what is declared, what is, what is to be done, and the resources that do it."""

import json
import os
import signal
import sys
from pathlib import Path

import pulumi

from components import configuration, connection, decisions, look, registry
from components.checks import ConfigurationError
from components.cluster import ClusterArgs, SwarmCluster
from components.observation import late_engines, under_way

# The exit code by which a program tells the engine that it has said what is wrong.
SAID = 32

# The engine interrupts the program when a resource fails: its error is the last word, no traceback.
signal.signal(signal.SIGINT, lambda *_: os._exit(SAID))

# What is declared.
try:
    settings, stacks = configuration.load(
        json.loads(os.environ["PULUMI_CONFIG"]),
        Path(),
        pulumi.get_project(),
        pulumi.get_stack(),
        json.loads(os.environ.get("PULUMI_CONFIG_SECRET_KEYS") or "[]"),
    )
except ConfigurationError as error:
    pulumi.log.error(str(error))
    sys.exit(SAID)

# What is.
connection.write_config(settings)
destroying = os.environ.get("SWARM_DESTROY") == "1"
observation = look.observe(
    settings,
    [stack.name for stack in stacks],
    say=pulumi.log.info,
    patience=look.BRIEF_SECONDS if destroying else look.STEADY_SECONDS,
    awaited=late_engines if destroying else under_way,
)

# What is to be done.
if destroying:
    plan = decisions.give_up(settings, observation)
else:
    plan = decisions.decide(settings, observation, stacks)
for warning in plan.warnings:
    pulumi.log.warn(warning)
if plan.refusals:
    refused = "".join(f"\n  - {refusal}" for refusal in plan.refusals)
    pulumi.log.error(f"refused, nothing was changed:{refused}")
    sys.exit(SAID)

if outline := plan.outline():
    pulumi.log.info(f"to be done: {outline}")

connection.write_config(settings, settings.node(plan.control))
if stacks and plan.control:
    connection.open_control(settings.stack)
images = registry.images(stacks, plan, settings, say=pulumi.log.info)

# The resources that do it.
cluster = SwarmCluster("swarm", ClusterArgs(settings, plan))
services = {}
if stacks:
    from components.stack import deploy  # late: runs without stacks need no Docker plugin

    services = deploy(stacks, settings, plan, cluster, images)

pulumi.export("cluster", cluster.cluster_id)
pulumi.export("nodes", cluster.nodes)
pulumi.export("services", services)
pulumi.export("endpoints", [url for stack in stacks for url in stack.endpoints(settings.nodes)])

"""The whole program: what is declared, what is, what is to be done, and the resources that do it."""

import json
import os
import signal
import sys
from pathlib import Path

import pulumi

from components import configuration, connection, decisions, look
from components.checks import ConfigurationError
from components.cluster import ClusterArgs, SwarmCluster
from components.stack import StackArgs, StackServices, swarm_provider

# The exit code by which a program tells the engine that it has said what is wrong.
SAID = 32

# The engine interrupts the program when a resource fails: its error is the last word, no traceback.
signal.signal(signal.SIGINT, lambda *_: os._exit(SAID))

# What is declared.
try:
    settings, stacks = configuration.load(
        json.loads(os.environ["PULUMI_CONFIG"]), Path(), pulumi.get_project(), pulumi.get_stack()
    )
except ConfigurationError as error:
    pulumi.log.error(str(error))
    sys.exit(SAID)

# What is.
connection.write_config(settings)
destroying = os.environ.get("SWARM_DESTROY") == "1"
waited_for = () if destroying else [stack.name for stack in stacks]
observation = look.observe(settings, waited_for, say=pulumi.log.info)

# What is to be done.
if destroying:
    plan = decisions.give_up(settings, observation)
else:
    mesh_ports = [port for stack in stacks for port in stack.mesh_ports]
    plan = decisions.decide(settings, observation, mesh_ports)
for warning in plan.warnings:
    pulumi.log.warn(warning)
if plan.refusals:
    refused = "".join(f"\n  - {refusal}" for refusal in plan.refusals)
    pulumi.log.error(f"refused, nothing was changed:{refused}")
    sys.exit(SAID)

# The resources that do it.
control = settings.node(plan.control)
connection.write_config(settings, control)
cluster = SwarmCluster("swarm", ClusterArgs(settings, plan))
provider = swarm_provider(settings.stack, after=cluster)
services = plan.cluster.services if plan.cluster else ()
deployed = [
    StackServices(
        stack.name,
        StackArgs(stack, {one.name: one for one in services}, cluster, provider, control),
    )
    for stack in stacks
]

pulumi.export("cluster", cluster.cluster_id)
pulumi.export("nodes", cluster.nodes)
pulumi.export("services", {name: id_ for one in deployed for name, id_ in one.services.items()})
pulumi.export("endpoints", [url for stack in stacks for url in stack.endpoints(settings.nodes)])

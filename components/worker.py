"""A worker: joins with the workers' token."""

from __future__ import annotations

import pulumi

from components.node import Node, NodeArgs, join_script
from swarm.decide.plan import Step


class Worker(Node):
    """A node that runs services."""

    def __init__(self, name: str, args: NodeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            name, args, {Step.JOIN: lambda: join_script(args, args.admission.worker_token)}, opts
        )

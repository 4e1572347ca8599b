"""A manager: joins with the managers' token."""

from __future__ import annotations

import pulumi

from components.node import Node, NodeArgs, join_script
from swarm.decide.plan import Step


class Manager(Node):
    """A node that takes part in the swarm's consensus; drained unless declared otherwise."""

    def __init__(self, name: str, args: NodeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            name, args, {Step.JOIN: lambda: join_script(args, args.admission.manager_token)}, opts
        )

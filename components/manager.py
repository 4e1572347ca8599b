"""A manager: joins with the managers' token."""

from __future__ import annotations

import pulumi

from components.node import JoiningArgs, Member, join_script


class Manager(Member):
    """A node that takes part in the swarm's consensus; drained unless declared otherwise."""

    def __init__(self, name: str, args: JoiningArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        token = args.admission.manager_token
        script = join_script(args.node, args.plan, args.admission, token)
        super().__init__(name, args.node, args.plan, script, opts)

"""A worker: joins with the workers' token."""

from __future__ import annotations

import pulumi

from components.node import JoiningArgs, Member, join_script


class Worker(Member):
    """A node that runs services."""

    def __init__(self, name: str, args: JoiningArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        token = args.admission.worker_token
        script = join_script(args.node, args.plan, args.admission, token)
        super().__init__(name, args.node, args.plan, script, opts)

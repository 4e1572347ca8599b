"""The leader: the node that starts the swarm. Once the swarm lives any manager may lead it, and this
one joins like them."""

from __future__ import annotations

import pulumi

from components.node import Node, NodeArgs, Scripts, join_script
from components.scripts import host as host_scripts
from swarm.decide.plan import Start, Step
from swarm.declare import settings


class Leader(Node):
    """A manager that starts the swarm where there is none; `cluster_id` is that of the swarm."""

    def __init__(self, name: str, args: NodeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        scripts: Scripts = {
            Step.INIT: lambda: _start_script(args.node, args.plan.start),
            Step.JOIN: lambda: join_script(args, args.admission.manager_token),
        }
        super().__init__(name, args, scripts, opts)

    @property
    def cluster_id(self) -> pulumi.Output[str]:
        """The ID of the swarm that it has started."""
        return self.results.apply(lambda results: results.get("cluster", ""))


def _start_script(node: settings.Node, start: Start) -> str:
    return host_scripts.init(
        start.labels,
        address=node.advertised,
        data_path=node.data_path_address,
        availability=node.availability,
        pool=start.address_pool,
        data_path_port=start.data_path_port,
    )

"""The leader: the node that starts the swarm. Once the swarm lives any manager may lead it, and this
one joins like them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.node import Admission, Member, join_script
from components.scripts import host as host_scripts
from swarm.decide.plan import NodePlan, Step
from swarm.declare.settings import Node


@dataclass(frozen=True)
class Start:
    """What is settled when a swarm is started; `labels` are its own."""

    labels: Mapping[str, str]
    address_pool: str | None
    data_path_port: int | None


@dataclass(frozen=True)
class LeaderArgs:
    """A declared leader, the plan for it, and what it needs to start the swarm or else to join it."""

    node: Node
    plan: NodePlan
    start: Start
    admission: Admission | None = None


class Leader(Member):
    """A manager that starts the swarm where there is none; `cluster_id` is that of the swarm."""

    def __init__(self, name: str, args: LeaderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.node, args.plan, _script(args), opts)

    @property
    def cluster_id(self) -> pulumi.Output[str]:
        """The ID of the swarm that it has started."""
        return self.results.apply(lambda results: results.get("cluster", ""))


def _script(args: LeaderArgs) -> pulumi.Input[str] | None:
    node, start = args.node, args.start
    if args.plan.step is Step.INIT:
        return host_scripts.init(
            start.labels,
            address=node.advertised,
            data_path=node.data_path_address,
            availability=node.availability,
            pool=start.address_pool,
            data_path_port=start.data_path_port,
        )
    if args.admission is None:
        return None
    return join_script(node, args.plan, args.admission, args.admission.manager_token)

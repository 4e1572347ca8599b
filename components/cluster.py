"""The swarm: its nodes, the tokens that let them in, and the convergence of its list of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.leader import Leader
from components.manager import Manager
from components.node import Admission, Node, NodeArgs
from components.remote import RemoteScript
from components.scripts import manager as manager_scripts
from components.worker import Worker
from swarm.decide.plan import Plan, Step
from swarm.declare import settings

ROLES = {"leader": Leader, "manager": Manager, "worker": Worker}


@dataclass(frozen=True)
class ClusterArgs:
    """What is declared, and what is to be done."""

    settings: settings.Settings
    plan: Plan


class SwarmCluster(pulumi.ComponentResource):
    """A Docker Swarm. `members` are its nodes by name, in the order in which they join."""

    members: Mapping[str, Node]
    cluster_id: pulumi.Output[str]
    convergence: RemoteScript

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("swarm:index:Cluster", name, None, opts)
        # Before anything of it is made: of a run that is killed in between the state knows what it owns.
        self.register_outputs({"owner": args.plan.known.owner})
        self.settings, self.plan = args.settings, args.plan
        self.members = {member.node.name: member for member in self._join_all()}
        self.convergence = self._convergence()
        self.cluster_id = self._cluster_id()

    def _join_all(self) -> list[Node]:
        """Leader, tokens, managers, workers: in this order they join, and in the other they leave.

        Managers go one by one, and workers while managers are there: engines that leave at the same
        moment as all their peers keep their gossip port (docs/adr/0006).
        """
        order = self.plan.order
        members = [self._member(node, Admission(), after=[]) for node in order.starters]
        admission = self._admission(after=members)
        for node in order.managers:
            # After each of them, not the last alone: the one between two that leave may stay.
            members.append(self._member(node, admission, after=list(members)))
        return members + [self._member(node, admission, after=list(members)) for node in order.workers]

    def _member(self, node: settings.Node, admission: Admission, after: Sequence[Node]) -> Node:
        options = pulumi.ResourceOptions(parent=self, depends_on=after)
        return ROLES[node.role](node.name, NodeArgs(node, self.plan, admission), options)

    def _admission(self, after: Sequence[Node]) -> Admission:
        """Reads the tokens from a live manager, anew for every run in which a node joins."""
        command = self.plan.commands["tokens"]
        tokens = RemoteScript(
            "tokens",
            command,
            manager_scripts.tokens(self.plan.evictions, command.wait),
            pulumi.ResourceOptions(parent=self, depends_on=after, additional_secret_outputs=["stdout"]),
        )
        # Where nobody joins they are those of an earlier run, maybe of a version that printed no result.
        printed = tokens.results.apply(lambda found: {"manager": "", "worker": "", **found})
        managers = self.plan.managers or (command.node.address,)  # who starts the swarm is the only one
        return Admission(printed["manager"], printed["worker"], managers)

    def _convergence(self) -> RemoteScript:
        """Makes the list of nodes as declared, when all have joined."""
        command, work = self.plan.commands["convergence"], self.plan.work
        joined = {
            name: member.node_id for name, member in self.members.items() if not self.plan.nodes[name].node_id
        }
        return RemoteScript(
            "convergence",
            command,
            pulumi.Output.all(**joined).apply(
                # A mapping where nobody joins, too: of nothing `Output.all` gives a list.
                lambda node_ids: manager_scripts.convergence(work, dict(node_ids), command.wait)
            ),
            pulumi.ResourceOptions(parent=self, depends_on=list(self.members.values())),
        )

    @property
    def nodes(self) -> list[dict[str, pulumi.Input[str]]]:
        """Every node's name, ID, role and address, for the stack's outputs."""
        return [
            {"name": name, "id": member.node_id, "role": member.node.role, "address": member.node.address}
            for name, member in self.members.items()
            if self.plan.nodes[name].step is not Step.ABSENT
        ]

    def _cluster_id(self) -> pulumi.Output[str]:
        if self.plan.cluster:
            return pulumi.Output.from_input(self.plan.cluster.id)
        starters = [member for member in self.members.values() if isinstance(member, Leader)]
        return starters[0].cluster_id

"""The swarm: its nodes, the tokens that let them in, and the convergence of its list of nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_command import remote

from components.leader import Leader, LeaderArgs, Start
from components.manager import Manager
from components.node import EVERY_INPUT, Admission, JoiningArgs, Member
from components.remote import command_connection
from components.scripts import host as host_scripts
from components.scripts import manager as manager_scripts
from components.worker import Worker
from swarm.decide import actions
from swarm.decide.plan import Plan, Step, Task
from swarm.declare.settings import Node, Settings


@dataclass(frozen=True)
class ClusterArgs:
    """What is declared, and what is to be done."""

    settings: Settings
    plan: Plan


class SwarmCluster(pulumi.ComponentResource):
    """A Docker Swarm. `members` are its nodes by name, in the order of the configuration."""

    members: Mapping[str, Member]
    cluster_id: pulumi.Output[str]
    convergence: remote.Command

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("swarm:index:Cluster", name, None, opts)
        # Before anything of it is made: of a run that is killed in between the state knows what it owns.
        self.register_outputs({"owner": args.plan.known.owner})
        self.settings, self.plan = args.settings, args.plan
        self.control = args.settings.node(args.plan.control)
        self.members = self._join_all()
        self.convergence = self._convergence()
        self.cluster_id = self._cluster_id()

    def _join_all(self) -> dict[str, Member]:
        """Leader, tokens, managers, workers: in this order they join, and in the other they leave.

        Managers go one by one, and workers while managers are there: engines that leave at the same
        moment as all their peers keep their gossip port (docs/adr/0006).
        """
        nodes = [node for node in self.settings.nodes if not self._is_left_out(node)]
        leaders = [node for node in nodes if node.role == "leader"]
        if any(self.plan.nodes[node.name].step is Step.JOIN for node in leaders):
            # The swarm lives without it: it needs a token like the others.
            admission = self._admission(after=[])
            members = [self._leader(node, admission) for node in leaders]
        else:
            members = [self._leader(node) for node in leaders]
            admission = self._admission(after=members)
        for node in nodes:
            if node.role == "manager":
                # After each of them, not the last alone: the one between two that leave may stay.
                members.append(self._member(Manager, node, admission, after=list(members)))
        managers = list(members)
        members += [
            self._member(Worker, node, admission, after=managers) for node in nodes if node.role == "worker"
        ]
        return {member.node.name: member for member in members}

    def _is_left_out(self, node: Node) -> bool:
        """Whether nothing is known of a node: one that the state has would be deleted, and so dialed."""
        return self.plan.nodes[node.name].step is Step.ABSENT and node.name not in self.plan.known.node_ids

    def _leader(self, node: Node, admission: Admission | None = None) -> Member:
        labels = actions.owner_labels(self.settings, self.plan.known)
        start = Start(labels, self.plan.address_pool, self.settings.data_path_port)
        args = LeaderArgs(node, self.plan.nodes[node.name], start, admission)
        return Leader(node.name, args, pulumi.ResourceOptions(parent=self))

    def _member(
        self, kind: type[Manager | Worker], node: Node, admission: Admission, after: Sequence[Member]
    ) -> Member:
        args = JoiningArgs(node, self.plan.nodes[node.name], admission)
        return kind(node.name, args, pulumi.ResourceOptions(parent=self, depends_on=after))

    def _admission(self, after: Sequence[Member]) -> Admission:
        """Reads the tokens from a live manager, anew for every run in which a node joins."""
        evictions = self.plan.evictions
        tokens = remote.Command(
            "tokens",
            connection=command_connection(self.control),
            create=host_scripts.line("tokens", self._bound(manager_scripts.TOKENS_SECONDS, evictions)),
            stdin=manager_scripts.tokens(evictions, self.settings.drain_timeout),
            logging=remote.Logging.STDERR,  # the tokens are on its standard output
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=after,
                additional_secret_outputs=["stdout"],
                # Nobody joins or is evicted: neither old tokens nor another manager make a difference.
                ignore_changes=[] if self.plan.steps(Step.JOIN) or evictions else EVERY_INPUT,
            ),
        )
        printed = pulumi.Output.all(tokens.create, tokens.stdout).apply(
            # Where nobody joins they are those of an earlier run, maybe of a version that printed no result.
            lambda both: {"manager": "", "worker": "", **host_scripts.result(*both)}
        )
        return Admission(printed["manager"], printed["worker"], self._managers())

    def _managers(self) -> tuple[str, ...]:
        """The addresses of the managers that answer; of the leader alone when it starts the swarm."""
        entries = self.plan.cluster.entries.values() if self.plan.cluster else ()
        gone = {task.node_id for task in self.plan.evictions}
        live = [one.address for one in entries if one.role == "manager" and one.ready and one.id not in gone]
        return tuple(live) or (self.control.address,)

    def _convergence(self) -> remote.Command:
        """Makes the list of nodes as declared, when all have joined."""
        joined = {
            name: member.node_id for name, member in self.members.items() if not self.plan.nodes[name].node_id
        }
        work = self.plan.work
        return remote.Command(
            "convergence",
            connection=command_connection(self.control),
            create=host_scripts.line("convergence", self._bound(manager_scripts.CONVERGENCE_SECONDS, work)),
            stdin=pulumi.Output.all(**joined).apply(
                lambda node_ids: manager_scripts.convergence(
                    # A mapping where nobody joins, too: of nothing `Output.all` gives a list.
                    work,
                    dict(node_ids),
                    self.settings.drain_timeout,
                )
            ),
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(self.members.values()),
                # All is as declared: another manager to ask makes no difference.
                ignore_changes=[] if work else EVERY_INPUT,
            ),
        )

    @property
    def nodes(self) -> list[dict[str, pulumi.Input[str]]]:
        """Every node's name, ID, role and address, for the stack's outputs."""
        declared = {node.name: node for node in self.settings.nodes}
        return [
            {
                "name": name,
                "id": member.node_id,
                "role": declared[name].role,
                "address": declared[name].address,
            }
            for name, member in self.members.items()
            if self.plan.nodes[name].step is not Step.ABSENT
        ]

    def _bound(self, seconds: int, tasks: Iterable[Task]) -> int:
        """The seconds that a script may take, with those of its drains."""
        return seconds + sum(task.verb == "drain" for task in tasks) * self.settings.drain_timeout

    def _cluster_id(self) -> pulumi.Output[str]:
        if self.plan.cluster:
            return pulumi.Output.from_input(self.plan.cluster.id)
        starters = [member for member in self.members.values() if isinstance(member, Leader)]
        return starters[0].cluster_id

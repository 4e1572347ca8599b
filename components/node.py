"""What leader, manager and worker have in common: a membership, made by a command on the node, and its
departure, which a command ends when the node is deleted."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_command import remote

from components.remote import command_connection, no_connection
from components.scripts import host as host_scripts
from swarm.decide.plan import NodePlan, Step
from swarm.declare.settings import Node

EVERY_INPUT = ["addPreviousOutputInEnv", "connection", "create", "delete", "logging", "stdin"]


@dataclass(frozen=True)
class Admission:
    """What a node needs to join: the tokens, and the addresses of managers that answer."""

    manager_token: pulumi.Output[str]
    worker_token: pulumi.Output[str]
    managers: tuple[str, ...]


@dataclass(frozen=True)
class JoiningArgs:
    """A declared node, the plan for it, and its admission."""

    node: Node
    plan: NodePlan
    admission: Admission


class Member(pulumi.ComponentResource):
    """A node of the swarm. The three roles share one type, so that a change of role changes no URN.
    `results` are what its script printed, where it ran one."""

    node: Node
    node_id: pulumi.Output[str]
    results: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        node: Node,
        plan: NodePlan,
        script: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("swarm:index:Node", name, None, opts)
        self.node, self.plan = node, plan
        self.results = pulumi.Output.from_input({}) if "membership" in plan.without else self._join(script)
        self.node_id = (
            pulumi.Output.from_input(plan.node_id)
            if plan.node_id
            else self.results.apply(lambda results: results.get("node", ""))
        )
        if "departure" not in plan.without:
            self._departure()
        self.register_outputs({"nodeId": self.node_id})

    def _join(self, script: pulumi.Input[str] | None) -> pulumi.Output[dict[str, str]]:
        """The command that makes the host a member. Where that isn't to be done, it isn't to be dialed: the
        command then has no script, and differs from that of before in nothing."""
        joins = self.plan.step in (Step.INIT, Step.JOIN)
        line = host_scripts.line(f"{self.node.name} {self.plan.step}", host_scripts.JOIN_SECONDS)
        membership = remote.Command(
            f"{self.node.name}-membership",
            connection=command_connection(self.node) if joins else no_connection(self.node),
            create=line if joins else None,
            stdin=pulumi.Output.secret(script) if joins and script else None,  # it may hold a token
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,  # sshd takes no variables that it wasn't told of
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=_ignored(self.plan.step),
                additional_secret_outputs=["stdin"],
                retain_on_delete=self.plan.retained,  # an earlier version's has a delete
            ),
        )
        return pulumi.Output.all(membership.create, membership.stdout).apply(
            lambda both: host_scripts.result(both[0] or "", both[1] or "")
        )

    def _departure(self) -> None:
        """The command that makes the host leave: it has no script but that of its delete, so that nobody is
        dialed before. It knows the membership by its node ID, and leaves no other."""
        lost = self.plan.step is Step.LOST
        remote.Command(
            f"{self.node.name}-departure",
            # Of a lost host no key need be known.
            connection=no_connection(self.node) if lost else command_connection(self.node),
            delete=self.node_id.apply(host_scripts.leave),
            stdin=host_scripts.LEAVING,
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                # It stays as it was where the way or the membership isn't known now.
                ignore_changes=EVERY_INPUT if lost or self.plan.step is Step.ABSENT else [],
                retain_on_delete=self.plan.retained,
            ),
        )


def _ignored(step: Step) -> list[str]:
    """Inputs whose difference doesn't count. A node in place has no delete here; one that it had from an
    earlier version, by which the host would leave any swarm, is a difference."""
    if step in (Step.INIT, Step.JOIN):
        return []
    return [one for one in EVERY_INPUT if one != "delete"] if step is Step.IN_PLACE else EVERY_INPUT


def join_script(
    node: Node, plan: NodePlan, admission: Admission, token: pulumi.Output[str]
) -> pulumi.Output[str] | None:
    """The script that joins the node by this token, as secret as the token; None where it doesn't join."""
    if plan.step is not Step.JOIN:
        return None
    return token.apply(
        lambda text: host_scripts.join(
            text,
            admission.managers,
            address=node.advertised,
            data_path=node.data_path_address,
            availability=node.availability,
            stale_id=plan.stale_id,
            pending=plan.pending,
        )
    )

"""What leader, manager and worker have in common: a membership, made by a command on the node."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_command import remote

from components import scripts
from components.connection import command_connection
from components.plan import NodePlan, Step
from components.settings import Node

EVERY_INPUT = ["addPreviousOutputInEnv", "connection", "create", "delete", "logging", "stdin"]
NOT_DIALLED = (Step.UNREACHABLE, Step.LOST, Step.FOREIGN)


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
    """A node of the swarm. The three roles share one type, so that a change of role changes no URN."""

    node: Node
    membership: remote.Command
    node_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        node: Node,
        plan: NodePlan,
        script: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("swarm:index:Node", name, None, opts)
        self.node = node
        self.membership = remote.Command(
            f"{name}-membership",
            connection=command_connection(node),
            create=scripts.line(f"{name} {plan.step}", scripts.JOIN_SECONDS),
            delete=scripts.leave(),
            stdin=pulumi.Output.secret(script),  # it may hold a token
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,  # sshd takes no variables that it wasn't told of
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=_ignored(plan.step),
                # A host that gives no answer, or isn't ours, can't be made to leave.
                retain_on_delete=plan.step in NOT_DIALLED,
                additional_secret_outputs=["stdin"],
            ),
        )
        self.node_id = (
            pulumi.Output.from_input(plan.node_id)
            if plan.node_id
            else self.membership.stdout.apply(lambda text: text.partition("\n")[0])
        )
        self.register_outputs({})


def _ignored(step: Step) -> list[str]:
    """Inputs whose difference doesn't count: all where the host must not be dialled, and what would
    make it join where it is in place. Any other difference runs the command again."""
    if step in NOT_DIALLED:
        return EVERY_INPUT
    return ["create", "stdin"] if step is Step.IN_PLACE else []


def join_script(
    node: Node, plan: NodePlan, admission: Admission, token: pulumi.Output[str]
) -> pulumi.Output[str]:
    """The script that joins the node by this token; as secret as the token."""
    return token.apply(
        lambda text: scripts.join(
            text,
            admission.managers,
            address=node.advertised,
            data_path=node.data_path_address,
            availability=node.availability,
            stale_id=plan.stale_id,
        )
    )

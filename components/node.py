"""What leader, manager and worker have in common: a membership, made by a command on the node, and its
departure, which a command ends when the node is deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.remote import RemoteScript
from components.scripts import host as host_scripts
from swarm.decide.plan import Plan, Step
from swarm.declare import settings


@dataclass(frozen=True)
class Admission:
    """What a node needs to join: the tokens, and the addresses of managers that answer."""

    manager_token: pulumi.Input[str] = ""
    worker_token: pulumi.Input[str] = ""
    managers: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeArgs:
    """A declared node, the plan, and what lets the node in where it joins."""

    node: settings.Node
    plan: Plan
    admission: Admission = Admission()


Scripts = Mapping[Step, Callable[[], pulumi.Input[str]]]  # by the step that takes one


class Node(pulumi.ComponentResource):
    """A node of the swarm. The three roles share one type, so that a change of role changes no URN.
    `results` are what its script printed, where it ran one."""

    node: settings.Node
    node_id: pulumi.Output[str]
    results: pulumi.Output[dict[str, Any]]

    def __init__(
        self, name: str, args: NodeArgs, scripts: Scripts, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("swarm:index:Node", name, None, opts)
        self.node, self.plan = args.node, args.plan
        known = args.plan.nodes[name].node_id
        self.results = self._join(scripts)
        self.node_id = pulumi.Output.from_input(
            known or self.results.apply(lambda found: found.get("node", ""))
        )
        self._departure()
        self.register_outputs({"nodeId": self.node_id})

    def _join(self, scripts: Scripts) -> pulumi.Output[dict[str, Any]]:
        """The command that makes the host a member. Where that isn't to be done, it isn't to be dialed: the
        command then has no script, and differs from that of before in nothing."""
        name = f"{self.node.name}-membership"
        if name not in self.plan.commands:
            return pulumi.Output.from_input({})
        script = scripts.get(self.plan.nodes[self.node.name].step)
        return RemoteScript(
            name,
            self.plan.commands[name],
            script and pulumi.Output.secret(script()),  # it may hold a token
            pulumi.ResourceOptions(parent=self, additional_secret_outputs=["stdin"]),
        ).results

    def _departure(self) -> None:
        """The command that makes the host leave: it has no script but that of its delete, so that nobody is
        dialed before. It knows the membership by its node ID, and leaves no other."""
        name = f"{self.node.name}-departure"
        if name in self.plan.commands:
            RemoteScript(
                name,
                self.plan.commands[name],
                host_scripts.LEAVING,
                pulumi.ResourceOptions(parent=self),
                delete=self.node_id.apply(host_scripts.leave),
            )


def join_script(args: NodeArgs, token: pulumi.Input[str]) -> pulumi.Output[str]:
    """The script that joins the node by this token, as secret as the token."""
    node, plan = args.node, args.plan.nodes[args.node.name]
    return pulumi.Output.from_input(token).apply(
        lambda text: host_scripts.join(
            text,
            args.admission.managers,
            address=node.advertised,
            data_path=node.data_path_address,
            availability=node.availability,
            stale_id=plan.stale_id,
            pending=plan.pending,
        )
    )

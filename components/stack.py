"""A stack of services on the swarm, through pulumi_docker, and the wait until all of it runs."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.cluster import SwarmCluster
from components.remote import RemoteScript
from components.scripts import settle as settling
from components.service_args import Handle, arguments, labelled
from swarm.decide.plan import Command, Plan
from swarm.declare import compose
from swarm.declare.settings import Settings
from swarm.observe.model import VXLAN_IDS
from swarm.ssh import CONTROL, config_file


@dataclass(frozen=True)
class StackArgs:
    """A declared stack, and the way to the swarm. `networks` are those of other stacks, and `images` what
    the services are to run, by full name."""

    stack: compose.Stack
    plan: Plan
    networks: Mapping[str, docker.Network]
    images: Mapping[str, str]
    needed: Sequence[pulumi.Resource]  # stacks that are whole before it is touched
    cluster: pulumi.Resource
    provider: docker.Provider
    settle: Command  # the wait for its services


def deploy(
    stacks: Sequence[compose.Stack],
    settings: Settings,
    plan: Plan,
    cluster: SwarmCluster,
    images: Mapping[str, str],
) -> dict[str, pulumi.Output[str]]:
    """Declares the stacks on the swarm, in the order given; gives the services' IDs by full name."""
    # Over SSH to a live manager. The provider's inputs never change: which manager that is stands in
    # the SSH configuration, which each run writes. While there is no swarm they wait for its ID: a
    # preview then counts the services of an earlier swarm as gone, instead of asking no manager for them.
    provider = docker.Provider(
        "control",
        host=cluster.cluster_id.apply(lambda _: f"ssh://{CONTROL}"),
        ssh_opts=["-F", str(config_file(settings.stack))],
        # It has no parent: with one, its alias makes the engine panic on a state of an earlier version.
        opts=pulumi.ResourceOptions(depends_on=[cluster]),
    )
    deployed: dict[str, SwarmStack] = {}
    networks: dict[str, docker.Network] = {}
    for stack in stacks:
        needed = [deployed[name] for name in stack.depends_on]
        settle = plan.commands[f"{stack.name}-settle"]
        args = StackArgs(stack, plan, networks, images, needed, cluster, provider, settle)
        made = SwarmStack(stack.name, args)
        deployed[stack.name] = made
        networks |= made.made_networks
    return {name: id_ for one in deployed.values() for name, id_ in one.services.items()}


class SwarmStack(pulumi.ComponentResource):
    """The networks, secrets, configs and services of one stack. `services` are Docker's IDs by full name,
    `made_networks` its own networks, which other stacks may use."""

    services: Mapping[str, pulumi.Output[str]]
    made_networks: Mapping[str, docker.Network]

    def __init__(self, name: str, args: StackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("swarm:index:Stack", name, None, opts)
        self.stack, self.args = args.stack, args
        self.changed: set[str] = set()  # services, by full name
        self.on_change = pulumi.ResourceHook(
            f"{name}-changed", self._note_change, pulumi.ResourceHookOptions(on_dry_run=True)
        )
        self.made_networks = {one.full: self._network(one) for one in args.stack.networks if not one.external}
        self.networks = {one.name: self._network_id(one) for one in args.stack.networks}
        self.secrets = {one.name: self._secret(one) for one in args.stack.secrets}
        self.configs = {one.name: self._config(one) for one in args.stack.configs}
        made = {args.stack.full(service.name): self._service(service) for service in args.stack.services}
        self.services = {full: service.id for full, service in made.items()}
        self._settle(made)
        self.register_outputs({"services": self.services})

    def _network(self, network: compose.Network) -> docker.Network:
        options, gateways = self._as_observed(network)
        return docker.Network(
            network.full,
            name=network.full,
            driver="overlay",
            # Said aloud, or the provider would leave them as they are.
            attachable=network.attachable,
            internal=network.internal,
            options=options,
            labels=labelled(docker.NetworkLabelArgs, network.labels, self.stack.name),
            ipam_configs=[
                docker.NetworkIpamConfigArgs(subnet=subnet, gateway=gateways.get(subnet))
                for subnet in network.subnets
            ]
            or None,
            opts=pulumi.ResourceOptions.merge(
                self._options(),
                # There can't be two of its name, and none of it can be changed.
                pulumi.ResourceOptions(delete_before_replace=True),
            ),
        )

    def _as_observed(self, network: compose.Network) -> tuple[Mapping[str, str] | None, Mapping[str, str]]:
        """Options and gateways with what the swarm has added to those declared: without it the network
        would be replaced."""
        found = self.args.plan.cluster.networks.get(network.full) if self.args.plan.cluster else None
        if not found:
            return network.options or None, {}
        added = {name: value for name, value in found.options.items() if name == VXLAN_IDS}
        return {**network.options, **added} or None, found.gateways

    def _network_id(self, network: compose.Network) -> pulumi.Input[str]:
        if not network.external:
            return self.made_networks[network.full].id
        if other := self.args.networks.get(network.full):
            return other.id
        return self._there("networks", network.full)

    def _there(self, kind: str, name: str) -> str:
        """The ID of what the swarm has from elsewhere; a run that needs it and lacks it was refused."""
        found = getattr(self.args.plan.cluster, kind, {}).get(name)
        return found.id if found else name

    # Secrets and configs can't be changed. Without a name of ours, Pulumi gives each a random suffix, so
    # that one with a new content is made beside the old one, which goes when no service has it any more.

    def _secret(self, secret: compose.File) -> Handle:
        if secret.external:
            return self._there("secrets", secret.external), secret.external
        made = docker.Secret(
            self.stack.full(secret.name),
            data=_data(secret),
            labels=labelled(docker.SecretLabelArgs, secret.labels, self.stack.name),
            opts=self._options(),
        )
        return made.id, made.name

    def _config(self, config: compose.File) -> Handle:
        if config.external:
            return self._there("configs", config.external), config.external
        made = docker.ServiceConfig(
            self.stack.full(config.name),
            data=_data(config),
            labels=labelled(docker.ServiceConfigLabelArgs, config.labels, self.stack.name),
            opts=pulumi.ResourceOptions.merge(
                # The provider reads it from the swarm, without knowing that we keep it secret.
                self._options(),
                pulumi.ResourceOptions(additional_secret_outputs=["data"]),
            ),
        )
        return made.id, made.name

    def _service(self, service: compose.Service) -> docker.Service:
        full = self.stack.full(service.name)
        return docker.Service(
            full,
            name=full,
            **arguments(
                service,
                self.stack.name,
                self.args.images[full],
                self.networks,
                self.secrets,
                self.configs,
            ),
            opts=pulumi.ResourceOptions.merge(
                self._options(),
                pulumi.ResourceOptions(
                    hooks=pulumi.ResourceHookBinding(
                        after_create=[self.on_change], after_update=[self.on_change]
                    ),
                    # A network in use can't be removed, so the service goes before it.
                    replace_with=self._networks_of(service),
                ),
            ),
        )

    def _networks_of(self, service: compose.Service) -> list[pulumi.Resource]:
        """Those that are in this program, whichever stack makes them."""
        used = {one.network for one in service.networks}
        made = {**self.args.networks, **self.made_networks}
        return [made[one.full] for one in self.stack.networks if one.name in used and one.full in made]

    def _options(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            provider=self.args.provider,
            depends_on=[self.args.cluster, *self.args.needed],
            # It goes with the swarm: no manager has to answer for that.
            deleted_with=self.args.cluster,
        )

    def _settle(self, made: Mapping[str, docker.Service]) -> None:
        """Waits for the services on the swarm; in any case where one of them is created or updated in this
        run."""
        RemoteScript(
            f"{self.stack.name}-settle",
            self.args.settle,
            settling.settle(made, (), self.args.settle.wait),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=list(made.values()),
                deleted_with=self.args.cluster,
                # Command by the engine when the services are done, so it knows what became of them.
                transforms=[self._settle_after_changes],
            ),
        )

    def _note_change(self, args: pulumi.ResourceHookArgs) -> None:
        self.changed.add(args.name)

    def _settle_after_changes(
        self, args: pulumi.ResourceTransformArgs
    ) -> pulumi.ResourceTransformResult | None:
        if not self.changed:
            return None
        args.opts.ignore_changes = []
        script = settling.settle(self.services, sorted(self.changed), self.args.settle.wait)
        return pulumi.ResourceTransformResult(props={**args.props, "stdin": script}, opts=args.opts)


def _data(file: compose.File) -> pulumi.Output[str]:
    """The content as the provider takes it, never plain in state or outputs."""
    return pulumi.Output.secret(base64.b64encode(file.content).decode())

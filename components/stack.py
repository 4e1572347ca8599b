"""A stack of services on the swarm, through pulumi_docker, and the wait until all of it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker as docker
from pulumi_command import remote

from components import compose, scripts
from components.connection import CONTROL, command_connection, config_file
from components.member import EVERY_INPUT
from components.observation import NAMESPACE_LABEL, Service
from components.plan import Plan
from components.settings import Node, Settings


@dataclass(frozen=True)
class StackArgs:
    """A declared stack, what is observed of its services, and the way to the swarm."""

    stack: compose.Stack
    observed: Mapping[str, Service]  # by full name
    cluster: pulumi.Resource
    provider: docker.Provider
    control: Node


def deploy(
    stacks: Sequence[compose.Stack], settings: Settings, plan: Plan, cluster: pulumi.Resource
) -> dict[str, pulumi.Output[str]]:
    """Declares the stacks on the swarm; gives the services' IDs by full name."""
    # Over SSH to a live manager. The provider's inputs never change: which manager that is stands in
    # the SSH configuration, which each run writes.
    provider = docker.Provider(
        CONTROL,
        host=f"ssh://{CONTROL}",
        ssh_opts=["-F", str(config_file(settings.stack))],
        opts=pulumi.ResourceOptions(depends_on=[cluster]),
    )
    observed = {service.name: service for service in (plan.cluster.services if plan.cluster else ())}
    control = settings.node(plan.control)
    deployed = [
        StackServices(stack.name, StackArgs(stack, observed, cluster, provider, control)) for stack in stacks
    ]
    return {name: id_ for one in deployed for name, id_ in one.services.items()}


class StackServices(pulumi.ComponentResource):
    """The networks and services of one stack. `services` are Docker's IDs by full name."""

    services: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: StackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("swarm:index:Stack", name, None, opts)
        self.stack, self.args, self.changed = args.stack, args, False
        self.on_change = pulumi.ResourceHook(
            f"{name}-changed", self._note_change, pulumi.ResourceHookOptions(on_dry_run=True)
        )
        networks = {network: self._network(network) for network in args.stack.networks}
        services = {
            args.stack.full(service.name): self._service(service, networks) for service in args.stack.services
        }
        self.services = {full: service.id for full, service in services.items()}
        self._settle(services)
        self.register_outputs({})

    def _network(self, name: str) -> docker.Network:
        full = self.stack.full(name)
        return docker.Network(
            full,
            name=full,
            driver="overlay",
            labels=[docker.NetworkLabelArgs(label=NAMESPACE_LABEL, value=self.stack.name)],
            opts=self._options(),
        )

    def _service(self, service: compose.Service, networks: Mapping[str, docker.Network]) -> docker.Service:
        full = self.stack.full(service.name)
        return docker.Service(
            full,
            name=full,
            labels=[
                docker.ServiceLabelArgs(label="com.docker.stack.image", value=service.image),
                docker.ServiceLabelArgs(label=NAMESPACE_LABEL, value=self.stack.name),
            ],
            mode=docker.ServiceModeArgs(
                replicated=docker.ServiceModeReplicatedArgs(replicas=service.replicas)
            ),
            task_spec=docker.ServiceTaskSpecArgs(
                container_spec=docker.ServiceTaskSpecContainerSpecArgs(
                    image=self._image(service),
                    args=list(service.command) or None,
                    env=service.environment or None,
                    labels=[
                        docker.ServiceTaskSpecContainerSpecLabelArgs(
                            label=NAMESPACE_LABEL, value=self.stack.name
                        )
                    ],
                ),
                # The engine's own defaults, said aloud: an update would lose them and so replace the tasks.
                restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(
                    condition="any", delay="5s", max_attempts=0, window="0s"
                ),
                networks_advanceds=[
                    # By ID: by name, a refresh would make the next preview replace the service.
                    docker.ServiceTaskSpecNetworksAdvancedArgs(
                        id=networks[network].id, aliases=[service.name]
                    )
                    for network in service.networks
                ],
                placement=docker.ServiceTaskSpecPlacementArgs(constraints=list(service.constraints))
                if service.constraints
                else None,
            ),
            endpoint_spec=_endpoint(service),
            update_config=docker.ServiceUpdateConfigArgs(
                parallelism=service.update.parallelism,
                delay=service.update.delay,
                order=service.update.order,
            )
            if service.update
            else None,
            opts=pulumi.ResourceOptions.merge(
                self._options(),
                pulumi.ResourceOptions(
                    hooks=pulumi.ResourceHookBinding(
                        after_create=[self.on_change], after_update=[self.on_change]
                    ),
                ),
            ),
        )

    def _image(self, service: compose.Service) -> str:
        """The image as declared, or as the swarm has it: a manager adds the digest that it found to the
        name, and without it the tasks would be replaced."""
        observed = self.args.observed.get(self.stack.full(service.name))
        same = observed and observed.image.partition("@")[0] == service.image
        return observed.image if observed and same else service.image

    def _options(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            provider=self.args.provider,
            depends_on=[self.args.cluster],
            # It goes with the swarm: no manager has to answer for that.
            deleted_with=self.args.cluster,
        )

    def _settle(self, services: Mapping[str, docker.Service]) -> None:
        """Waits for the services on the swarm; a difference where one of them isn't whole, or is
        created or updated in this run."""
        observed = self.args.observed
        settled = all(full in observed and observed[full].settled for full in services)
        remote.Command(
            f"{self.stack.name}-settle",
            connection=command_connection(self.args.control),
            create=scripts.line(f"settle {self.stack.name}", scripts.SETTLE_SECONDS * 2),
            stdin=scripts.settle(services),
            logging=remote.Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(services.values()),
                deleted_with=self.args.cluster,
                ignore_changes=EVERY_INPUT if settled else [],
                # Run by the engine when the services are done, so it knows what became of them.
                transforms=[self._settle_after_changes],
            ),
        )

    def _note_change(self, _: pulumi.ResourceHookArgs) -> None:
        self.changed = True

    def _settle_after_changes(
        self, args: pulumi.ResourceTransformArgs
    ) -> pulumi.ResourceTransformResult | None:
        if not self.changed:
            return None
        args.opts.ignore_changes = []
        return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)


def _endpoint(service: compose.Service) -> docker.ServiceEndpointSpecArgs | None:
    """Ports in Docker's own order, in which the engine gives them back."""
    if not service.ports:
        return None
    ports = [
        docker.ServiceEndpointSpecPortArgs(
            target_port=port.target,
            published_port=port.published,
            protocol=port.protocol,
            publish_mode=port.mode,
        )
        for port in service.ports
    ]
    return docker.ServiceEndpointSpecArgs(ports=ports)

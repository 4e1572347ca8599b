"""A service of the model, in the words of Pulumi's Docker provider. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pulumi
import pulumi_docker as docker

from swarm.declare.compose import (
    Healthcheck,
    Mount,
    Port,
    Reference,
    Reservations,
    Resources,
    Service,
    Update,
)
from swarm.declare.labels import NAMESPACE_LABEL

Label = TypeVar("Label")
Text = pulumi.Input[str]
Handle = tuple[Text, Text]  # a secret's or config's ID and name


def labelled(kind: Callable[..., Label], labels: Mapping[str, str], stack: str) -> list[Label]:
    """The labels, in the provider's words for what they are on, with the one that names the stack."""
    return [kind(label=label, value=value) for label, value in {**labels, NAMESPACE_LABEL: stack}.items()]


def arguments(
    service: Service,
    stack: str,
    image: str,
    networks: Mapping[str, Text],
    secrets: Mapping[str, Handle],
    configs: Mapping[str, Handle],
) -> dict[str, Any]:
    """The arguments of docker.Service, its name aside. `networks` are IDs, by the names in the file, as
    are `secrets` and `configs`. Where the provider takes silence for "as it is", nothing is said aloud: what
    is taken out of a file would stay otherwise."""
    return {
        "labels": labelled(
            docker.ServiceLabelArgs, {**service.labels, "com.docker.stack.image": service.image}, stack
        ),
        "mode": docker.ServiceModeArgs(global_=True)
        if service.replicas is None
        else docker.ServiceModeArgs(replicated=docker.ServiceModeReplicatedArgs(replicas=service.replicas)),
        "task_spec": docker.ServiceTaskSpecArgs(
            container_spec=_container(service, stack, image, secrets, configs),
            restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(
                condition=service.restart.condition,
                delay=service.restart.delay,
                max_attempts=service.restart.max_attempts,
                window=service.restart.window,
            ),
            networks_advanceds=[
                # By ID: by name, a refresh would make the next preview replace the service.
                docker.ServiceTaskSpecNetworksAdvancedArgs(
                    id=networks[one.network], aliases=list(one.aliases)
                )
                for one in service.networks
            ],
            placement=_placement(service),
            resources=_resources(service),
            log_driver=docker.ServiceTaskSpecLogDriverArgs(
                name=service.logging.driver, options=service.logging.options or None
            )
            if service.logging
            else None,
        ),
        "endpoint_spec": docker.ServiceEndpointSpecArgs(
            mode=service.endpoint_mode, ports=[_port(port) for port in service.ports] or None
        ),
        "update_config": docker.ServiceUpdateConfigArgs(**_update(service.update))
        if service.update
        else None,
        "rollback_config": docker.ServiceRollbackConfigArgs(**_update(service.rollback))
        if service.rollback
        else None,
    }


def _container(
    service: Service,
    stack: str,
    image: str,
    secrets: Mapping[str, Handle],
    configs: Mapping[str, Handle],
) -> docker.ServiceTaskSpecContainerSpecArgs:
    return docker.ServiceTaskSpecContainerSpecArgs(
        image=image,
        commands=list(service.entrypoint) or None,
        args=list(service.command) or None,
        env=service.environment or None,
        labels=labelled(docker.ServiceTaskSpecContainerSpecLabelArgs, service.container_labels, stack),
        hostname=service.hostname,
        user=service.user,
        dir=service.working_dir,
        init=bool(service.init),
        isolation=service.isolation,
        read_only=service.read_only or None,
        stop_signal=service.stop_signal,
        stop_grace_period=service.stop_grace_period,
        healthcheck=_healthcheck(service.healthcheck or Healthcheck()),
        hosts=[
            docker.ServiceTaskSpecContainerSpecHostArgs(host=name, ip=address)
            for name, address in service.hosts
        ]
        or None,
        dns_config=docker.ServiceTaskSpecContainerSpecDnsConfigArgs(
            nameservers=list(service.dns), searches=list(service.dns_search)
        ),
        cap_adds=list(service.cap_add) or None,
        cap_drops=list(service.cap_drop) or None,
        sysctl=service.sysctls or None,
        mounts=[_mount(mount, stack) for mount in service.mounts] or None,
        secrets=[
            docker.ServiceTaskSpecContainerSpecSecretArgs(
                secret_id=secrets[one.source][0], secret_name=secrets[one.source][1], **_file(one)
            )
            for one in service.secrets
        ]
        or None,
        configs=[
            docker.ServiceTaskSpecContainerSpecConfigArgs(
                config_id=configs[one.source][0], config_name=configs[one.source][1], **_file(one)
            )
            for one in service.configs
        ]
        or None,
    )


def _file(one: Reference) -> dict[str, Any]:
    return {"file_name": one.target, "file_uid": one.uid, "file_gid": one.gid, "file_mode": one.mode}


def _mount(mount: Mount, stack: str) -> docker.ServiceTaskSpecContainerSpecMountArgs:
    volume = mount.volume
    return docker.ServiceTaskSpecContainerSpecMountArgs(
        type=mount.type,
        target=mount.target,
        source=volume.name if volume else mount.source or None,
        read_only=mount.read_only or None,
        bind_options=docker.ServiceTaskSpecContainerSpecMountBindOptionsArgs(propagation=mount.propagation)
        if mount.propagation
        else None,
        # Never a docker.Volume: that would be made on one manager. A node makes it for its first task.
        volume_options=docker.ServiceTaskSpecContainerSpecMountVolumeOptionsArgs(
            no_copy=mount.nocopy or None,
            labels=None
            if volume.external
            else labelled(
                docker.ServiceTaskSpecContainerSpecMountVolumeOptionsLabelArgs, volume.labels, stack
            ),
            driver_name=volume.driver or None,
            driver_options=volume.options or None,
        )
        if volume
        else None,
        tmpfs_options=docker.ServiceTaskSpecContainerSpecMountTmpfsOptionsArgs(size_bytes=mount.size)
        if mount.size
        else None,
    )


def _healthcheck(check: Healthcheck) -> docker.ServiceTaskSpecContainerSpecHealthcheckArgs:
    return docker.ServiceTaskSpecContainerSpecHealthcheckArgs(
        tests=list(check.test),
        interval=check.interval,
        timeout=check.timeout,
        start_period=check.start_period,
        retries=check.retries,
    )


def _placement(service: Service) -> docker.ServiceTaskSpecPlacementArgs:
    return docker.ServiceTaskSpecPlacementArgs(
        constraints=list(service.constraints) or None,
        prefs=[service.spread] if service.spread else None,
        max_replicas=service.max_replicas,
    )


def _resources(service: Service) -> docker.ServiceTaskSpecResourcesArgs:
    limits, reservations = service.limits or Resources(), service.reservations or Reservations()
    return docker.ServiceTaskSpecResourcesArgs(
        limits=docker.ServiceTaskSpecResourcesLimitsArgs(nano_cpus=limits.cpus, memory_bytes=limits.memory),
        reservation=docker.ServiceTaskSpecResourcesReservationArgs(
            nano_cpus=reservations.cpus,
            memory_bytes=reservations.memory,
            generic_resources=docker.ServiceTaskSpecResourcesReservationGenericResourcesArgs(
                discrete_resources_specs=[f"{kind}={number}" for kind, number in reservations.generic]
            )
            if reservations.generic
            else None,
        ),
    )


def _port(port: Port) -> docker.ServiceEndpointSpecPortArgs:
    return docker.ServiceEndpointSpecPortArgs(
        target_port=port.target,
        published_port=port.published,
        protocol=port.protocol,
        publish_mode=port.mode,
    )


def _update(update: Update) -> dict[str, Any]:
    return {
        "parallelism": update.parallelism,
        "delay": update.delay,
        "failure_action": update.failure_action,
        "monitor": update.monitor,
        "max_failure_ratio": update.max_failure_ratio,
        "order": update.order,
    }

"""Services in the provider's words: what isn't declared isn't said, but for what an update would lose."""

from __future__ import annotations

from typing import Any

import pulumi_docker as docker
import pytest

from components.service_args import arguments
from swarm.declare.compose import (
    Healthcheck,
    Logging,
    Mount,
    Port,
    Reference,
    Reservations,
    Resources,
    Restart,
    Service,
    Volume,
)
from swarm.declare.labels import NAMESPACE_LABEL


def said(**declared: Any) -> dict[str, Any]:
    """The arguments of a service with an image and this."""
    service = Service("page", "nginx:1", **declared)
    handles = {"a": ("id-of-a", "demo_a-12345678")}
    return arguments(service, "demo", "nginx:1@sha256:0", {"back": "id-of-back"}, handles, handles)


def container(**declared: Any) -> Any:
    return said(**declared)["task_spec"].container_spec


def given(value: object) -> dict[str, object]:
    """What is said of an argument, by name: its parts without those that aren't said."""
    names = (name for name, one in vars(type(value)).items() if isinstance(one, property))
    return {name: one for name in names if (one := getattr(value, name)) is not None}


def mounted(volume: Volume | None) -> Any:
    (mount,) = container(mounts=(Mount("volume", "/data", volume=volume),)).mounts
    return mount


def test_what_is_not_declared_is_not_said_but_for_what_the_provider_would_leave_as_it_is() -> None:
    whole = said()
    assert {name for name, value in whole.items() if value is not None} == {
        "labels",
        "mode",
        "task_spec",
        "endpoint_spec",
    }
    assert set(given(whole["task_spec"])) == {
        "container_spec",
        "restart_policy",
        "networks_advanceds",
        "placement",
        "resources",
    }
    assert given(whole["task_spec"].placement) == {"max_replicas": 0}
    assert set(given(container())) == {
        "image",
        "labels",
        "stop_grace_period",
        "init",
        "healthcheck",
        "dns_config",
    }
    assert given(container().dns_config) == {"nameservers": [], "searches": []}
    assert given(whole["endpoint_spec"]) == {"mode": "vip"}


def test_the_image_is_the_pinned_one_and_a_label_has_the_declared_one() -> None:
    assert container().image == "nginx:1@sha256:0"
    labels = {one.label: one.value for one in said(labels={"tier": "front"})["labels"]}
    assert labels == {"tier": "front", "com.docker.stack.image": "nginx:1", NAMESPACE_LABEL: "demo"}


@pytest.mark.parametrize("restart", [Restart(), Restart("on-failure", "1s", 3, "1m")])
def test_the_restart_policy_is_always_said(restart: Restart) -> None:
    assert given(said(restart=restart)["task_spec"].restart_policy) == vars(restart)


def test_the_time_to_stop_in_is_always_said() -> None:
    assert container().stop_grace_period == "10s"
    assert container(stop_grace_period="1m").stop_grace_period == "1m"


def test_a_plain_volume_has_the_stack_s_label_and_no_driver() -> None:
    mount = mounted(Volume("demo_data"))
    assert (mount.type, mount.source, mount.target) == ("volume", "demo_data", "/data")
    assert set(given(mount.volume_options)) == {"labels"}
    assert [(one.label, one.value) for one in mount.volume_options.labels] == [(NAMESPACE_LABEL, "demo")]


def test_a_volume_has_its_driver_options_and_labels() -> None:
    options = mounted(Volume("v", driver="local", options={"type": "nfs"}, labels={"a": "b"})).volume_options
    assert (options.driver_name, options.driver_options) == ("local", {"type": "nfs"})
    assert {one.label: one.value for one in options.labels} == {"a": "b", NAMESPACE_LABEL: "demo"}


def test_an_external_volume_is_left_as_it_is() -> None:
    mount = mounted(Volume("theirs", external=True))
    assert mount.source == "theirs"
    assert given(mount.volume_options) == {}


def test_a_volume_without_a_name_has_neither_source_nor_options() -> None:
    assert given(mounted(None)) == {"type": "volume", "target": "/data"}


def test_a_health_check_that_is_off_says_none() -> None:
    assert container(healthcheck=Healthcheck(("NONE",))).healthcheck.tests == ["NONE"]


def test_a_global_service_says_no_number_of_replicas() -> None:
    assert given(said(replicas=None)["mode"]) == {"global_": True}
    assert said(replicas=0)["mode"].replicated.replicas == 0


def test_secrets_and_configs_are_said_by_id_with_their_file() -> None:
    one = Reference("a", "/etc/a", "1", "2", 0o400)
    spec = container(secrets=(one,), configs=(one,))
    file = {"file_name": "/etc/a", "file_uid": "1", "file_gid": "2", "file_mode": 0o400}
    name = "demo_a-12345678"
    assert given(spec.secrets[0]) == {"secret_id": "id-of-a", "secret_name": name, **file}
    assert given(spec.configs[0]) == {"config_id": "id-of-a", "config_name": name, **file}


def test_amounts_that_are_not_declared_are_none() -> None:
    resources = said(limits=Resources(memory=1 << 20))["task_spec"].resources
    assert given(resources.limits) == {"nano_cpus": 0, "memory_bytes": 1 << 20}
    assert given(resources.reservation) == {"nano_cpus": 0, "memory_bytes": 0}


def test_a_port_that_the_swarm_chooses_has_no_number() -> None:
    (port,) = said(ports=(Port(80),))["endpoint_spec"].ports
    assert isinstance(port, docker.ServiceEndpointSpecPortArgs)
    assert given(port) == {"target_port": 80, "protocol": "tcp", "publish_mode": "ingress"}


def test_a_reservation_has_what_engines_say_they_have() -> None:
    spec = said(reservations=Reservations(memory=5, generic=(("gpu", 2),)))["task_spec"]
    reserved = given(spec.resources.reservation)
    assert (reserved["nano_cpus"], reserved["memory_bytes"]) == (0, 5)
    assert given(reserved["generic_resources"]) == {"discrete_resources_specs": ["gpu=2"]}


def test_options_of_the_engine_s_own_logging_driver_are_said_without_its_name() -> None:
    assert given(said(logging=Logging("", {"max-size": "1m"}))["task_spec"].log_driver) == {
        "name": "",
        "options": {"max-size": "1m"},
    }

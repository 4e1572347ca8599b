"""The docker plugin speaks what the installed package pulumi_docker speaks.

Whichever plugin the project uses is started here, the official one or the one built in
toolchain/docker, and asked for its schema, as the engine would.
"""

import inspect
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args, get_origin

import grpc
import pulumi_docker
import pytest
from google.protobuf import empty_pb2
from pulumi import _types
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

PACKAGE_VERSION = version("pulumi_docker")
PLUGIN = (
    Path(__file__).parents[2]
    / f".tools/home/plugins/resource-docker-v{PACKAGE_VERSION}/pulumi-resource-docker"
)
PRIMITIVES = {str: "string", int: "integer", bool: "boolean", float: "number"}
RESOURCES = {
    f"docker:index/{resource.__name__[0].lower()}{resource.__name__[1:]}:{resource.__name__}": (
        arguments,
        resource,
    )
    for arguments, resource in (
        (pulumi_docker.ServiceArgs, pulumi_docker.Service),
        (pulumi_docker.NetworkArgs, pulumi_docker.Network),
        (pulumi_docker.SecretArgs, pulumi_docker.Secret),
        (pulumi_docker.ServiceConfigArgs, pulumi_docker.ServiceConfig),
        (pulumi_docker.VolumeArgs, pulumi_docker.Volume),
        (pulumi_docker.ContainerArgs, pulumi_docker.Container),
        (pulumi_docker.PluginArgs, pulumi_docker.Plugin),
        (pulumi_docker.RegistryImageArgs, pulumi_docker.RegistryImage),
        (pulumi_docker.RemoteImageArgs, pulumi_docker.RemoteImage),
        (pulumi_docker.TagArgs, pulumi_docker.Tag),
        (pulumi_docker.BuildxBuilderArgs, pulumi_docker.BuildxBuilder),
    )
}

Shape = dict[str, str]
"""A path such as `taskSpec.containerSpec.mounts[].target`, and the type of what is there."""


@pytest.fixture(scope="module")
def provider() -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    plugin = Path(os.environ.get("SWARM_DOCKER_PLUGIN", PLUGIN))
    assert plugin.exists(), f"{plugin} isn't there: run `python3 -m toolchain`"
    with subprocess.Popen([plugin], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def schema(provider: provider_pb2_grpc.ResourceProviderStub) -> dict[str, Any]:
    answer = provider.GetSchema(provider_pb2.GetSchemaRequest(), timeout=30)
    parsed: dict[str, Any] = json.loads(answer.schema)
    return parsed


def test_plugin_and_package_are_of_one_version(
    provider: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    assert provider.GetPluginInfo(empty_pb2.Empty(), timeout=30).version.lstrip("v") == (PACKAGE_VERSION)


@pytest.mark.parametrize("token", RESOURCES)
def test_inputs_have_the_names_and_types_that_the_package_sends(schema: dict[str, Any], token: str) -> None:
    arguments, _ = RESOURCES[token]
    resource = schema["resources"][token]
    spoken = schema_shape(
        schema, resource["inputProperties"], resource.get("requiredInputs", []), inputs=True
    )
    assert spoken == package_shape(arguments)


@pytest.mark.parametrize("token", RESOURCES)
def test_outputs_have_the_names_and_types_that_the_package_reads(schema: dict[str, Any], token: str) -> None:
    _, resource_class = RESOURCES[token]
    spoken = schema_shape(schema, schema["resources"][token]["properties"], [])
    assert spoken == package_shape(resource_class)


def test_provider_takes_the_settings_that_the_package_sends(schema: dict[str, Any]) -> None:
    provider = schema["provider"]
    spoken = schema_shape(
        schema, provider["inputProperties"], provider.get("requiredInputs", []), inputs=True
    )
    assert spoken == package_shape(pulumi_docker.ProviderArgs)


def package_shape(arguments: type, path: str = "") -> Shape:
    """Gives the shape of a class of arguments or outputs of the package, nested ones included."""
    shape: Shape = {}
    if _types.is_input_type(arguments):
        types = _types.input_type_types(arguments)
        required = {
            name
            for name, parameter in inspect.signature(arguments).parameters.items()
            if parameter.default is inspect.Parameter.empty
        }
        names = _types.input_type_py_to_pulumi_names(arguments)
        required = {names[name] for name in required}
    else:
        types = (
            _types.output_type_types(arguments)
            if _types.is_output_type(arguments)
            else _types.resource_types(arguments)
        )
        required = set()
    for name, kind in types.items():
        shape |= _package_property(kind, f"{path}{name}", "!" if name in required else "")
    return shape


def _package_property(kind: Any, path: str, mark: str) -> Shape:
    kind = _types.unwrap_type(kind)
    origin = get_origin(kind)
    if kind in PRIMITIVES:
        return {path: PRIMITIVES[kind] + mark}
    if origin is not None and issubclass(origin, Mapping):
        return {path: "object" + mark} | _package_property(get_args(kind)[1], f"{path}{{}}", "")
    if origin is not None and issubclass(origin, Sequence):
        return {path: "array" + mark} | _package_property(get_args(kind)[0], f"{path}[]", "")
    return {path: "object" + mark} | package_shape(kind, f"{path}.")


def schema_shape(
    schema: dict[str, Any],
    properties: dict[str, Any],
    required: Sequence[str],
    path: str = "",
    *,
    inputs: bool = False,
) -> Shape:
    """Gives the shape of some properties of the schema; `!` marks those that must be given."""
    shape: Shape = {}
    for name, kind in properties.items():
        mark = "!" if inputs and name in required else ""
        shape |= _schema_property(schema, kind, f"{path}{name}", mark, inputs)
    return shape


def _schema_property(
    schema: dict[str, Any], kind: dict[str, Any], path: str, mark: str, inputs: bool
) -> Shape:
    if "$ref" in kind:
        nested = schema["types"][kind["$ref"].removeprefix("#/types/")]
        return {path: "object" + mark} | schema_shape(
            schema, nested["properties"], nested.get("required", []), f"{path}.", inputs=inputs
        )
    if kind["type"] == "array":
        items = _schema_property(schema, kind["items"], f"{path}[]", "", inputs)
        return {path: "array" + mark} | items
    if "additionalProperties" in kind:
        values = _schema_property(schema, kind["additionalProperties"], f"{path}{{}}", "", inputs)
        return {path: "object" + mark} | values
    return {path: kind["type"] + mark}

"""What the stack's own state knows of the swarm, read from it before anything is declared."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from components.scripts import host as host_scripts
from swarm.decide.ownership import Known

CLUSTER, NODE, SERVICE = "swarm:index:Cluster", "swarm:index:Node", "docker:index/service:Service"
COMMAND = "command:remote:Command"
MEMBERSHIP = "-membership"

Resource = tuple[str, str, Mapping[str, Any]]  # URN, type and outputs


def known(resources: Iterable[Resource]) -> Known:
    """What a state's resources tell. Where no owner's ID is among them, there is a new one."""
    owner, node_ids, services, commands = "", {}, [], []
    for urn, kind, outputs in resources:
        name = urn.rpartition("::")[2]
        if kind == COMMAND:
            commands.append(name)
        if kind == CLUSTER:
            owner = str(outputs.get("owner") or "")
        elif kind == NODE and outputs.get("nodeId"):
            node_ids[name] = str(outputs["nodeId"])
        elif kind == COMMAND and name.endswith(MEMBERSHIP):
            node_ids.setdefault(name.removesuffix(MEMBERSHIP), _printed(outputs))
        elif kind == SERVICE:
            services.append(str(outputs.get("name")))
    found = {name: node_id for name, node_id in node_ids.items() if node_id}
    return Known(owner or secrets.token_hex(8), found, frozenset(services), frozenset(commands))


def _printed(membership: Mapping[str, Any]) -> str:
    """The node ID that a join has printed: of a run that was cut off before it told the node's own output,
    or of a version that had none, in the first line then."""
    line, stdout = str(membership.get("create")), membership.get("stdout")
    if not isinstance(stdout, str):
        return ""
    found = host_scripts.result(line, stdout).get("node") or stdout.partition("\n")[0]
    return str(found) if " " not in found else ""


def of_export(deployment: Mapping[str, Any]) -> Known:
    """What an exported state tells (`pulumi stack export`)."""
    resources = deployment["deployment"].get("resources") or ()
    # As the engine tells a running program: what was replaced and waits to be deleted isn't there any more.
    return known(
        (one["urn"], one["type"], one.get("outputs") or {}) for one in resources if not one.get("delete")
    )


def of_this_run() -> Known:
    """What the state tells that the running program belongs to. The engine's own provider reads it, by the
    request that a StackReference makes for another stack; that can be awaited only by a resource, and we
    decide before there is one. Its secrets come along, and go no further."""
    import pulumi
    from google.protobuf import json_format, struct_pb2
    from pulumi.runtime.proto import resource_pb2

    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    arguments = struct_pb2.Struct()
    arguments.update({"stackName": stack})
    request = resource_pb2.ResourceInvokeRequest(tok="pulumi:pulumi:readStackResourceOutputs", args=arguments)
    monitor = pulumi.runtime.settings.get_monitor()
    assert monitor  # noqa: S101 (there is one in every program that an engine runs)
    answer = json_format.MessageToDict(getattr(monitor.Invoke(request), "return"))
    return known((urn, one["type"], one["outputs"]) for urn, one in answer.get("outputs", {}).items())

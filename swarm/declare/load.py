"""All that is declared, in one reading: settings, the way to the hosts, the stacks' Compose files.

docs/configuration.md is the reference of the keys.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from swarm.declare import compose, encryption, environment, load_balancer, ordering, ssh_files
from swarm.declare.keys import Key, keys_of
from swarm.declare.reader import ConfigurationError, Reader
from swarm.declare.rules import Rule, anything
from swarm.declare.settings import NAMESPACE, Edge, Node, Settings, Ssh, StackConfig
from swarm.declare.ways import read as read_ways

# The way that all nodes have is each node's own, and no field of the settings.
TOP = {"nodes": keys_of(Settings)["nodes"], "ssh": Key("ssh", Rule(anything, "must be a mapping"), {})}
TOP |= keys_of(Settings)


def load(
    values: Mapping[str, Any], folder: Path, project: str, stack: str, secret: Collection[str] = ()
) -> tuple[Settings, list[compose.Stack]]:
    """Settings and stacks, those that others need first; `secret` are the keys that hold secrets. Raises
    ConfigurationError with every problem in any of them; no host is dialled for that."""
    reader = Reader(secret)
    declared = read(reader, values, folder, project, stack)
    encryption.check(reader, values, secret, folder / f"Pulumi.{stack}.yaml")
    environment.check(reader, stack)
    ssh_files.check(reader, declared)
    found = len(reader.problems)
    # What is secret among the variables would be filled in, and shown.
    readable = () if f"{NAMESPACE}stacks" in secret else declared.stacks
    stacks = [compose.read(reader, one, declared.secrets) for one in readable]
    # What has a problem is left out, and would be missed.
    unread = len(reader.problems) > found or readable != declared.stacks
    stacks = ordering.ordered(reader, stacks)
    if declared.edge:
        if not unread:
            load_balancer.check_ports(reader, declared.edge, stacks)
        stacks.append(load_balancer.stack(declared.edge, declared.nodes))
    ordering.check_ports(reader, stacks)
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return declared, stacks


def read(reader: Reader, values: Mapping[str, Any], folder: Path, project: str, stack: str) -> Settings:
    """The settings, from the values of the stack's configuration by full key (`swarm:nodes`).

    Values are parsed YAML, or the texts that the engine hands to a program. Relative paths start at
    `folder`, that of Pulumi.yaml. The reader is told the problems; what has one is left out.
    """
    raw = {
        key.removeprefix(NAMESPACE): parsed(value)
        for key, value in values.items()
        if key.startswith(NAMESPACE)
    }
    top = reader.given(NAMESPACE, raw, TOP)
    written = top.pop("nodes", [])
    nodes = _nodes(reader, written, read_ways(reader, top.pop("ssh", {}), written, folder))
    stacks = _stacks(reader, top.pop("stacks", []), folder)
    # What is no list of nodes is a problem of its own, and known.
    if isinstance(raw.get("nodes", []), list) or raw["nodes"] is None:
        _check_nodes(reader, written)
    names = [str(item.get("name")) for item in written if isinstance(item, Mapping)]
    for name in (name for name in top.get("unreachable", ()) if name not in names):
        reader.problem(f"{NAMESPACE}unreachable", name, "there is no node of this name", "Correct it")
    edge = load_balancer.read(reader, top.pop("edge", None), names, nodes)
    _check_stacks(reader, [one.name for one in stacks], edge)
    return Settings(project, stack, nodes=nodes, stacks=stacks, edge=edge, **top)


def _nodes(reader: Reader, raw: Sequence[Any], ways: Sequence[Ssh | None]) -> tuple[Node, ...]:
    """Those without a problem, neither in their own keys nor in the way to them."""
    found = [
        reader.build(Node, f"{NAMESPACE}nodes[{index}]", item, ssh=way)
        for index, (item, way) in enumerate(zip(raw, ways, strict=True))
    ]
    return tuple(node for node, way in zip(found, ways, strict=True) if node and way)


def _stacks(reader: Reader, raw: Sequence[Any], folder: Path) -> tuple[StackConfig, ...]:
    found = [reader.build(StackConfig, f"{NAMESPACE}stacks[{index}]", item) for index, item in enumerate(raw)]
    return tuple(
        replace(
            one,
            compose=tuple(folder / path for path in one.compose),
            env_file=one.env_file and folder / one.env_file,
        )
        for one in found
        if one
    )


def parsed(value: Any) -> Any:
    """The engine gives lists and mappings as JSON text; everything else stays what it is."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):  # also where a number or the nesting is beyond any use
            return value
    return value


def _check_nodes(reader: Reader, nodes: list[Any]) -> None:
    """The rules that hold between nodes; read from what was written."""
    written = [node for node in nodes if isinstance(node, Mapping)]
    leaders = [node.get("name") for node in written if node.get("role") == "leader"]
    if len(leaders) != 1:
        reader.problem(
            f"{NAMESPACE}nodes",
            ", ".join(name for name in leaders if isinstance(name, str)) or None,
            f"exactly one node has the role leader, and here {len(leaders)} have",
            "Leave it to one; the others are managers, any of which may lead later"
            if leaders
            else "Give it to the manager that is to start the swarm",
        )
    for key in ("name", "host", "advertiseAddress"):
        count = Counter(node[key] for node in written if isinstance(node.get(key), str))
        for value in (value for value, times in count.items() if times > 1):
            at = [index for index, node in enumerate(written) if node.get(key) == value]
            reader.problem(
                f"{NAMESPACE}nodes[{at[-1]}].{key}",
                value,
                f"nodes {', '.join(map(str, at))} share it, and it must be a node's own",
                "Change or remove one of them",
            )


def _check_stacks(reader: Reader, names: Sequence[str], edge: Edge | None) -> None:
    for name in (name for name, times in Counter(names).items() if times > 1):
        reader.problem(f"{NAMESPACE}stacks", name, "two stacks have this name", "Rename one of them")
    if edge and load_balancer.STACK in names:
        rule = f"{NAMESPACE}edge makes a stack of this name"
        reader.problem(f"{NAMESPACE}stacks", load_balancer.STACK, rule, "Rename one of them")

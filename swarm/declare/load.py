"""All that is declared, in one reading: settings, the way to the hosts, the stacks' Compose files.

docs/configuration.md is the reference of the keys.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from swarm import files
from swarm.declare import compose, encryption, environment, load_balancer, ordering, ssh_files
from swarm.declare.labels import OWN_LABELS
from swarm.declare.reader import (
    ConfigurationError,
    Key,
    Reader,
    boolean,
    distinct,
    line,
    number,
    one_of,
    sequence,
    strings,
    text,
    whole,
)
from swarm.declare.settings import NAMESPACE, Deployment, Node, Proxy, Settings, Ssh, is_address

AVAILABILITIES = ("active", "pause", "drain")


def load(
    values: Mapping[str, Any], folder: Path, project: str, stack: str, secret: Collection[str] = ()
) -> tuple[Settings, list[compose.Stack]]:
    """Settings and stacks, those that others need first; `secret` are the keys that hold secrets. Raises
    ConfigurationError with every mistake in any of them; no host is dialled for that."""
    reader = Reader(secret)
    declared = read(reader, values, folder, project, stack)
    encryption.check(reader, values, secret, folder / f"Pulumi.{stack}.yaml")
    environment.check(reader, stack)
    ssh_files.check(reader, declared)
    found = len(reader.mistakes)
    # What is secret among the variables would be filled in, and shown.
    readable = () if f"{NAMESPACE}stacks" in secret else declared.stacks
    stacks = [compose.read(reader, deployment, declared.secrets) for deployment in readable]
    unread = (
        len(reader.mistakes) > found or readable != declared.stacks
    )  # what has a mistake is left out, and would be missed
    stacks = ordering.ordered(reader, stacks)
    if declared.edge:
        if not unread:
            load_balancer.check_ports(reader, declared.edge, stacks)
        stacks.append(load_balancer.stack(declared.edge, declared.nodes))
    ordering.check_ports(reader, stacks)
    if reader.mistakes:
        raise ConfigurationError(reader.mistakes)
    return declared, stacks


def read(reader: Reader, values: Mapping[str, Any], folder: Path, project: str, stack: str) -> Settings:
    """The settings, from the values of the stack's configuration by full key (`swarm:nodes`).

    Values are parsed YAML, or the texts that the engine hands to a program. Relative paths start at
    `folder`, that of Pulumi.yaml. The reader is told the mistakes; what has one is left out.
    """
    raw = {
        key.removeprefix(NAMESPACE): parsed(value)
        for key, value in values.items()
        if key.startswith(NAMESPACE)
    }
    top = reader.mapping(NAMESPACE, raw, TOP)
    shared = _read_ssh(reader, f"{NAMESPACE}ssh", top["ssh"], folder)
    ways = [
        _read_ways(reader, f"{NAMESPACE}nodes[{index}]", item, shared, folder)
        for index, item in enumerate(top["nodes"])
    ]
    _check_keys(reader, ways)
    nodes = [
        node
        for index, item in enumerate(top["nodes"])
        if (node := _read_node(reader, f"{NAMESPACE}nodes[{index}]", item, ways[index]))
    ]
    stacks = [
        Deployment(
            one["name"],
            folder / one["compose"],
            one["variables"],
            one["dependsOn"],
            one["ignoreUnsupported"],
            one["resolveImages"],
        )
        for index, item in enumerate(top["stacks"])
        if whole(one := reader.mapping(f"{NAMESPACE}stacks[{index}]", item, DEPLOYMENT))
    ]
    # What is no list of nodes is a mistake of its own, and known.
    if isinstance(raw.get("nodes", []), list) or raw["nodes"] is None:
        _check_nodes(reader, top["nodes"])
    names = [str(item.get("name")) for item in top["nodes"] if isinstance(item, Mapping)]
    for name in (name for name in top["unreachable"] if name not in names):
        reader.wrong(f"{NAMESPACE}unreachable", name, "there is no node of this name", "Correct it")
    front = load_balancer.read(reader, top["edge"], names, nodes)
    _check_stacks(reader, [one.name for one in stacks])
    if front and load_balancer.STACK in (one.name for one in stacks):
        rule = f"{NAMESPACE}edge makes a stack of this name"
        reader.wrong(f"{NAMESPACE}stacks", load_balancer.STACK, rule, "Rename one of them")
    return Settings(
        project=project,
        stack=stack,
        nodes=tuple(nodes),
        stacks=tuple(stacks),
        edge=front,
        secrets=top["secrets"],
        address_pool=top["addressPool"],
        data_path_port=top["dataPathPort"],
        task_history_limit=top["taskHistoryLimit"],
        certificate_expiry=top["certificateExpiry"],
        dispatcher_heartbeat=top["dispatcherHeartbeat"],
        drain_timeout=top["drainTimeout"],
        settle_timeout=top["settleTimeout"],
        parallel=top["parallel"],
        adopt=top["adopt"],
        allow_unreachable=top["allowUnreachable"],
        unreachable=top["unreachable"],
        other_nodes=top["otherNodes"],
    )


def parsed(value: Any) -> Any:
    """The engine gives lists and mappings as JSON text; everything else stays what it is."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):  # also where a number or the nesting is beyond any use
            return value
    return value


def _read_ways(reader: Reader, path: str, raw: Any, shared: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A node's own SSH values laid over those of all nodes."""
    own = raw.get("ssh") if isinstance(raw, Mapping) else None
    return {**shared, **(_read_ssh(reader, f"{path}.ssh", own, folder) if own else {})}


def _check_keys(reader: Reader, ways: list[dict[str, Any]]) -> None:
    """A key that no node has is missing once, for all; else it is missing for some."""
    for name in ("privateKeyFile", "knownHostsFile"):
        lacking = [index for index, one in enumerate(ways) if name not in one]
        paths = [f"{NAMESPACE}nodes[{index}].ssh" for index in lacking]
        if lacking and len(lacking) == len(ways):
            paths = [f"{NAMESPACE}ssh"]
        for path in paths:
            reader.wrong(
                f"{path}.{name}", None, "is missing", f"Add it, or for all nodes as {NAMESPACE}ssh.{name}"
            )


def _read_node(reader: Reader, path: str, raw: Any, ways: dict[str, Any]) -> Node | None:
    values = reader.mapping(path, raw, NODE)
    if not whole(values) or not {"privateKeyFile", "knownHostsFile"} <= ways.keys():
        return None
    return Node(
        name=values["name"],
        host=values["host"],
        role=values["role"],
        availability=values["availability"] or ("active" if values["role"] == "worker" else "drain"),
        ssh=_ssh(ways),
        labels=values["labels"],
        lost=values["lost"],
        advertise_address=values["advertiseAddress"],
        data_path_address=values["dataPathAddress"],
    )


def _read_ssh(reader: Reader, path: str, raw: Any, folder: Path) -> dict[str, Any]:
    """The values that are set, so that a node's own can be laid over those of all nodes."""
    return _ways(reader, path, raw, reader.mapping(path, raw, SSH), folder)


def _ways(reader: Reader, path: str, raw: Any, values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Those of the values that are set, their files looked at, a jump host's too."""
    ways = {name: value for name, value in values.items() if value is not None}
    for name in ("privateKeyFile", "knownHostsFile"):
        if name in ways:
            ways[name] = folder / os.path.expanduser(ways[name])  # noqa: PTH111 (pathlib's raises)
            if rule := _unfit(ways[name]):
                remedy = "Correct the path, or make the file"
                reader.wrong(f"{path}.{name}", str(ways[name]), rule, remedy)
                ways[name] = Path()
        elif isinstance(raw, Mapping) and raw.get(name) is not None:
            ways[name] = Path()  # wrong, and told; not missing
    if "proxy" in ways:
        jump = reader.mapping(f"{path}.proxy", ways.pop("proxy"), PROXY)
        if whole(jump):
            ways["proxy"] = _ways(reader, f"{path}.proxy", raw["proxy"], jump, folder)
    return ways


def _unfit(path: Path) -> str:
    """Why a file for ssh can't be one; empty where it can."""
    try:
        _path(str(path.absolute()))
        files.text(path)
    except files.MissingError:
        return "there is no such file"
    except files.UnreadableError as error:
        return f"can't be read: {error}"
    except ValueError:
        return f"must be a path {PLAIN}, the folder's name included"
    return ""


def _ssh(ways: Mapping[str, Any]) -> Ssh:
    """The way to a host; a jump host is reached as the host is, but for what is its own."""
    direct = {name: value for name, value in ways.items() if name != "proxy"}
    jump = ways.get("proxy")
    return Ssh(
        user=ways.get("user", "root"),
        port=ways.get("port", 22),
        connect_timeout=ways.get("connectTimeout", Ssh.connect_timeout),
        private_key_file=ways["privateKeyFile"],
        known_hosts_file=ways["knownHostsFile"],
        proxy=Proxy(
            jump["host"], _ssh({**direct, **{name: value for name, value in jump.items() if name != "host"}})
        )
        if jump
        else None,
    )


def _check_nodes(reader: Reader, nodes: list[Any]) -> None:
    """The rules that hold between nodes; read from what was written."""
    written = [node for node in nodes if isinstance(node, Mapping)]
    leaders = [node.get("name") for node in written if node.get("role") == "leader"]
    if len(leaders) != 1:
        reader.wrong(
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
            reader.wrong(
                f"{NAMESPACE}nodes[{at[-1]}].{key}",
                value,
                f"nodes {', '.join(map(str, at))} share it, and it must be a node's own",
                "Change or remove one of them",
            )


def _check_stacks(reader: Reader, stacks: list[str]) -> None:
    for name in (name for name, times in Counter(stacks).items() if times > 1):
        reader.wrong(f"{NAMESPACE}stacks", name, "two stacks have this name", "Rename one of them")


def hostname(raw: Any) -> str:
    """A host name, or the address of a host."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", raw):
        raise ValueError
    return address(raw) if is_address(raw) else str(raw)


def address(raw: Any) -> str:
    """An IPv4 address."""
    return str(ipaddress.IPv4Address(text(raw)))


def pool(raw: Any) -> IPv4Network:
    """A network to cut /24 subnets out of."""
    network = IPv4Network(text(raw))
    if network.prefixlen > 23:
        raise ValueError
    return network


def duration(least: int, most: float = float("inf")) -> Callable[[Any], int]:
    """A duration as Docker writes it, in seconds, between both ends, which belong to it."""

    def read(raw: Any) -> int:
        match = re.fullmatch(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", raw)
        if not match:
            raise ValueError
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = hours * 3600 + minutes * 60 + seconds
        if not least <= total <= most:
            raise ValueError
        return total

    return read


def _contents(raw: Any) -> dict[str, str]:
    """Names and texts."""
    if isinstance(raw, Mapping) and all(isinstance(one, str) and one for one in raw.values()):
        return dict(raw)
    raise ValueError


def _labels(raw: Any) -> Mapping[str, str]:
    """A node's labels, among which are none of the program's own. Docker's client takes NAME=VALUE apart at
    the first =, and the scheduler's constraints can't name a space."""
    labels = strings(raw)
    for name, value in labels.items():
        line(f"{name}{value}")
        if not re.fullmatch(r"[^=\s]+", name) or name.startswith(OWN_LABELS):
            raise ValueError
    return labels


def _user(raw: Any) -> str:
    """A login name, which may have a domain before a backslash or after an @. Nothing in it means anything
    to ssh_config or to a shell between quotes."""
    if not re.fullmatch(r"\w[\w.+-]*(\\\w[\w.+-]*)?(@[\w.-]+)?\$?", raw, re.ASCII):
        raise ValueError
    return str(raw)


def _path(raw: Any) -> str:
    """A path that ssh_config can hold: quotes would end it there, and ${NAME} would be filled in."""
    if any(part in line(raw) for part in ('"', "${")):
        raise ValueError
    return str(raw)


def _other_nodes(raw: Any) -> tuple[str, ...]:
    """Host names or IDs, none of which can have a space."""
    names = distinct(raw)
    if any(re.search(r"\s", name) for name in names):
        raise ValueError
    return names


def _name(raw: Any) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", raw):
        raise ValueError
    return str(raw)


PASS: Callable[[Any], Any] = lambda raw: raw  # noqa: E731 (read further on, with a path of its own)

PLAIN = "on one line, without a quotation mark or ${"

SSH = {
    "user": Key(_user, "must be the name of a user", None),
    "port": Key(number(1, 65535), "must be a port, 1 to 65535", None),
    "privateKeyFile": Key(_path, f"must be the path of a private key, {PLAIN}", None),
    "knownHostsFile": Key(_path, f"must be the path of a known_hosts file, {PLAIN}", None),
    "connectTimeout": Key(duration(1, 60), "must be a duration of 1s to 1m, such as 20s", None),
    "proxy": Key(PASS, "must be a mapping with a host", None),
}
PROXY = {
    "host": Key(hostname, "must be a host name or an IPv4 address"),
    **{name: key for name, key in SSH.items() if name != "proxy"},
}
NODE = {
    "name": Key(_name, "must be lower-case letters, digits and hyphens, 63 at most"),
    "host": Key(hostname, "must be a host name or an IPv4 address"),
    "role": Key(one_of("leader", "manager", "worker"), "must be leader, manager or worker"),
    "labels": Key(
        _labels,
        f"must be a mapping of names without spaces or = to texts on one line, and {OWN_LABELS} is ours",
        {},
    ),
    "availability": Key(one_of(*AVAILABILITIES), "must be active, pause or drain", None),
    "lost": Key(boolean, "must be true or false", False),
    "ssh": Key(PASS, "must be a mapping", None),
    "advertiseAddress": Key(address, "must be an IPv4 address of the node", None),
    "dataPathAddress": Key(address, "must be an IPv4 address of the node", None),
}
DEPLOYMENT = {
    "name": Key(_name, "must be lower-case letters, digits and hyphens, 63 at most"),
    "compose": Key(text, "must be the path of a Compose file"),
    "variables": Key(strings, "must be a mapping of names to texts", {}, hidden=True),
    "dependsOn": Key(distinct, "must be a list of names of stacks, each once", ()),
    "ignoreUnsupported": Key(distinct, "must be a list of paths in the Compose file", ()),
    "resolveImages": Key(one_of("always", "changed", "never"), "must be always, changed or never", "changed"),
}
TOP = {
    "nodes": Key(sequence, "must be a list of nodes", []),
    "ssh": Key(PASS, "must be a mapping", {}),
    "stacks": Key(sequence, "must be a list of stacks", []),
    "edge": Key(PASS, "must be a mapping", None),
    "secrets": Key(_contents, "must be a mapping of names to texts that aren't empty", {}, hidden=True),
    "addressPool": Key(pool, "must be an IPv4 network of /23 or larger, such as 10.20.0.0/16", None),
    "dataPathPort": Key(number(1024, 49151), "must be a port, 1024 to 49151", None),
    "taskHistoryLimit": Key(number(0, 1000), "must be a number, 0 to 1000", None),
    "certificateExpiry": Key(duration(3600), "must be a duration of 1h or more, such as 2160h", None),
    "dispatcherHeartbeat": Key(duration(1, 60), "must be a duration of 1s to 1m, such as 15s", None),
    "drainTimeout": Key(
        duration(0, 86400), "must be a duration of 24h or less, such as 5m; 0s waits for none", 300
    ),
    "settleTimeout": Key(duration(1, 86400), "must be a duration of 1s to 24h, such as 5m", 300),
    "parallel": Key(number(1, 1000), "must be a number of hosts, 1 to 1000", None),
    "adopt": Key(boolean, "must be true or false", False),
    "allowUnreachable": Key(boolean, "must be true or false", False),
    "unreachable": Key(distinct, "must be a list of names of nodes, each once", ()),
    "otherNodes": Key(_other_nodes, "must be a list of host names or IDs of nodes, each once", ()),
}

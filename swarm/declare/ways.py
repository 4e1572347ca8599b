"""How each node is reached: its own SSH values laid over those of all nodes, a jump host's over both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swarm import files
from swarm.declare.keys import Key, keys_of
from swarm.declare.reader import Reader, whole
from swarm.declare.setting_rules import ssh_path
from swarm.declare.settings import NAMESPACE, PLAIN, Proxy, Ssh

SSH = keys_of(Ssh)
JUMP = keys_of(Proxy) | {name: key for name, key in SSH.items() if name != "proxy"}
# Required somewhere, not everywhere: what one lacks another may have.
FILES = {name: key for name, key in SSH.items() if key.required}

Way = dict[str, Any]  # values that are set, by field


def read(reader: Reader, shared: Any, nodes: Sequence[Any], folder: Path) -> list[Ssh | None]:
    """The way to each node; None where it isn't whole. The reader is told the problems, each once."""
    common = _given(reader, f"{NAMESPACE}ssh", shared, SSH, folder)
    ways = []
    for index, item in enumerate(nodes):
        own = item.get("ssh") if isinstance(item, Mapping) else None
        path = f"{NAMESPACE}nodes[{index}].ssh"
        ways.append(common | (_given(reader, path, own, SSH, folder) if own else {}))
    _check_files(reader, ways)
    return [_ssh(way) if whole(FILES, way) else None for way in ways]


def _given(reader: Reader, path: str, raw: Any, keys: Mapping[str, Key], folder: Path) -> Way:
    """Those of the values that are set, their files looked at, a jump host's too."""
    way = reader.given(path, raw, keys, [key.field for key in FILES.values()])
    for name, field in ((name, key.field) for name, key in FILES.items()):
        if field in way:
            way[field] = _file(reader, f"{path}.{name}", folder / way[field])
        elif isinstance(raw, Mapping) and raw.get(name) is not None:
            way[field] = Path()  # wrong, and told; not missing
    if "proxy" in way:
        jump = _given(reader, f"{path}.proxy", way.pop("proxy"), JUMP, folder)
        way |= {"proxy": jump} if "host" in jump else {}
    return way


def _file(reader: Reader, key: str, path: Path) -> Path:
    if rule := _unfit(path):
        reader.problem(key, str(path), rule, "Correct the path, or make the file")
        return Path()
    return path


def _unfit(path: Path) -> str:
    """Why a file for ssh can't be one; empty where it can."""
    try:
        ssh_path(str(path.absolute()))
        files.text(path)
    except files.MissingError:
        return "there is no such file"
    except files.UnreadableError as error:
        return f"can't be read: {error}"
    except ValueError:
        return f"must be a path {PLAIN}, the folder's name included"
    return ""


def _check_files(reader: Reader, ways: Sequence[Way]) -> None:
    """A key that no node has is missing once, for all; else it is missing for some."""
    for name, key in FILES.items():
        lacking = [index for index, way in enumerate(ways) if key.field not in way]
        paths = [f"{NAMESPACE}nodes[{index}].ssh" for index in lacking]
        if lacking and len(lacking) == len(ways):
            paths = [f"{NAMESPACE}ssh"]
        for path in paths:
            remedy = f"Add it, or for all nodes as {NAMESPACE}ssh.{name}"
            reader.problem(f"{path}.{name}", None, "is missing", remedy)


def _ssh(way: Way) -> Ssh:
    """The way to a host; a jump host is reached as the host is, but for what is its own."""
    direct = {field: value for field, value in way.items() if field != "proxy"}
    if jump := way.get("proxy"):
        own = {field: value for field, value in jump.items() if field != "host"}
        return Ssh(**direct, proxy=Proxy(jump["host"], Ssh(**direct | own)))
    return Ssh(**direct)

"""The folder .tools/ of the checkout: links to the chosen tools, and the memory of the choice."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from toolchain import checksums, machine, store
from toolchain.catalogue import HERE, Tool

FOLDER = HERE.parent / ".tools"
BIN = FOLDER / "bin"
HOME = FOLDER / "home"
_MEMORY = FOLDER / "chosen.json"


@dataclass(frozen=True)
class Row:
    """What was chosen for one program."""

    program: str
    version: str
    source: str
    reason: str
    path: str


def own_folders() -> tuple[Path, Path]:
    """Gives the folders that this program fills, in which nothing counts as installed."""
    return (FOLDER, store.root())


def link(tool: Tool, folder: Path) -> None:
    """Makes the tool in the given folder the one that the project uses."""
    if not tool.plugin:
        _symlink(folder / tool.files[0], BIN / tool.files[0])
        for path in folder.glob(f"{tool.files[1]}*"):
            _symlink(path, BIN / path.name)
        return
    plugins = HOME / "plugins"
    place = plugins / f"resource-{tool.name}-v{tool.version}"
    # With several, Pulumi may take a newer one than the one that was asked for.
    for other in list(plugins.glob(f"resource-{tool.name}-v*/")):
        if other != place:
            shutil.rmtree(other)
    for name in tool.files:
        _symlink(folder / name, place / name)


def fingerprint(tools: Sequence[Tool]) -> str:
    """Gives a value that changes with all that a choice is made from but network and Go."""
    seen = [
        (str(path), path.stat().st_mtime_ns) for tool in tools for path in machine.places(tool, own_folders())
    ]
    builds = [store.build_key(tool, HERE) for tool in tools]
    return store.key(repr(tools), repr(seen), checksums.TABLE.read_text(), *builds)


def remember(now: str, rows: Sequence[Row]) -> None:
    """Keeps the choice, so that the next run needn't make it again."""
    temporary = _MEMORY.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps({"fingerprint": now, "rows": [asdict(row) for row in rows]}, indent=1))
    temporary.replace(_MEMORY)


def recall(now: str, tools: Sequence[Tool]) -> list[Row] | None:
    """Gives the kept choice, None where it isn't of now or one of the links leads nowhere."""
    links = [
        (HOME / "plugins" / f"resource-{tool.name}-v{tool.version}" if tool.plugin else BIN) / name
        for tool in tools
        for name in tool.files
    ]
    try:
        memory = json.loads(_MEMORY.read_text())
        if memory["fingerprint"] != now or not all(link.exists() for link in links):
            return None
        return [Row(**row) for row in memory["rows"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _symlink(target: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    temporary.symlink_to(target)
    temporary.replace(place)

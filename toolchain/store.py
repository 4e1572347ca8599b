"""The folder outside the checkout that keeps what was downloaded or built.

A tool lies in `<name>-<origin>-<key>`. The folder appears in one step, once complete; a run that
was cut off leaves at most a temporary one, which the next run removes.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from swarm.errors import TimedOutError
from swarm.waiting import until
from toolchain import checksums, machine
from toolchain.catalogue import HERE, Tool
from toolchain.choice import Source

_TEMPORARY = "unfinished-"


def root() -> Path:
    """Gives the folder, by the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pulumi-swarm" / "tools"


def folder(tool: Tool, source: Source) -> Path:
    """Gives the place of a tool in the store, whether or not it is there."""
    if source is Source.DOWNLOAD:
        # Under its checksum: what another one was pinned for, or none, isn't used.
        checksum = checksums.pinned(machine.archive(tool))
        return root() / f"{tool.name}-official-{key(tool.version, checksum)}"
    return root() / f"{tool.name}-built-{build_key(tool, HERE)}"


def key(*parts: str | bytes) -> str:
    """Gives a short name for the given parts on this kind of machine."""
    digest = hashlib.sha256()
    for part in (platform.system(), platform.machine(), *parts):
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]


def build_key(tool: Tool, modules: Path) -> str:
    """Gives a name that changes with the recipes and with every file that goes into the build."""
    parts: list[str | bytes] = [repr(tool.recipes)]
    for recipe in tool.recipes:
        module = modules / recipe.module
        for file in sorted(module.rglob("*")):
            if file.suffix in {".go", ".mod", ".sum"} and not file.name.endswith("_test.go"):
                parts += [str(file.relative_to(modules)), file.read_bytes()]
    return key(*parts)


def publish(target: Path, files: tuple[str, ...], fill: Callable[[Path], None]) -> None:
    """Has `fill` make the files in a temporary folder, then moves it to target in one step.

    Target is left as it was, and the temporary folder removed, if `fill` raises or leaves out a
    file (FileNotFoundError). The caller holds the lock.
    """
    temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=target.parent))
    try:
        fill(temporary)
        for name in files:
            (temporary / name).chmod(0o755)
        temporary.chmod(0o755)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def lock(limit: float, say: Callable[[str], None]) -> Iterator[None]:
    """Holds the store for one run, so that two don't build the same thing at the same time.

    Waits `limit` seconds for another run at most, then TimeoutError.
    """
    root().mkdir(parents=True, exist_ok=True)
    path = root() / "lock"
    with path.open("w") as file:
        if not _locked(file):
            say("another run is at it: waiting for it")
            try:
                until("the lock", lambda: _locked(file), limit)
            except TimedOutError:
                raise TimedOutError(
                    f"{path}: held by another run of `python3 -m toolchain` for "
                    f"{limit / 60:.0f} minutes. Wait for that run or end it, then try again."
                ) from None
        for stale in root().glob(_TEMPORARY + "*"):
            shutil.rmtree(stale, ignore_errors=True)
        yield


def _locked(file: IO[str]) -> bool:
    """Whether the file's lock is ours now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

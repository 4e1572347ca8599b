"""Brings the official release of a tool into the store."""

import shutil
import tarfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from swarm.errors import SwarmError
from toolchain import checksums, machine, store
from toolchain.building import span
from toolchain.catalogue import Tool
from toolchain.choice import Source

_LIMIT = 600.0
_SILENCE = 15.0
_HEARTBEAT = 10.0
_CHUNK = 1 << 20

Say = Callable[[str], None]


class DownloadError(SwarmError):
    """The official release can't be had; the text says why."""


def download(tool: Tool, say: Say) -> None:
    """Brings a tool into the store; DownloadError if it can't be had, ChecksumError if it isn't as pinned.

    The caller holds the store's lock.
    """
    began = time.monotonic()
    say(f"{tool.name}: downloading {tool.version}")

    def fill(folder: Path) -> None:
        archive, source = folder / "archive", machine.address(tool)
        fetch(source, archive, say)
        # Nothing of it is read before it is known to be what was pinned.
        checksums.check(archive, machine.archive(tool), source)
        unpack(archive, tool.files, folder)
        archive.unlink()
        if not tool.plugin and machine.version_of(folder / tool.files[0]) != tool.version:
            raise DownloadError("the official release doesn't run on this machine")

    try:
        store.publish(store.folder(tool, Source.DOWNLOAD), tool.files, fill)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DownloadError(f"the official download failed ({error})") from error
    say(f"{tool.name}: downloaded in {span(time.monotonic() - began)}, sha256 as pinned")


def fetch(url: str, file: Path, say: Say) -> None:
    """Downloads a file; OSError or EOFError where it is cut off or takes too long."""
    began = beat = time.monotonic()
    with (
        urllib.request.urlopen(url, timeout=_SILENCE) as response,  # noqa: S310 - it is address()'s
        file.open("wb") as out,
    ):
        while chunk := response.read(_CHUNK):
            out.write(chunk)
            now = time.monotonic()
            if now - began > _LIMIT:
                raise TimeoutError(f"not done after {span(_LIMIT)}")
            if now - beat > _HEARTBEAT:
                beat = now
                say(f"{out.tell() >> 20} MB of {url}")
        if out.tell() != int(response.headers.get("Content-Length", out.tell())):
            raise EOFError(f"{url} was cut off")


def unpack(path: Path, names: tuple[str, ...], folder: Path) -> None:
    """Takes out of a release what is called like the names, or starts like a later one of them.

    tarfile.TarError where it is no archive or lacks one.
    """
    with tarfile.open(path) as archive:
        for member in archive:
            name = Path(member.name).name
            content = archive.extractfile(member)
            if content and (name in names or name.startswith(names[1:])):
                with (folder / name).open("wb") as out:
                    shutil.copyfileobj(content, out)
                (folder / name).chmod(0o755)
    for name in names:
        if not (folder / name).exists():
            raise tarfile.TarError(f"the release holds no {name}")

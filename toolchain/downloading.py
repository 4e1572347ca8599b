"""Brings the official release of a tool into the store."""

import os
import shutil
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from toolchain import machine, store
from toolchain.building import span
from toolchain.catalogue import Tool
from toolchain.choice import Source

_LIMIT = 600.0
_SILENCE = 15.0
_HEARTBEAT = 10.0
_CHUNK = 1 << 20

Say = Callable[[str], None]


class DownloadError(Exception):
    """The official release can't be had; the text says why."""


def download(tool: Tool, pulumi: Path, say: Say) -> None:
    """Brings a tool into the store, a plugin by means of the given CLI; DownloadError if it can't.

    The caller holds the store's lock.
    """
    began = time.monotonic()
    say(f"{tool.name}: downloading {tool.version}")

    def fill(folder: Path) -> None:
        if tool.plugin:
            _install(tool, pulumi, folder)
        else:
            unpack(machine.archive(), tool.files, folder, say)
            if machine.version_of(folder / tool.files[0]) != tool.version:
                raise DownloadError("the official release doesn't run on this machine")

    try:
        store.publish(store.folder(tool, Source.DOWNLOAD), tool.files, fill)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DownloadError(f"the official download failed ({error})") from error
    say(f"{tool.name}: downloaded in {span(time.monotonic() - began)}")


def unpack(url: str, names: tuple[str, ...], folder: Path, say: Say) -> None:
    """Downloads a release archive and takes out what is called like, or starts like, the names.

    OSError, EOFError or tarfile.TarError where the archive is cut off or takes too long.
    """
    path = folder / "archive"
    began = beat = time.monotonic()
    with (
        urllib.request.urlopen(url, timeout=_SILENCE) as response,  # noqa: S310 - it is archive()'s
        path.open("wb") as out,
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
    with tarfile.open(path) as archive:
        for member in archive:
            name = Path(member.name).name
            content = archive.extractfile(member)
            if content and (name in names or name.startswith(names[1:])):
                with (folder / name).open("wb") as out:
                    shutil.copyfileobj(content, out)
                (folder / name).chmod(0o755)
    path.unlink()
    for name in names:
        if not (folder / name).exists():
            raise tarfile.TarError(f"{url} holds no {name}")


def _install(tool: Tool, pulumi: Path, folder: Path) -> None:
    """Has Pulumi install a plugin, in a home for this alone, and takes it from there."""
    home = folder / "home"
    command = ["plugin", "install", "resource", tool.name, tool.version]
    try:
        answer = subprocess.run(
            [pulumi, *command],
            env=os.environ | {"PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"`pulumi {' '.join(command)}`: no end in {span(_LIMIT)}") from error
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        raise DownloadError(f"`pulumi {' '.join(command)}` failed ({last})")
    for name in tool.files:
        (home / "plugins" / f"resource-{tool.name}-v{tool.version}" / name).rename(folder / name)
    shutil.rmtree(home)

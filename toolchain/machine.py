"""Looks at the machine: what is installed, whether the official download answers, which Go."""

import json
import os
import platform
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from toolchain.catalogue import Tool
from toolchain.choice import Candidate, Go

RELEASES = "https://get.pulumi.com/releases"
_PROBE_SECONDS = 4.0
_COMMAND_SECONDS = 20.0


def archive(tool: Tool) -> str:
    """Gives the file name of a tool's official release for this machine."""
    processor = platform.machine().lower()
    processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(processor, processor)
    return tool.archive(platform.system().lower(), processor)


def address(tool: Tool) -> str:
    """Gives the address of a tool's official release; that of the CLI holds its language hosts too."""
    return f"{RELEASES}/{'plugins' if tool.plugin else 'sdk'}/{archive(tool)}"


def places(tool: Tool, ours: Iterable[Path]) -> list[Path]:
    """Gives the installed copies of a tool.

    The folders `ours`, which this program itself fills, don't count. Nor do plugins on PATH: they
    don't tell their version, and a plugin of another one may fail half way through an update.
    """
    user = Path.home() / ".pulumi"
    if tool.plugin:
        homes = [Path(os.environ.get("PULUMI_HOME") or user), user]
        pattern = f"plugins/resource-{tool.name}-v*/{tool.files[0]}"
        found = [path for home in homes for path in home.glob(pattern) if not _cut_off(path)]
    else:
        folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep)]
        # The official installer's folder; not everybody adds it to PATH.
        found = [folder / tool.files[0] for folder in (*folders, user / "bin")]
    own = [folder.resolve() for folder in ours]
    # Like Pulumi when it looks for what belongs beside it, go by what a link leads to.
    resolved = [path.resolve() for path in found if os.access(path, os.X_OK) and path.is_file()]
    return [
        path for path in dict.fromkeys(resolved) if not any(path.is_relative_to(folder) for folder in own)
    ]


def _cut_off(plugin: Path) -> bool:
    """Tells whether Pulumi has left its mark of an installation that didn't end."""
    return plugin.parent.with_name(f"{plugin.parent.name}.partial").exists()


def installed(tool: Tool, ours: Iterable[Path]) -> list[Candidate]:
    """Gives the installed copies of a tool with their versions."""
    return [
        Candidate(
            path,
            path.parent.name.rpartition("-v")[2] if tool.plugin else version_of(path),
            next((name for name in tool.files if not (path.parent / name).exists()), ""),
        )
        for path in places(tool, ours)
    ]


def version_of(pulumi: Path) -> str:
    """Gives what a Pulumi command line says its version is, "" if it says nothing of use."""
    try:
        answer = subprocess.run(
            [pulumi, "version"],
            env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"^v?(\d+\.\d+\.\d+\S*)", answer.stdout, re.MULTILINE)
    return match.group(1) if match else ""


def unreachable(url: str) -> str:
    """Gives why an address doesn't answer within some seconds, "" if it does."""
    host = url.split("/")[2]
    answer = [f"{host} doesn't answer within {_PROBE_SECONDS:.0f} s"]

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - it is address()'s
            with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):  # noqa: S310
                answer[0] = ""
        except urllib.error.HTTPError as error:
            answer[0] = f"{host} answers {error.code}"
        except OSError as error:
            cause = getattr(error, "reason", error)
            answer[0] = f"{host} can't be reached ({getattr(cause, 'strerror', None) or cause})"

    # The timeout above doesn't cover the resolver, which may take much longer to give up.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS)
    return answer[0]


def go_environment() -> dict[str, str]:
    """Gives the environment for building.

    Some distributions keep Go from fetching a newer one of itself; that is allowed again here,
    unless the environment says otherwise. No C compiler is needed.
    """
    return {"GOTOOLCHAIN": "auto"} | os.environ | {"GOWORK": "off", "CGO_ENABLED": "0"}


def go() -> Go | None:
    """Gives the Go on PATH, None if there is none or it doesn't run."""
    command = shutil.which("go")
    if command is None:
        return None
    try:
        answer = subprocess.run(
            [command, "env", "-json", "GOVERSION", "GOTOOLCHAIN"],
            env=go_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=True,
        )
        values = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Go(values["GOVERSION"].removeprefix("go"), values["GOTOOLCHAIN"] != "local")

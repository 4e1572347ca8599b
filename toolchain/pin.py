"""Pins the official releases that may be downloaded: `python3 -m toolchain.pin`.

For whoever changes a version, on a machine that reaches GitHub. Its releases tell the sha256 of each file
as it was published; `python3 -m toolchain` downloads the same files from get.pulumi.com, so that two
sources must agree.
"""

import json
import re
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any

from toolchain import checksums
from toolchain.catalogue import HERE, PLATFORMS, Tool, tools

API = "https://api.github.com/repos/pulumi"
_SECONDS = 30.0
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def main() -> int:
    """Writes the table of checksums and prints its new lines; gives the exit code."""
    try:
        old = checksums.read(checksums.TABLE.read_text())
        wanted = tools((HERE.parent / "requirements.txt").read_text())
        new = {name: checksum for tool in wanted for name, checksum in published(tool).items()}
        refuse_changed(old, new)
    except (OSError, ValueError) as error:
        print(f"toolchain.pin: {error}\nNothing was written.", file=sys.stderr)
        return 1
    checksums.TABLE.write_text(checksums.write(new))
    print(checksums.write({name: new[name] for name in new if name not in old}) or "nothing new", end="")
    return 0


def published(tool: Tool) -> dict[str, str]:
    """Gives the sha256 of a tool's archives, one a platform; ValueError where GitHub doesn't tell one."""
    repository = f"pulumi-{tool.name}" if tool.plugin else tool.name
    url = f"{API}/{repository}/releases/tags/v{tool.version}"
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - it is GitHub's
        digests = parse(json.load(answer))
    archives = [tool.archive(*platform) for platform in PLATFORMS]
    if missing := [name for name in archives if name not in digests]:
        raise ValueError(f"{url} tells no sha256 of {', '.join(missing)}")
    return {name: digests[name] for name in archives}


def parse(release: Any) -> dict[str, str]:
    """Gives the sha256 of each file of a release, as GitHub describes one; files without are left out."""
    digests = {
        asset["name"]: _DIGEST.fullmatch(asset.get("digest") or "") for asset in release.get("assets", [])
    }
    return {name: digest[1] for name, digest in digests.items() if digest}


def refuse_changed(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Raises ValueError where a file has another checksum than was pinned: a release doesn't change."""
    changed = [
        f"    {name}\n        pinned:    {old[name]}\n        published: {new[name]}"
        for name in new
        if name in old and old[name] != new[name]
    ]
    if changed:
        raise ValueError("\n".join(["files were changed after their release. Find out why:", *changed]))


if __name__ == "__main__":
    sys.exit(main())

"""The sha256 of each official release that may be downloaded, from the file `checksums` beside this one.

What has none there is not downloaded. `python3 -m toolchain.pin` writes the file.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from swarm.errors import SwarmError
from toolchain.catalogue import HERE

TABLE = HERE / "checksums"
# As `sha256sum` writes and checks it.
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


class ChecksumError(SwarmError):
    """What came isn't what was pinned; the text has both sums and what to do."""


def read(text: str) -> dict[str, str]:
    """Gives the sha256 of each file name; ValueError for any other line and for a name said twice."""
    sums: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[2] in sums:
            raise ValueError(f"{TABLE}: not a sha256, two spaces and a new file name: {line!r}")
        sums[match[2]] = match[1]
    return sums


def write(sums: Mapping[str, str]) -> str:
    """Gives the text that `read` takes."""
    return "".join(f"{checksum}  {name}\n" for name, checksum in sums.items())


def pinned(archive: str) -> str:
    """Gives the sha256 of an archive, "" where it has none and so must not be downloaded."""
    return read(TABLE.read_text()).get(archive, "")


def check(file: Path, archive: str, source: str) -> None:
    """Raises ChecksumError unless the file is the archive that is pinned; `source` is where it came from."""
    expected = pinned(archive)
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != expected:
        raise ChecksumError(
            f"{source} isn't what the project pinned, and nothing of it was used.\n"
            f"    its sha256 is {found}\n"
            f"    {TABLE} has {expected or 'none'}\n"
            "Either something answered in place of the server, such as a proxy, or the release was changed: "
            "compare with its page on GitHub. To build from source instead, take its line out of that file."
        )

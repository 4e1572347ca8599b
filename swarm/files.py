"""Files that somebody names: regular ones, no larger than is of use, in UTF-8 whatever the locale."""

from __future__ import annotations

import stat
from pathlib import Path

from swarm.errors import SwarmError

LONGEST = 1 << 20  # bytes of a text


class UnreadableError(SwarmError):
    """Why a file can't be read, in words."""


class MissingError(UnreadableError):
    """There is none."""


def content(path: Path, limit: int) -> bytes:
    """The first bytes of a regular file, `limit` at most: reading anything else may have no end.
    UnreadableError: it can't be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UnreadableError("it is no regular file")
        with path.open("rb") as file:
            return file.read(limit)
    except FileNotFoundError as error:
        raise MissingError(error.strerror or str(error)) from None
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from None
    except ValueError:
        raise UnreadableError("there is a NUL in its name") from None


def private(folder: Path) -> None:
    """Makes a folder that nobody else can look into, or makes it so."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def text(path: Path) -> str:
    """The text of a file, without a byte order mark. UnreadableError: it can't be read, or is none."""
    found = content(path, LONGEST + 1)
    if len(found) > LONGEST:
        raise UnreadableError(f"it has more than {LONGEST // 1024} KiB")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("it is no text in UTF-8") from None

"""The machine under the lab: running commands, installing packages, locks, processes, progress."""

import errno
import fcntl
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, BinaryIO

from swarm.errors import LabError, StatusError

CHECKOUT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulumi-swarm"
SOURCES = Path("/etc/apt/sources.list.d")
AS_ROOT: tuple[str, ...] = () if os.geteuid() == 0 else ("sudo",)


def say(text: str) -> None:
    """Progress, on stderr: stdout belongs to what was asked for."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what begins, and how long it took."""
    say(f"{text} ...")
    begin = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - begin:.1f} s")


def run(
    *command: str,
    stdin: BinaryIO | None = None,
    text: str | None = None,
    stdout: BinaryIO | None = None,
    timeout: float | None = None,
) -> str:
    """The command's stdout, unless it goes to the file `stdout`; it reads `stdin` or `text`.

    LabError: it failed (with its stderr), took more than `timeout` seconds, or is missing.
    """
    source: dict[str, Any] = {"stdin": stdin or subprocess.DEVNULL}
    if text is not None:
        source = {"input": text}
    try:
        done = subprocess.run(
            command,
            check=False,
            **source,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=timeout,
        )
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"`{shlex.join(command)}` took longer than {timeout:.0f} s") from None
    if done.returncode:
        raise StatusError(command, done.returncode, done.stderr)
    return done.stdout or ""


def ssh_command(destination: str, private_key: Path, known_hosts: Path) -> list[str]:
    """The ssh command that reaches USER@ADDRESS, without anything of the user's own settings."""
    options = {
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "UserKnownHostsFile": str(known_hosts),
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "5",
        "LogLevel": "ERROR",
    }
    flags = [flag for key, value in options.items() for flag in ("-o", f"{key}={value}")]
    return ["ssh", "-F", "/dev/null", "-i", str(private_key), *flags, destination]


def install(packages: set[str], recommended: bool = True, backports: str = "") -> None:
    """Installs those of the Debian packages that are missing, visibly.

    `recommended`: whether packages that they recommend come along. `backports`: the release of Debian from
    whose backports they come.
    """
    if not _missing(packages, backports):
        return
    apt = [*AS_ROOT, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    apt += ["-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0"]
    apt += ["-o", f"APT::Install-Recommends={str(recommended).lower()}"]
    # apt waits for others in dpkg, but not where it keeps its lists.
    with machine_lock("packages", "installing Debian packages"), tempfile.TemporaryDirectory() as sources:
        if not (missing := _missing(packages, backports)):
            return
        if backports:
            apt += _beside(backports, Path(sources))
        with step(f"installing Debian packages: {' '.join(missing)}"):
            for command in ([*apt, "update"], [*apt, "install", "-y", *missing]):
                # Stdout is the user's, for what they asked: apt's goes where progress goes.
                if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
                    raise LabError(f"`{' '.join(command)}` failed", "see its messages above")


def _beside(backports: str, sources: Path) -> list[str]:
    """Options of apt for backports beside the machine's own sources, which stay as they are."""
    for file in SOURCES.iterdir():
        (sources / file.name).symlink_to(file)
    key = "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg"
    line = f"deb [{key}] http://deb.debian.org/debian {backports}-backports main\n"
    (sources / "backports.list").write_text(line)
    return ["-o", f"Dir::Etc::SourceParts={sources}", "--target-release", f"{backports}-backports"]


def _missing(packages: set[str], backports: str = "") -> list[str]:
    """Those of the Debian packages that aren't installed, or not from backports where they are to be."""
    try:
        query = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package} ${Version}\n", *packages],
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise LabError(
            "this machine has no Debian packages",
            f"run the lab on Debian or Ubuntu (it needs {', '.join(sorted(packages))})",
        ) from None
    installed = (line.split() for line in query.stdout.splitlines() if line.startswith("ii"))
    present = {name for _, name, version in installed if not backports or "~bpo" in version}
    return sorted(packages - present)


@contextmanager
def lock(folder: Path, what: str) -> Iterator[None]:
    """Makes the folder and holds its lock, which goes with the process, however it ends."""
    descriptor = _lock(folder, what)
    while not _leads_to(folder, descriptor):
        # Whoever had the lock removed the folder: what we hold is nobody's.
        os.close(descriptor)
        descriptor = _lock(folder, what)
    try:
        yield
    finally:
        os.close(descriptor)


def machine_lock(name: str, what: str) -> AbstractContextManager[None]:
    """A lock shared by all checkouts of this user."""
    return lock(CACHE / "locks" / name, what)


def _lock(folder: Path, what: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # keys are in it
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for another process to finish with {what}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _leads_to(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def present(path: Path) -> bool:
    """Whether the path exists, as far as we may know: what we may not see, is there."""
    try:
        path.stat()
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)
    return True


def process(pid: int) -> str | None:
    """What tells a running process from any later one of the same number; None: it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # proc(5): the start time is field 22; the second, in brackets, may hold anything.
    return f"{pid}-{stat.rpartition(')')[2].split()[19]}"


def alive(owner: str) -> bool:
    """Whether the process that `process` described as `owner` still runs."""
    return process(int(owner.partition("-")[0])) == owner


def routes(table: str | None = None) -> list[IPv4Network]:
    """The destinations in a text like /proc/net/route, this machine's unless given, without the default."""
    table = Path("/proc/net/route").read_text() if table is None else table
    found = []
    for line in table.splitlines()[1:]:
        _, destination, _, _, _, _, _, mask, *_ = line.split()
        # Both are written in hexadecimal, last byte first.
        address, netmask = (int.from_bytes(bytes.fromhex(x)[::-1]) for x in (destination, mask))
        if netmask:
            found.append(IPv4Network((address, netmask.bit_count())))
    return found

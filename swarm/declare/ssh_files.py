"""What SSH needs of this computer's files: keys, known hosts, the agent. Nobody is dialed."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from swarm import process
from swarm.declare.reader import Reader
from swarm.declare.settings import NAMESPACE, Settings, Ssh

KEYGEN_SECONDS = 20  # files may be on a network
AGENT_SECONDS = 5
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


def host_key(host: str, ssh: Ssh) -> str | None:
    """The host's key as known_hosts has it (`ssh-ed25519 AAAA...`), None where it has none that the
    command provider can check: it takes one key, and current OpenSSH refuses ssh-rsa."""
    return next((" ".join(one) for one in _usable(host, ssh)), None)


def _usable(host: str, ssh: Ssh) -> list[tuple[str, str]]:
    """The host's keys, type and text, of the best type that the command provider can check."""
    known = _known(host, ssh)
    best = next((kind for kind in KEY_TYPES if kind in (one[0] for one in known)), None)
    return [one for one in known if one[0] == best]


@functools.cache
def _known(host: str, ssh: Ssh) -> tuple[tuple[str, str], ...]:
    """The host's keys as known_hosts has them, type and text, each once; none that is revoked there."""
    name = host if ssh.port == 22 else f"[{host}]:{ssh.port}"
    found = process.run(["ssh-keygen", "-F", name, "-f", str(ssh.known_hosts_file)], KEYGEN_SECONDS)
    lines = [line.split() for line in found.stdout.splitlines() if not line.startswith("#")]
    revoked = {(parts[2], parts[3]) for parts in lines if parts[0] == "@revoked"}
    plain = dict.fromkeys((parts[1], parts[2]) for parts in lines if not parts[0].startswith("@"))
    return tuple(one for one in plain if one not in revoked)


def check(reader: Reader, settings: Settings) -> None:
    """Tells the reader what is wrong with keys, known hosts and the agent. Nobody is dialled."""
    for path in sorted({ssh.private_key_file for _, _, ssh in _ways(settings)}):
        if path.is_file():
            _check_key(reader, path)
    for key, host, ssh in dict.fromkeys(_ways(settings)):
        if ssh.known_hosts_file.is_file():
            _check_host(reader, key, host, ssh)
    agent = os.environ.get("SSH_AUTH_SOCK")
    if agent and not _answers(agent):
        reader.problem(
            "SSH_AUTH_SOCK",
            agent,
            "no SSH agent answers there, and every command would fail on it",
            "Unset it, or start the agent",
        )


def _check_key(reader: Reader, path: Path) -> None:
    opened = process.run(["ssh-keygen", "-y", "-P", "", "-f", str(path)], KEYGEN_SECONDS)
    where = f"{NAMESPACE}ssh.privateKeyFile"
    kind = (opened.stdout.split() or [""])[0]
    if opened.returncode:
        why = f"can't be used: {(opened.stderr.strip().splitlines() or ['it is no key'])[-1]}"
        remedy = "Give a private key without a passphrase, that only you can read (chmod 600)"
        reader.problem(where, str(path), why, remedy)
    elif kind not in (*KEY_TYPES, "ssh-rsa"):
        rule = f"can't be used: the engine's commands can't log in with a key of the type {kind}"
        reader.problem(where, str(path), rule, "Give an ed25519, ecdsa or RSA key that is a file alone")


def _check_host(reader: Reader, key: str, host: str, ssh: Ssh) -> None:
    usable = _usable(host, ssh)
    port = "" if ssh.port == 22 else f"-p {ssh.port} "
    remedy = f"Get it by `ssh-keyscan {port}-t ed25519 {host}`, and compare it with the host's own"
    if not usable:
        rule = f"no ed25519 or ecdsa host key of it is in {ssh.known_hosts_file}"
        reader.problem(key, host, rule, remedy)
    elif len(usable) > 1:
        rule = f"{len(usable)} {usable[0][0]} host keys of it are in {ssh.known_hosts_file}, and it has one"
        reader.problem(key, host, rule, f"Leave the right one there. {remedy}")


def _ways(settings: Settings) -> Iterator[tuple[str, str, Ssh]]:
    """Every host that may be dialled: the key that names it, its name or address, the way to it."""
    for node in settings.nodes:
        if not node.lost:
            yield f"{NAMESPACE}nodes ({node.name}).host", node.host, node.ssh
            if node.ssh.proxy:
                yield "proxy.host", node.ssh.proxy.host, node.ssh.proxy.ssh


def _answers(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(AGENT_SECONDS)
            agent.connect(path)
    except OSError:
        return False
    return True

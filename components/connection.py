"""How hosts are reached: the OpenSSH client's configuration, and the engine's commands' connection.

One file in the git-ignored folder, written at each run, serves the observation, the Docker provider
and people (`ssh -F`). It names every node, and `control`: the manager that this run goes through.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi
from pulumi_command import remote

from components import bounded
from components.checks import Reader
from components.settings import NAMESPACE, Node, Settings, Ssh

CONTROL = "control"
FOLDER = Path(".swarm")  # git-ignored
# ssh's options for requests that share a connection; it stays for 30 s after the last. A socket's name must
# be short, hence relative and without the stack's: it is a hash of host, port and user.
SHARED = {"ControlMaster": "auto", "ControlPath": FOLDER / "%C", "ControlPersist": 30}
FEWEST_DIAL_ERRORS = 2
KEYGEN_SECONDS = 20  # files may be on a network
AGENT_SECONDS = 5
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


def config_file(stack: str) -> Path:
    """The path of the stack's SSH configuration, relative to the project: the same on any machine,
    so that the Docker provider's inputs never change."""
    return FOLDER / stack / "ssh_config"


def write_config(settings: Settings, control: Node | None = None) -> None:
    """Writes the stack's SSH configuration, whole or not at all."""
    path = config_file(settings.stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(config_text(settings, control))
    fresh.replace(path)


def config_text(settings: Settings, control: Node | None) -> str:
    """The configuration's text: a block per node, one per jump host, one for `control`."""
    blocks = [_block(node.name, node.host, node.ssh) for node in settings.nodes]
    if control:
        blocks.append(_block(CONTROL, control.host, control.ssh) + _lines(SHARED))
    always = {
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes",
        "GlobalKnownHostsFile": "/dev/null",
        "BatchMode": "yes",
        "ServerAliveInterval": 5,
        "LogLevel": "ERROR",
    }
    blocks.append("Host *\n" + _lines(always))
    return "\n".join(blocks)


def open_control(stack: str, seconds: float) -> None:
    """Opens the connection to control which the Docker provider's requests then share, and those about
    images, within `seconds`. Each would open one of its own, many at once: on a slow host they time out.
    Where it fails they say so themselves."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        bounded.run(["ssh", "-F", str(config_file(stack)), CONTROL, "true"], seconds)


def _block(alias: str, host: str, ssh: Ssh) -> str:
    lines = {
        "HostName": host,
        "User": ssh.user,
        "Port": ssh.port,
        "IdentityFile": _quoted(ssh.private_key_file),
        "UserKnownHostsFile": _quoted(ssh.known_hosts_file),
        "ConnectTimeout": ssh.connect_timeout,
    }
    before = ""
    if ssh.proxy:
        jump = f"{alias}-proxy"
        lines["ProxyJump"] = jump
        before = _block(jump, ssh.proxy.host, ssh.proxy.ssh) + "\n"
    return f"{before}Host {alias}\n{_lines(lines)}"


def _lines(values: Mapping[str, object]) -> str:
    return "".join(f"  {key} {value}\n" for key, value in values.items())


def _quoted(path: Path) -> str:
    """A path as ssh_config wants it: a percent sign would begin a token there."""
    return '"' + str(path.absolute()).replace("%", "%%") + '"'


@functools.cache
def host_key(host: str, ssh: Ssh) -> str | None:
    """The host's key as known_hosts has it (`ssh-ed25519 AAAA...`), None where it has none that the
    command provider can check: it takes one key, and current OpenSSH refuses ssh-rsa."""
    name = host if ssh.port == 22 else f"[{host}]:{ssh.port}"
    found = bounded.run(["ssh-keygen", "-F", name, "-f", str(ssh.known_hosts_file)], KEYGEN_SECONDS)
    keys = [line.split()[1:3] for line in found.stdout.splitlines() if not line.startswith(("#", "@"))]
    by_type = {kind: f"{kind} {key}" for kind, key in keys}
    return next((by_type[kind] for kind in KEY_TYPES if kind in by_type), None)


def check(reader: Reader, settings: Settings) -> None:
    """Tells the reader what is wrong with keys, known hosts and the agent. Nobody is dialled."""
    for path in sorted({ssh.private_key_file for _, _, ssh in _ways(settings)}):
        opened = bounded.run(["ssh-keygen", "-y", "-P", "", "-f", str(path)], KEYGEN_SECONDS)
        if opened.returncode and path.is_file():
            reader.wrong(
                f"{NAMESPACE}ssh.privateKeyFile",
                str(path),
                f"can't be used: {opened.stderr.strip().splitlines()[-1]}",
                "Give a private key without a passphrase, that only you can read (chmod 600)",
            )
    for key, host, ssh in dict.fromkeys(_ways(settings)):
        if ssh.known_hosts_file.is_file() and not host_key(host, ssh):
            port = "" if ssh.port == 22 else f"-p {ssh.port} "
            reader.wrong(
                key,
                host,
                f"no ed25519 or ecdsa host key of it is in {ssh.known_hosts_file}",
                f"Get it by `ssh-keyscan {port}-t ed25519 {host}`, and compare it with the host's own",
            )
    agent = os.environ.get("SSH_AUTH_SOCK")
    if agent and not _answers(agent):
        reader.wrong(
            "SSH_AUTH_SOCK",
            agent,
            "no SSH agent answers there, and every command would fail on it",
            "Unset it, or start the agent",
        )


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


def dial_errors(ssh: Ssh) -> int:
    """How many dials may fail before the last error counts.

    The provider pauses between dials for 0.1 s at first, each time half as long again, 5 s at most
    (pulumi/pulumi, sdk/go/common/util/retry/until.go). So twelve errors that come at once (no route to host,
    too many logins at a time) are tried again for 21 s. A host that is silent takes its time-out with each
    dial: about a minute in all, or three dials.
    """
    return max(FEWEST_DIAL_ERRORS, min(12, 60 // ssh.connect_timeout))


def command_connection(node: Node) -> pulumi.Output[remote.ConnectionArgs]:
    """The connection of a remote command to the node: secret, for it holds the private key."""
    ssh = node.ssh
    proxy = None
    if ssh.proxy:
        jump = ssh.proxy.ssh
        proxy = remote.ProxyConnectionArgs(
            host=ssh.proxy.host,
            user=jump.user,
            port=jump.port,
            private_key=jump.private_key_file.read_text(),
            host_key=host_key(ssh.proxy.host, jump),
            dial_error_limit=dial_errors(jump),
            per_dial_timeout=jump.connect_timeout,
        )
    return pulumi.Output.secret(
        remote.ConnectionArgs(
            host=node.host,
            user=ssh.user,
            port=ssh.port,
            private_key=ssh.private_key_file.read_text(),
            host_key=host_key(node.host, ssh),
            # Nothing bounds a dial from the jump host but TCP's own two minutes: so it is tried seldom.
            dial_error_limit=FEWEST_DIAL_ERRORS if proxy else dial_errors(ssh),
            per_dial_timeout=ssh.connect_timeout,
            proxy=proxy,
        )
    )

"""How hosts are reached: the OpenSSH client's configuration, and the engine's commands' connection.

One file in the git-ignored folder, written at each run, serves the observation, the Docker provider
and people (`ssh -F`). It names every node, and `_control`: the manager that this run goes through.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi
from pulumi_command import remote

from components import bounded, files
from components.checks import Reader
from components.settings import NAMESPACE, Node, Settings, Ssh

# With an underscore, which no node's name can have.
CONTROL = "_control"
JUMP = "{}_proxy"  # the first jump host on the way to a node
FOLDER = Path(".swarm")  # git-ignored
# ssh's options for requests that share a connection; it stays for 30 s after the last. A socket's name must
# be short, hence relative and without the stack's: it is a hash of host, port and user.
SHARED = {"ControlMaster": "auto", "ControlPath": FOLDER / "%C", "ControlPersist": 30}
FEWEST_DIAL_ERRORS = 2
KEYGEN_SECONDS = 20  # files may be on a network
AGENT_SECONDS = 5
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
REMARK = f"# {CONTROL} is "


def config_file(stack: str) -> Path:
    """The path of the stack's SSH configuration, relative to the project: the same on any machine,
    so that the Docker provider's inputs never change."""
    return FOLDER / stack / "ssh_config"


def write_config(settings: Settings, control: str | None = None) -> None:
    """Writes the stack's SSH configuration, whole or not at all. `control` is the name of the node that the
    run goes through; while that isn't known it stays what it was, for another run may be using it."""
    path = config_file(settings.stack)
    files.private(FOLDER)  # contents of secrets pass through its sockets
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = config_text(settings, settings.node(control or _last_control(path)))
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)


def _last_control(path: Path) -> str:
    """The name of the node that the run before went through."""
    first, _, _ = path.read_text(encoding="utf-8").partition("\n") if path.exists() else ("", "", "")
    return first.removeprefix(REMARK)


def config_text(settings: Settings, control: Node) -> str:
    """The configuration's text: a block per node, one per jump host, one for `control`."""
    blocks = [
        f"{REMARK}{control.name}\n",
        *(_block(node.name, node.host, node.ssh) for node in settings.nodes),
        _block(CONTROL, control.host, control.ssh) + _lines(SHARED),
    ]
    always = {
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "yes",
        "GlobalKnownHostsFile": "/dev/null",
        # Not the certificate that may lie beside the key: the engine's commands take the key alone, and what
        # looks at the hosts is to find out what they will.
        "CertificateFile": "/dev/null",
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
        "HostName": _quoted(host),
        "User": _quoted(ssh.user),
        "Port": ssh.port,
        "IdentityFile": _quoted(ssh.private_key_file.absolute()),
        "UserKnownHostsFile": _quoted(ssh.known_hosts_file.absolute()),
        "ConnectTimeout": ssh.connect_timeout,
    }
    before = ""
    if ssh.proxy:
        jump = JUMP.format(alias)
        lines["ProxyJump"] = jump
        before = _block(jump, ssh.proxy.host, ssh.proxy.ssh) + "\n"
    return f"{before}Host {alias}\n{_lines(lines)}"


def _lines(values: Mapping[str, object]) -> str:
    return "".join(f"  {key} {value}\n" for key, value in values.items())


def _quoted(value: object) -> str:
    """A value as ssh_config wants it, in one piece: a percent sign would begin a token there. ValueError: it
    has a character that would end the line, which nothing can quote."""
    text = str(value)
    if any(char < " " or char == "\x7f" for char in text):
        raise ValueError(f"no value of an SSH configuration: {text!r}")
    for special in ("\\", '"'):
        text = text.replace(special, f"\\{special}")
    return '"' + text.replace("%", "%%") + '"'


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
    found = bounded.run(["ssh-keygen", "-F", name, "-f", str(ssh.known_hosts_file)], KEYGEN_SECONDS)
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
        reader.wrong(
            "SSH_AUTH_SOCK",
            agent,
            "no SSH agent answers there, and every command would fail on it",
            "Unset it, or start the agent",
        )


def _check_key(reader: Reader, path: Path) -> None:
    opened = bounded.run(["ssh-keygen", "-y", "-P", "", "-f", str(path)], KEYGEN_SECONDS)
    where = f"{NAMESPACE}ssh.privateKeyFile"
    kind = (opened.stdout.split() or [""])[0]
    if opened.returncode:
        why = f"can't be used: {(opened.stderr.strip().splitlines() or ['it is no key'])[-1]}"
        remedy = "Give a private key without a passphrase, that only you can read (chmod 600)"
        reader.wrong(where, str(path), why, remedy)
    elif kind not in (*KEY_TYPES, "ssh-rsa"):
        rule = f"can't be used: the engine's commands can't log in with a key of the type {kind}"
        reader.wrong(where, str(path), rule, "Give an ed25519, ecdsa or RSA key that is a file alone")


def _check_host(reader: Reader, key: str, host: str, ssh: Ssh) -> None:
    usable = _usable(host, ssh)
    port = "" if ssh.port == 22 else f"-p {ssh.port} "
    remedy = f"Get it by `ssh-keyscan {port}-t ed25519 {host}`, and compare it with the host's own"
    if not usable:
        rule = f"no ed25519 or ecdsa host key of it is in {ssh.known_hosts_file}"
        reader.wrong(key, host, rule, remedy)
    elif len(usable) > 1:
        rule = f"{len(usable)} {usable[0][0]} host keys of it are in {ssh.known_hosts_file}, and it has one"
        reader.wrong(key, host, rule, f"Leave the right one there. {remedy}")


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


def no_connection(node: Node) -> remote.ConnectionArgs:
    """What stands for the connection of a command that dials nobody: nothing can be reached by it."""
    return remote.ConnectionArgs(host=node.host, host_key="none")


def command_connection(node: Node) -> pulumi.Output[remote.ConnectionArgs]:
    """The connection of a remote command to the node: secret, for it holds the private key. KeyError: no key
    of the host is known by which it could be checked."""
    ssh = node.ssh
    proxy = None
    if ssh.proxy:
        jump = ssh.proxy.ssh
        proxy = remote.ProxyConnectionArgs(
            host=ssh.proxy.host,
            user=jump.user,
            port=jump.port,
            private_key=jump.private_key_file.read_text(encoding="utf-8"),
            host_key=_checked_key(ssh.proxy.host, jump),
            dial_error_limit=dial_errors(jump),
            per_dial_timeout=jump.connect_timeout,
        )
    return pulumi.Output.secret(
        remote.ConnectionArgs(
            host=node.host,
            user=ssh.user,
            port=ssh.port,
            private_key=ssh.private_key_file.read_text(encoding="utf-8"),
            host_key=_checked_key(node.host, ssh),
            # Nothing bounds a dial from the jump host but TCP's own two minutes: so it is tried seldom.
            dial_error_limit=FEWEST_DIAL_ERRORS if proxy else dial_errors(ssh),
            per_dial_timeout=ssh.connect_timeout,
            proxy=proxy,
        )
    )


def _checked_key(host: str, ssh: Ssh) -> str:
    """The host's key. Without one the provider would take any."""
    key = host_key(host, ssh)
    if key is None:
        raise KeyError(f"no host key of {host} is known")
    return key

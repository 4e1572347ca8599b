"""How hosts are reached: the OpenSSH client's configuration, and the engine's commands' connection.

One file in the git-ignored folder, written at each run, serves the observation, the Docker provider
and people (`ssh -F`). It names every node, and `_control`: the manager that this run goes through.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from swarm import files, process
from swarm.declare.settings import Node, Settings, Ssh
from swarm.errors import CommandError

# With an underscore, which no node's name can have.
CONTROL = "_control"
JUMP = "{}_proxy"  # the first jump host on the way to a node
FOLDER = Path(".swarm")  # git-ignored
# ssh's options for requests that share a connection; it stays for 30 s after the last. A socket's name must
# be short, hence relative and without the stack's: it is a hash of host, port and user.
SHARED = {"ControlMaster": "auto", "ControlPath": FOLDER / "%C", "ControlPersist": 30}
SESSION_SECONDS = 20  # that a session gets to begin
REMARK = f"# {CONTROL} is "


def config_file(stack: str) -> Path:
    """The path of the stack's SSH configuration, relative to the project: the same on any machine,
    so that the Docker provider's inputs never change."""
    return FOLDER / stack / "ssh_config"


def command(
    config: Path, name: str, *words: str, options: Sequence[str] = (), shared: bool = False
) -> list[str]:
    """The ssh command that logs in to a host of the configuration, and runs words there; `shared`: over a
    connection that other requests use, and that stays."""
    ways = [f"-o{key}={value}" for key, value in SHARED.items()] if shared else []
    return ["ssh", "-F", str(config), *ways, *options, name, *words]


@contextlib.contextmanager
def forwarded(login: Sequence[str], sockets: Mapping[Path, str]) -> Iterator[None]:
    """Local sockets that lead to addresses at a host, by one session that ends with the context. `login` is
    the command that logs in there. CommandError: there is no session within SESSION_SECONDS."""
    *ssh, host = login
    forwards = [f"-L{socket}:{address}" for socket, address in sockets.items()]
    words = [*ssh, "-oExitOnForwardFailure=yes", *forwards, host, "echo; exec cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as session:
        try:
            # A line from the host: the session is there, and with it what is forwarded.
            said = cast(BinaryIO, session.stdout)
            came, _, _ = select.select([said], [], [], SESSION_SECONDS)
            if not (came and said.readline()):
                told = f"ssh gets {SESSION_SECONDS} s; see above what it says"
                raise CommandError(f"{host}: no SSH session", told)
            yield
        finally:
            session.kill()  # its input's end would not reach a host that is cut off


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
        process.run(command(config_file(stack), CONTROL, "true"), seconds)


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

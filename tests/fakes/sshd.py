"""A real sshd for one host: on an address of its own, with its own host key, home and commands, and folders
of its own in the place of /run and /var/lib.

Nothing outside of its folder is changed. What comes in over each session is kept: the command line, and
what is written to it, where tokens would be seen.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from swarm.script import render
from swarm.waiting import NotYetError, until

PORT = 2222
PATIENCE = 10  # seconds
NOBODY = 65534

HERE = Path(__file__).parent
NAMESPACE = ("setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private", "sh", "-euc")


class Sshd:
    """The server of one host; `folder` holds all of it."""

    def __init__(self, folder: Path, address: str, authorized: Path, docker: Path) -> None:
        self.folder, self.address = folder, address
        self.home, self.bin, self.sessions = folder / "home", folder / "bin", folder / "sessions"
        self.run, self.lib = folder / "run", folder / "var-lib"
        for one in (folder, *self.folders):
            one.mkdir()
        self.key = folder / "host_key"
        self.docker = shutil.which("docker")
        if not self.docker:
            raise RuntimeError("no docker client: install docker-cli, or docker.io")
        _make_key(self.key)
        session = folder / "session"
        session.write_text(f"#!/bin/bash\n{render(HERE / 'session.sh', sessions=self.sessions)}")
        session.chmod(0o755)
        environment = {
            "HOME": self.home,
            "PATH": f"{self.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "DOCKER_HOST": f"unix://{docker}",
        }
        options = {
            "ListenAddress": f"{address}:{PORT}",
            "HostKey": self.key,
            "AuthorizedKeysFile": authorized,
            "PidFile": "none",
            "UsePAM": "no",
            "UseDNS": "no",
            "StrictModes": "no",
            "PermitRootLogin": "prohibit-password",
            "PasswordAuthentication": "no",
            "PrintMotd": "no",
            # Beyond ten logins at a time the default refuses some, by chance: here all.
            "MaxStartups": "10:100:10",
            # The traffic stays on this machine; the newest exchange of keys takes eight times as long.
            "KexAlgorithms": "curve25519-sha256",
            "ForceCommand": session,
            "SetEnv": " ".join(f"{key}={value}" for key, value in environment.items()),
        }
        self.config = folder / "sshd_config"
        self.config.write_text("".join(f"{key} {value}\n" for key, value in options.items()))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        """What a test, or what is tried, may leave something in."""
        return self.home, self.bin, self.sessions, self.run, self.lib

    @property
    def host_key(self) -> str:
        """Type and key, as in known_hosts."""
        return " ".join(self.key.with_suffix(".pub").read_text().split()[:2])

    def launch(self) -> None:
        """Starts it, without waiting until it answers."""
        if self.process is None:
            (self.run / "sshd").mkdir(exist_ok=True)  # the root of its unprivileged half
            program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
            launch = render(HERE / "launch.sh", sshd=program, folder=self.folder)
            self.process = subprocess.Popen([*NAMESPACE, launch], start_new_session=True)

    def wait(self) -> None:
        """Until it answers."""

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection((self.address, PORT), 1):
                return True
            log = self.folder / "log"
            raise NotYetError(log.read_text() if log.exists() else "it hasn't begun")

        until("an answer of sshd", answers, PATIENCE, pace=0.02)

    def stop(self) -> None:
        """Connections are refused; those that are there go on."""
        if self.process is not None:
            self.thaw()
            self.process.terminate()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Connections are accepted, and nothing is said on them."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Ends a freeze."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def change_host_key(self) -> None:
        """As on a machine that was made anew, or is another's."""
        self.stop()
        _make_key(self.key)
        self.launch()
        self.wait()

    def shadow(self, command: str, script: str) -> None:
        """Puts a script in a command's place on this host."""
        path = self.bin / command
        path.write_text(script)
        path.chmod(0o755)

    def deny(self, docker: Path) -> None:
        """The Docker client may not open its socket."""
        self.shadow("docker", f"#!/bin/sh\n{render(HERE / 'denied.sh', docker=self.docker)}")
        os.chown(docker, NOBODY, NOBODY)
        docker.chmod(0o600)

    def received(self) -> list[str]:
        """What came in over each session: the command line, then what was written to it."""
        return [path.read_text(errors="replace") for path in self.sessions.iterdir()]

    def lock_out(self) -> None:
        """It takes nobody's key any more."""
        self.stop()
        text = self.config.read_text()
        self.config.write_text(f"AuthorizedKeysFile none\n{text}")  # the first one counts
        self.launch()
        self.wait()
        self.config.write_text(text)

    def forget_sessions(self) -> None:
        """What came in."""
        for kept in self.sessions.iterdir():
            kept.unlink()

    def forget(self) -> None:
        """What came in, what is in its folders, whatever shadows a command."""
        for kept in (one for folder in self.folders for one in folder.iterdir() if one.name != "sshd"):
            if kept.is_dir():
                shutil.rmtree(kept)
            else:
                kept.unlink()


def _make_key(path: Path) -> None:
    for old in (path, path.with_suffix(".pub")):
        old.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)

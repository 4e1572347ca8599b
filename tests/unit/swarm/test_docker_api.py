"""Sessions with hosts: real shells at the other end of a stand-in for ssh, engines that never answer."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm import docker_api
from swarm.docker_api import Bounds, EngineError, Session
from tests.unit.given import Program

# What sshd does: gives the command line to the login shell, in a session of its own.
SSH = """#!python
import subprocess, sys
sys.exit(subprocess.call([*"SHELL".split(), "-c", sys.argv[-1]], start_new_session=True))
"""
# Takes the request, then stays whatever is asked of it, as `docker system dial-stdio` beside a hung engine.
HUNG = """#!/bin/sh
trap "" TERM
echo $$ > "${0%/*}/pid"
while :; do sleep 0.1; done
"""
ANSWERING = """#!/bin/sh
read -r request
body='{"message": "no"}'
printf 'HTTP/1.1 409 Conflict\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "${#body}" "$body"
"""
SHELLS = ["sh", "bash", "fish", "zsh", "tcsh", "busybox sh"]
Sessions = Callable[..., Session]
APPLETS = ("sh", "cat", "timeout", "sleep")


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, program: Program) -> None:
    """A login shell at the other end."""
    if not shutil.which(request.param.split()[0]):
        pytest.skip(f"{request.param} isn't installed (tests/run installs it)")
    program("ssh", SSH.replace("SHELL", request.param))


@pytest.fixture
def session(tmp_path: Path) -> Sessions:
    """Sessions with a host."""
    return lambda silence=5.0, total=20.0: Session("m1", tmp_path / "ssh_config", Bounds(silence, total))


@pytest.mark.usefixtures("shell")
def test_any_login_shell_runs_what_a_session_says(program: Program, session: Sessions) -> None:
    program("docker", ANSWERING)
    with session() as one:
        one.begin()
        with pytest.raises(EngineError, match="no"):
            one.engine().get("/info")


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or is about to, its parent being told."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def left(program: Program, session: Sessions) -> int:
    """The process that a session has begun beside a hung engine, once it is over."""
    path = program("docker", HUNG)
    with session(silence=0.5) as one:
        one.begin()
        with pytest.raises(TimeoutError):
            one.engine().get("/info")
    return int(path.with_name("pid").read_text())


@pytest.mark.usefixtures("shell")
def test_nothing_is_left_beside_an_engine_that_never_answers(program: Program, session: Sessions) -> None:
    assert is_gone(left(program, session))


@pytest.mark.skipif(not shutil.which("busybox"), reason="busybox isn't installed (tests/run installs it)")
def test_nothing_is_left_where_busybox_is_all_there_is(
    program: Program, session: Sessions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program("ssh", SSH.replace("SHELL", "sh"))
    applets = tmp_path / "applets"
    applets.mkdir()
    for name in APPLETS:
        (applets / name).symlink_to(str(shutil.which("busybox")))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{applets}")
    assert is_gone(left(program, session))


def test_a_host_that_isn_t_told_of_the_end_ends_it_by_itself(
    program: Program, session: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose connection is gone without a word: standard input stays open there."""
    monkeypatch.setattr(docker_api, "GRACE_SECONDS", -19)  # of 20
    program("ssh", SSH.replace("SHELL", "sh"))
    path = program("docker", HUNG)
    with session() as one:
        one.begin()
        with pytest.raises(ConnectionError):
            one.engine().get("/info")
    assert is_gone(int(path.with_name("pid").read_text()))


@pytest.mark.parametrize(("noise", "seconds"), [("sleep 30", 1), ("while :; do echo x; sleep 0.1; done", 1)])
def test_a_shell_that_hangs_or_talks_without_end_is_given_up(
    program: Program, session: Sessions, noise: str, seconds: int
) -> None:
    program("ssh", f"#!/bin/sh\n{noise}\n")
    began = time.monotonic()
    with session(silence=seconds, total=seconds) as one, pytest.raises(TimeoutError):
        one.begin()
    assert time.monotonic() - began < 20

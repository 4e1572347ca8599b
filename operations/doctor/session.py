"""A command that is bounded in time, whatever becomes of the other end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence


def run(command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """What a command gives that reads nothing. TimeoutExpired: it took longer, and was killed."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # a jump host's own client is ended with it
    ) as session:
        try:
            stdout, stderr = session.communicate(timeout=seconds)
        except BaseException:
            os.killpg(session.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, session.returncode, stdout, stderr)


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """Why a command failed, in the words of who knows."""
    return (done.stderr.strip().splitlines() or ["the SSH session ended early"])[-1]

"""Commands that end: bounded in time, whatever becomes of the other end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any


class CommandError(Exception):
    """A command failed, or took too long and was ended: why, in words."""


def run(
    command: Sequence[str], seconds: float, text: str | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """What a command gives that reads `text`; further options are Popen's. TimeoutExpired: it took longer,
    and was killed, with what it had started. So it is when we are interrupted."""
    usual = {
        "stdin": subprocess.DEVNULL if text is None else subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "start_new_session": True,  # a jump host's own client is ended with it
    }
    with subprocess.Popen(command, text=True, errors="replace", **{**usual, **options}) as process:
        try:
            out, err = process.communicate(text, timeout=seconds)
        except BaseException:
            _end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextmanager
def opened(command: Sequence[str], seconds: float) -> Iterator[subprocess.Popen[bytes]]:
    """A command to talk with. It is killed in the end, with what it had started, and after `seconds` at the
    latest."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    watchdog = threading.Timer(seconds, _end, [process])
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        _end(process)
        process.communicate()


def _end(process: subprocess.Popen[Any]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def output(command: Sequence[str], seconds: float) -> str:
    """What a command prints. CommandError: it failed, or took longer."""
    try:
        done = run(command, seconds)
    except subprocess.TimeoutExpired:
        raise CommandError(f"no answer within {seconds:.0f} s") from None
    if done.returncode:
        raise CommandError(last_words(done))
    return done.stdout


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """Why a command failed, in the words of who knows."""
    return (done.stderr.strip().splitlines() or [f"{done.args[0]} ended early"])[-1]

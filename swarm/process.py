"""Commands that end: bounded in time, whatever becomes of the other end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from swarm.errors import CommandError


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
    with subprocess.Popen(
        command, text=True, encoding="utf-8", errors="replace", **{**usual, **options}
    ) as process:
        try:
            out, err = process.communicate(text, timeout=seconds)
        except BaseException:
            end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def typed(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code of a command that has this terminal to itself, as if it were typed: with no bound but
    its own. An interrupt there reaches it too, and it has the last word; what else is to end us is passed on
    to it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with subprocess.Popen(command, env={**os.environ, **environment}) as process:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda number, _: process.send_signal(number))
            return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end(process: subprocess.Popen[Any]) -> None:
    """Kills a command, with what it had started."""
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

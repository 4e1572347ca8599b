"""A command on this terminal, as if it were typed."""

import os
import signal
import sys
from pathlib import Path

import pytest

from swarm import process
from swarm.waiting import until
from tests.unit.given import Program


def test_a_typed_command_has_our_output_and_what_it_is_to_know_and_gives_its_exit_code(
    program: Program, capfd: pytest.CaptureFixture[str]
) -> None:
    command = program("says", '#!/bin/sh\necho "$1 $WORD"\nexit 3\n')
    assert process.typed([str(command), "a"], {"WORD": "b"}) == 3
    assert capfd.readouterr().out == "a b\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_to_end_us_ends_a_typed_command_which_has_the_last_word(
    program: Program, tmp_path: Path, number: int
) -> None:
    """By a terminal's interrupt, which all in its group get; by any other signal, which is passed on."""
    begun = tmp_path / "begun"
    trap = f"trap 'echo ends; exit 7' INT TERM\ntouch {begun}\n"
    command = program("waits", f"#!/bin/sh\n{trap}while :; do sleep 0.05; done\n")
    told = tmp_path / "told"
    pid = os.fork()
    if not pid:
        os.setsid()
        os.dup2(os.open(told, os.O_WRONLY | os.O_CREAT), 1)
        os._exit(process.typed([str(command)], {}))
    until("the command", begun.exists, 5, pace=0.02)
    (os.killpg if number == signal.SIGINT else os.kill)(pid, number)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert told.read_text() == "ends\n"


def test_signals_are_as_they_were_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert process.typed([sys.executable, "-c", ""], {}) == 0
    assert signal.getsignal(signal.SIGINT) is before

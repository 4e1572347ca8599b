"""The way to a host: commands, and sockets that lead there."""

from pathlib import Path

import pytest

from swarm import ssh
from swarm.errors import CommandError
from tests.unit.given import Program

LOGIN = ["ssh", "-F", "none", "a-host"]


def test_options_come_before_the_host_and_words_after_it() -> None:
    made = ssh.command(Path("config"), "m1", "ls -l", options=("-W", "a:1"))
    assert made == ["ssh", "-F", "config", "-W", "a:1", "m1", "ls -l"]
    shared = ssh.command(Path("config"), "m1", shared=True)
    assert "-oControlMaster=auto" in shared[:-1]


def test_sockets_are_there_when_the_host_says_so_and_the_session_ends_with_them(
    program: Program, tmp_path: Path
) -> None:
    program("ssh", f'#!/bin/sh\necho "$@" >{tmp_path}/words\necho\nexec cat\n')
    with ssh.forwarded(LOGIN, {Path("one"): "a:1", Path("two"): "/b"}):
        words = (tmp_path / "words").read_text()
    assert words == "-F none -oExitOnForwardFailure=yes -Lone:a:1 -Ltwo:/b a-host echo; exec cat\n"


@pytest.mark.parametrize("text", ["exit 255", "exec sleep 60"], ids=["refused", "hangs"])
def test_a_session_that_does_not_begin_is_an_error(
    program: Program, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(ssh, "SESSION_SECONDS", 0.2)
    program("ssh", f"#!/bin/sh\n{text}\n")
    with pytest.raises(CommandError, match="a-host: no SSH session"), ssh.forwarded(LOGIN, {}):
        pass

"""Up, preview and destroy, as Make has them."""

from pathlib import Path

import pytest

from operations import lifecycle, recover, verify
from swarm.errors import ShownError
from tests.unit.given import Program

PULUMI = """#!/bin/sh
echo "pulumi $*${SWARM_DESTROY:+ destroying}" >>"$LOG"
[ "$1" != preview ] || exit 255
"""


@pytest.fixture
def done(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What was done, a line each."""
    log = tmp_path / "log"
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.delenv("SWARM_DESTROY", raising=False)
    program("pulumi", PULUMI)

    def note(words: str) -> None:
        with log.open("a") as file:
            file.write(f"{words}\n")

    def checks(stack: str, *, json: bool) -> int:
        note(f"verify {stack}")
        return 3

    monkeypatch.setattr(recover, "main", lambda stack: note(f"recover {stack}"))
    monkeypatch.setattr(verify, "main", checks)
    return log


def test_an_up_recovers_first_and_ends_with_the_checks(done: Path) -> None:
    assert lifecycle.up("lab") == 3
    assert done.read_text().splitlines() == [
        "pulumi stack select --create lab",
        "recover lab",
        "pulumi up --yes --skip-preview --suppress-outputs --stack lab",
        "verify lab",
    ]


def test_a_preview_that_finds_changes_has_pulumi_s_exit_code(done: Path) -> None:
    with pytest.raises(ShownError) as error:
        lifecycle.preview("lab")
    assert error.value.code == 255
    assert done.read_text() == "pulumi preview --expect-no-changes --stack lab\n"


def test_a_destroy_asks_no_host_that_may_be_gone(done: Path) -> None:
    lifecycle.destroy("lab")
    flags = "--run-program --refresh=false --yes --skip-preview --suppress-outputs"
    assert done.read_text().splitlines() == ["recover lab", f"pulumi destroy {flags} --stack lab destroying"]

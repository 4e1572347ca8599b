"""An error that nobody foresaw is shown as one error, without what is secret."""

import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swarm import faults
from swarm.errors import ShownError, SwarmError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(faults, "_hidden", set())
    monkeypatch.setattr(faults, "_doing", "trying")


def raised(error: KeyError | ValueError) -> KeyError | ValueError:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_it_tells_what_was_being_done_what_happened_where_and_how_to_report_it() -> None:
    faults.doing("counting")
    first, second, *_, last = faults.report(raised(KeyError("Spec"))).splitlines()
    assert first.startswith(
        "unexpected error while counting: KeyError: 'Spec' (tests/unit/swarm/test_faults.py, line "
    )
    assert second == "Traceback and versions: .swarm/error.txt"
    assert last.startswith("To report it, open an issue")
    assert "no secret" in last


def test_the_traceback_is_in_a_file_for_the_user_alone() -> None:
    faults.report(raised(KeyError("Spec")))
    kept = faults.FILE.read_text()
    assert "raise error" in kept
    assert "\npulumi" in kept.replace(", ", "\n")
    assert stat.S_IMODE(faults.FILE.stat().st_mode) == 0o600
    assert stat.S_IMODE(faults.FOLDER.stat().st_mode) == 0o700


def test_the_traceback_is_in_the_error_where_the_file_cant_be_written(tmp_path: Path) -> None:
    (tmp_path / ".swarm").write_text("in the way")
    assert "raise error" in faults.report(raised(KeyError("Spec")))


@pytest.mark.parametrize(
    "secret",
    [
        "swordfish",
        '{"PASSWORD": "swordfish"}',
        {"a": [{"b": "swordfish"}]},
        ["swordfish", 1, None, True],
    ],
    ids=["text", "JSON", "mapping", "list"],
)
def test_no_secret_of_the_configuration_is_in_it(secret: str | dict[str, Any] | list[Any]) -> None:
    faults.hide(secret)
    shown = faults.report(raised(ValueError("invalid: 'swordfish'")))
    assert "invalid: '[secret]'" in shown
    assert "swordfish" not in shown + faults.FILE.read_text()


@pytest.mark.parametrize(
    "secret",
    [
        "SWMTKN-1-abc-def",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA",
    ],
    ids=["token", "key", "a key that is cut off"],
)
def test_no_token_and_no_key_is_in_it(secret: str) -> None:
    shown = faults.report(raised(ValueError(f"can't use {secret}")))
    assert "can't use [secret]" in shown
    assert secret.splitlines()[-1] not in shown + faults.FILE.read_text()


def test_its_words_are_harmless_and_bounded() -> None:
    first, second, *_ = faults.report(raised(ValueError("\x1b[2J##vso[x]" + "x" * 9999))).splitlines()
    assert "ValueError: # #vso[x]xxx" in first
    assert len(first) < 700
    assert second.startswith("Traceback")


def run(main: Callable[[], int | None]) -> object:
    with pytest.raises(SystemExit) as ended:
        faults.run(main)
    return ended.value.code


def broken() -> None:
    raise KeyError("Spec")


def interrupted() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(("main", "code"), [(lambda: None, None), (lambda: 3, 3)])
def test_a_program_that_knows_how_it_ended_ends_so(
    main: Callable[[], int | None], code: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(main) == code
    assert capsys.readouterr() == ("", "")


def test_a_program_of_its_own_shows_its_error_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(broken) == 1
    assert capsys.readouterr().err.startswith("error: unexpected error while trying: KeyError: 'Spec' (")


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (SwarmError("no answer", "see that it runs \x1b[2J"), "no answer: see that it runs \n", 1),
        (ShownError(255), "", 255),
    ],
    ids=["foreseen", "of a command that has shown it"],
)
def test_what_somebody_can_act_on_is_shown_as_it_is(
    error: SwarmError | ShownError, words: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    assert run(fails) == code
    assert capsys.readouterr().err == words


def test_an_interrupted_program_says_so_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(interrupted) == 130
    assert capsys.readouterr().err == "\ninterrupted\n"

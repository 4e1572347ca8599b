"""The command line of the operations."""

import pytest

from operations import __main__ as operations
from operations.__main__ import VERBS, Verb


def ended(*arguments: str) -> object:
    with pytest.raises(SystemExit) as error:
        operations.main(arguments)
    return error.value.code


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {verb.does}" in told for name, verb in VERBS.items())


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (("doctor", "lab"), {"stack": "lab", "deep": False, "json": False}),
        (("doctor", "lab", "--deep", "--json"), {"stack": "lab", "deep": True, "json": True}),
        (("verify", "--json", "lab"), {"stack": "lab", "json": True}),
        (("up", "lab"), {"stack": "lab"}),
    ],
    ids=" ".join,
)
def test_a_verb_gets_its_stack_and_options_and_gives_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], given: dict[str, object]
) -> None:
    got: list[dict[str, object]] = []

    def run(**options: object) -> int:
        got.append(options)
        return 7

    name = arguments[0]
    monkeypatch.setitem(VERBS, name, Verb("", run, VERBS[name].options))
    assert ended(*arguments) == 7
    assert got == [given]


@pytest.mark.parametrize(
    "arguments",
    [(), ("up",), ("fly", "lab"), ("up", "lab", "--deep")],
    ids=lambda one: " ".join(one) or "nothing",
)
def test_what_makes_no_sense_is_said(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*arguments) == 2
    assert "usage: python -m operations" in capsys.readouterr().err

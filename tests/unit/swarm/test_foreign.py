"""What others say can't do anything to who reads it, a terminal or a pipeline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.foreign import harmless


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain words, ünïcödé, 日本", "plain words, ünïcödé, 日本"),
        ("\x1b[31;1mred\x1b[0m, \x1b]0;a title\x07named", "red, named"),
        ("\x1b]8;;http://evil\x1b\\link", "link"),
        ("up\x1b[2A\x1b[Kgone\rover", "upgone?over"),
        ("bell\x07 back\x08 null\x00 one-byte CSI\x9b31m", "bell? back? null? one-byte CSI?31m"),
        ("right to left\u202edlrow, zero width\u200b", "right to left?dlrow, zero width?"),
        ("two\nlines\r\nhere\tand a tab", "two\nlines\nhere\tand a tab"),
        ("::error::stop", ": :error::stop"),
        ("first\n  ::set-output name=x::y", "first\n  : :set-output name=x::y"),
        ("fine ##vso[task.setvariable]", "fine # #vso[task.setvariable]"),
        ("###[error]", "# # #[error]"),
    ],
)
def test_foreign_words_are_made_harmless(said: str, shown: str) -> None:
    assert harmless(said) == shown


def test_they_are_cut_off_where_they_are_long() -> None:
    assert harmless("x" * 50, 10) == "x" * 10 + "…"


@given(st.text())
def test_whatever_is_said_shows_and_is_no_command(said: str) -> None:
    shown = harmless(said)
    assert all(one.isprintable() or one in "\n\t" for one in shown)
    assert "##" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.split("\n"))
    assert harmless(shown) == shown

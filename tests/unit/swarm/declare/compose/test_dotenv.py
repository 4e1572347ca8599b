"""Variables from a stack's `envFile`: the plain forms are read, other lines refused without their value."""

from pathlib import Path

import pytest

from swarm.declare.compose import dotenv
from swarm.declare.reader import Reader
from swarm.declare.settings import StackConfig


def read(folder: Path, text: str, **variables: str) -> tuple[dict[str, str], list[str]]:
    """The variables, and what is said of the problems."""
    (folder / ".env").write_bytes(text.encode())
    reader = Reader()
    config = StackConfig("demo", (folder / "stack.yaml",), variables, folder / ".env")
    found = dotenv.read(reader, config, {"key": "swordfish"})
    return found, [str(one).removeprefix(f"{folder}/") for one in reader.problems]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  export A = b c \t# a comment\r", "b c"),
        ("A=", ""),
        ("A= # b", ""),
        ("A=''", ""),
        ('A=""', ""),
        ("A=b#c", "b#c"),
        ("A=it's", "it's"),
        ("A=b=c", "b=c"),
        ("A='b # $c\\n'", "b # $c\\n"),
        ('A="b # c"  # d', "b # c"),
        ('A="b\\n\\t\\"\\\\n\\$c"', 'b\n\t"\\n$c'),
        ("A=C:\\new", "C:\\new"),
        ("A=$GIVEN-${BEFORE}-${GONE:-c}", "1-2-c"),
        ('A="${GIVEN}"', "1"),
        ("A=b$$c", "b$c"),
        ("A=ä\u2028b", "ä\u2028b"),
    ],
)
def test_a_plain_line_is_a_variable(tmp_path: Path, line: str, value: str) -> None:
    found, problems = read(tmp_path, f"\n# comment\nBEFORE=2\n{line}\n", GIVEN="1")
    assert (found, problems) == ({"GIVEN": "1", "BEFORE": "2", "A": value}, [])


@pytest.mark.parametrize(
    "line",
    [
        "swordfish",
        "A",
        "A: swordfish",
        "1A=swordfish",
        "A B=swordfish",
        'A="swordfish',
        "A='swordfish",
        "A='swordfish'b",
        'A="swordfish"b',
        'A="swordfish\\d"',
        "A=#swordfish",
        "A=$swordfish",
        "A=swordfish$",
        "A=${GONE:?swordfish}",
        "A=${key}",
    ],
)
def test_another_line_is_refused_by_its_number_and_nothing_of_it_is_shown(tmp_path: Path, line: str) -> None:
    found, (problem,) = read(tmp_path, f"B=1\n{line}\nC=2\n")
    assert found == {"B": "1", "C": "2"}
    assert problem.startswith(".env:2: ")
    assert "swordfish" not in problem


def test_the_stack_s_own_variables_go_before_those_of_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, "A=1\nB=2\nA=3\nC=$B", B="4") == ({"A": "3", "B": "4", "C": "4"}, [])


def test_a_file_that_cannot_be_read_is_refused_by_the_key(tmp_path: Path) -> None:
    reader = Reader()
    config = StackConfig("demo", (tmp_path / "stack.yaml",), {"A": "1"}, tmp_path / "gone")
    assert dotenv.read(reader, config, {}) == {"A": "1"}
    ((key, rule),) = [(one.key, one.rule) for one in reader.problems]
    assert (key, rule) == ("swarm:stacks (demo).envFile", "can't be read: No such file or directory")

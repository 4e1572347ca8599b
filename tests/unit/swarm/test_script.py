"""Programs in files of their own: what a host gets of them, and how long they may be."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from swarm.script import program, render

ROOT = Path(__file__).parents[3]
FOLDERS = (
    "components",
    "swarm",
    "operations",
    "acceptance",
    "benchmarks",
    "hosts",
    "stacks",
    "tests",
    "vagrant",
)
KINDS = (".sh", ".awk", ".pl")
PROGRAMS = [path for one in FOLDERS for path in (ROOT / one).rglob("*") if path.suffix in KINDS]
SCREEN = 60  # lines

WORDS = st.text(st.characters(exclude_characters="\0"), max_size=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two files source a third, and one another."""
    made = tmp_path_factory.mktemp("scripts")
    (made / "main.sh").write_text("# Says it.\n. ./one.sh\n. ./two.sh\nsay() {\n  # Twice.\n  one; two\n}\n")
    (made / "one.sh").write_text('. ./common.sh\none() { printf %s "$given"; }\n')
    (made / "two.sh").write_text(". ./one.sh\n. ./common.sh\ntwo() { echo; }\n")
    (made / "common.sh").write_text("printf 'once '\n")
    return made


def test_a_script_is_its_file_and_those_that_it_sources_each_once_without_comments(folder: Path) -> None:
    assert render(folder / "main.sh") == (
        "printf 'once '\none() { printf %s \"$given\"; }\ntwo() { echo; }\nsay() {\n  one; two\n}\n"
    )


@effort(max_examples=50, deadline=None, derandomize=True)
@given(WORDS)
def test_any_value_reaches_the_script_as_it_is(folder: Path, value: str) -> None:
    script = render(folder / "main.sh", [("say",)], given=value).encode()
    said = subprocess.run(["sh"], input=script, capture_output=True, check=True).stdout
    assert said == f"once {value}\n".encode()


@effort(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(WORDS, max_size=3))
def test_any_words_reach_the_function_that_is_called_as_they_are(folder: Path, words: list[str]) -> None:
    script = render(folder / "common.sh", [("printf", "%s\\n", "", *words)]).encode()
    said = subprocess.run(["sh"], input=script, capture_output=True, check=True).stdout
    assert said == "".join(("once \n", *(f"{word}\n" for word in words))).encode()


@pytest.mark.parametrize("path", PROGRAMS, ids=[str(path.relative_to(ROOT)) for path in PROGRAMS])
def test_a_program_fits_a_screen(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= SCREEN
    assert program(path)

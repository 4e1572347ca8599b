"""Every key, verb and option that the pages name has a test on real engines; tests/tried.py lists them."""

import ast
import re
from pathlib import Path

import pytest

from tests import tried

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/configuration.md").read_text()
KEYS = [(part, key) for part, keys in tried.KEYS.items() for key in keys]


def table(page: str, heading: str) -> list[str]:
    """The first column of the table under a heading."""
    _, _, text = page.partition(f"# {heading}\n")
    found = re.search(r"^\|.*\n\| ---.*\n((?:\|.*\n)+)", text, re.M)
    assert found
    return [row.removeprefix("| ").partition(" |")[0] for row in found[1].splitlines()]


def in_code(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


def functions(name: str) -> set[str]:
    """The tests of a module."""
    tree = ast.parse((ROOT / f"tests/integration/{name}.py").read_text())
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize("heading", tried.KEYS)
def test_the_list_has_the_keys_of_the_page_and_no_others(heading: str) -> None:
    assert list(tried.KEYS[heading]) == [key for cell in table(PAGE, heading) for key in in_code(cell)]


def test_no_table_of_keys_is_left_out() -> None:
    headed = re.findall(r"^#+ (.*)\n(?:(?!#).*\n)*?\| key \|", PAGE, re.M)
    assert headed == list(tried.KEYS)


def test_the_list_has_the_verbs_that_make_help_tells() -> None:
    verbs = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M)
    assert sorted([*tried.VERB, *tried.UNTRIED]) == sorted(verbs)
    assert all(f"make {verb}`" in (ROOT / "README.md").read_text() for verb in verbs)


def test_the_list_has_the_options_of_the_readme_s_commands() -> None:
    """All that is in code under the heading, but for verbs, files, variables that a verb is told, and what is
    no command on engines."""
    _, _, text = (ROOT / "README.md").read_text().partition("## Commands\n")
    told = set(in_code(text.partition("\n## ")[0]))
    verbs = {f"make {verb}" for verb in (*tried.VERB, *tried.UNTRIED)} | set(tried.VERB)
    others = {"lab", "dev", "verify", ". ./env.sh", "python3 -m vagrant", "python3 -m toolchain.pin"}
    files = {one for one in told if "/" in one or one.endswith((".txt", ".md", ".lock"))}
    assert told - verbs - others - files == set(tried.OPTIONS) - verbs


@pytest.mark.parametrize(("part", "key"), KEYS, ids=map(" ".join, KEYS))
def test_every_test_of_a_key_is_there_and_has_to_do_with_it(part: str, key: str) -> None:
    for test in filter(None, tried.KEYS[part][key]):
        module, _, name = test.partition("::")
        assert name in functions(module)
        used = ("deployment", "drift", module)
        texts = [(ROOT / f"tests/integration/{one}.py").read_text() for one in used]
        assert any(re.search(rf"\b{key.removeprefix('swarm:')}\b", text) for text in texts)


@pytest.mark.parametrize("test", sorted({*tried.VERB.values(), *tried.OPTIONS.values()}))
def test_every_test_of_a_verb_or_an_option_is_there(test: str) -> None:
    module, _, name = test.partition("::")
    assert name in functions(module)

"""Files, and what programs say, are UTF-8 whatever the locale of the shell."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = [ROOT / "__main__.py", *(ROOT / "components").rglob("*.py"), *(ROOT / "operations").rglob("*.py")]


def in_the_locale_s_encoding(call: ast.Call) -> bool:
    """Whether a call reads or writes text, and leaves it to the locale how."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = {one.arg: getattr(one.value, "value", None) for one in call.keywords}
    if "encoding" in given:
        return False
    if name == "open":
        mode = next((one.value for one in call.args if isinstance(one, ast.Constant)), given.get("mode"))
        return mode in ("r", "w", "a", "x", "r+", "w+")
    return name in ("read_text", "write_text") or given.get("text") is True


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_is_read_or_written_in_the_encoding_of_the_locale(path: Path) -> None:
    calls = (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call))
    assert [call.lineno for call in calls if in_the_locale_s_encoding(call)] == []

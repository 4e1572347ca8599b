"""Unit tests are where their source is: tests/unit/a/test_b.py tests a/b.py, or the package a/b."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "tests" / "unit"
MODULES = [
    path.relative_to(UNIT)
    for path in sorted(UNIT.rglob("test_*.py"))
    if path.relative_to(UNIT).parts[0] != "project"  # of the project as a whole
]


@pytest.mark.parametrize("module", MODULES, ids=map(str, MODULES))
def test_a_test_module_has_its_source(module: Path) -> None:
    source = ROOT / module.parent / module.stem.removeprefix("test_")
    assert source.with_suffix(".py").is_file() or (source / "__init__.py").is_file(), f"{source} isn't there"

"""Who may import whom: three layers that need no Pulumi, one that acts."""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = (
    "swarm",
    "components",
    "operations",
    "acceptance",
    "benchmarks",
    "hosts",
    "lab",
    "vagrant",
    "toolchain",
)
PURE = [folder for folder in FOLDERS if folder != "components"]

# Of `swarm`, what needs nothing that is installed: what makes hosts runs before anything is.
BARE = ("swarm.errors", "swarm.waiting")

# What a folder doesn't import, beginning with.
FORBIDDEN = {
    **dict.fromkeys(PURE, ("pulumi",)),
    "swarm": ("pulumi", "components", "operations", "acceptance", "benchmarks", "hosts", "lab"),
    "swarm/declare": ("swarm.observe", "swarm.decide"),
    "swarm/observe": ("swarm.decide",),
    "components": ("operations", "acceptance", "benchmarks", "hosts", "lab"),
    "operations": ("pulumi", "acceptance", "benchmarks", "hosts", "lab"),
    "hosts": ("pulumi", "swarm", "components", "operations", "lab", "vagrant"),
    "lab": ("pulumi", "swarm", "components", "operations"),
    "vagrant": ("pulumi", "swarm", "components", "operations", "lab"),
    "toolchain": ("pulumi", "swarm", "components", "operations", "lab", "hosts"),
}


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, late ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def begins_with_any(module: str, allowed: Iterable[str]) -> bool:
    return any(begins(module, one) for one in allowed)


def begins(module: str, forbidden: str) -> bool:
    return module == forbidden or module.startswith((f"{forbidden}.", f"{forbidden}_"))


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_folder_imports_nothing_of_a_layer_above_it(folder: str) -> None:
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files
        for module in imported(path)
        for forbidden in FORBIDDEN[folder]
        if begins(module, forbidden) and not (forbidden == "swarm" and begins_with_any(module, BARE))
    ]
    assert not found


@pytest.mark.parametrize("module", BARE)
def test_what_is_used_before_anything_is_installed_needs_nothing_that_is(module: str) -> None:
    path = ROOT / f"{module.replace('.', '/')}.py"
    roots = {one.partition(".")[0] for one in imported(path) if not begins_with_any(one, BARE)}
    assert roots - set(sys.stdlib_module_names) == set()

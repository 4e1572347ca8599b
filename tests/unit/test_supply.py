"""What is downloaded is pinned: Python packages by the lock."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LOCK = (PROJECT / "requirements.lock").read_text()
WRITTEN = [line for name in ("", "-dev") for line in (PROJECT / f"requirements{name}.txt").open()]
PACKAGE = re.compile(r"([\w.-]+)==(\S+)")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> list[tuple[str, str, list[str]]]:
    """Name, version and hashes of each entry of the lock."""
    lines = [line for line in LOCK.splitlines() if line and not line.lstrip().startswith("#")]
    found: list[tuple[str, str, list[str]]] = []
    for line in lines:
        if match := PACKAGE.match(line):
            found.append((canonical(match[1]), match[2], []))
        else:
            found[-1][2].append(line.strip(" \\"))
    return found


@pytest.mark.parametrize("line", [line.strip() for line in WRITTEN if line[0] not in "#-"])
def test_the_lock_has_what_is_written_in_its_version(line: str) -> None:
    pinned = PACKAGE.fullmatch(line)
    assert pinned, f"{line} pins no version"
    versions = [version for name, version, _ in locked() if name == canonical(pinned[1])]
    assert versions == [pinned[2]], "run `make lock`"


def test_every_package_of_the_lock_has_hashes_and_nothing_else() -> None:
    assert len(locked()) > len(WRITTEN)
    for name, version, hashes in locked():
        assert hashes, f"{name} {version} has no hash"
        for given in hashes:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", given), f"{name}: {given}"


def test_the_lock_names_no_machine_and_no_index() -> None:
    for word in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", " /", "file:"):
        assert word not in LOCK


def test_pip_installs_from_the_lock_alone() -> None:
    (line,) = [line for line in (PROJECT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert line.endswith("--require-hashes --only-binary :all: -r $<")
    assert "\n$(INSTALLED): requirements.lock\n" in (PROJECT / "Makefile").read_text()

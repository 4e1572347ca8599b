"""env.sh, as shells read it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.declare.environment import ASTRAY

Done = subprocess.CompletedProcess[str]
Sourced = Callable[..., Done]
ENV = Path(__file__).parents[3] / "env.sh"


@pytest.fixture
def sourced(tmp_path: Path) -> Sourced:
    """Reads env.sh in a project's folder, as /bin/sh with `set -eu`, then runs a command."""
    (tmp_path / "Pulumi.yaml").touch()

    def run(command: str, **environment: str) -> Done:
        return subprocess.run(
            ["sh", "-euc", f". {ENV}; {command}"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=True,
        )

    return run


@pytest.mark.parametrize("name", ASTRAY)
def test_what_would_send_the_docker_provider_elsewhere_is_unset_and_said(sourced: Sourced, name: str) -> None:
    done = sourced("env", **{name: "theirs"})
    assert name not in [line.partition("=")[0] for line in done.stdout.splitlines()]
    assert "unset DOCKER_CONTEXT" in done.stderr
    assert "theirs" not in done.stderr


def test_nothing_is_said_where_nothing_is_set(sourced: Sourced) -> None:
    assert sourced("true").stderr == ""


@pytest.mark.parametrize("folder", [".state", ".swarm", ".labs", ".machines"])
def test_folders_with_keys_are_for_nobody_else_to_look_into(
    sourced: Sourced, tmp_path: Path, folder: str
) -> None:
    sourced("true")
    if folder in (".labs", ".machines"):
        assert not (tmp_path / folder).exists()
        (tmp_path / folder).mkdir()
    (tmp_path / folder).chmod(0o755)
    sourced("true")
    assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700


def test_in_another_folder_nothing_is_made(sourced: Sourced, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").unlink()
    assert "isn't the project's folder" in sourced("true").stderr
    assert list(tmp_path.iterdir()) == []

"""The Vagrantfile, read by Vagrant itself; no machine is made."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from vagrant.machines import parse_status

PROJECT = Path(__file__).parents[2]
NODES = yaml.safe_load((PROJECT / "Pulumi.dev.yaml").read_text())["config"]["swarm:nodes"]
Vagrant = Callable[..., str]


@pytest.fixture
def vagrant(tmp_path: Path) -> Vagrant:
    """Runs Vagrant with the project's Vagrantfile; gives its stdout."""

    def run(*arguments: str, **environment: str) -> str:
        places = {"VAGRANT_HOME": str(tmp_path / "home"), "VAGRANT_DOTFILE_PATH": str(tmp_path / "state")}
        done = subprocess.run(
            ["vagrant", *arguments],
            cwd=PROJECT / "vagrant",
            env={**os.environ, **places, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_it_is_valid(vagrant: Vagrant) -> None:
    assert "validated successfully" in vagrant("validate", "--ignore-provider")


def test_the_machines_are_those_of_the_stack_in_its_order(vagrant: Vagrant) -> None:
    assert list(parse_status(vagrant("status", "--machine-readable"))) == [node["name"] for node in NODES]


@pytest.mark.parametrize(
    ("n", "names"),
    [
        ("1", ["swarm-manager-01"]),
        ("2", ["swarm-manager-01", "swarm-worker-01"]),
        ("3", ["swarm-manager-01", "swarm-worker-01", "swarm-worker-02"]),
        (
            "5",
            [
                f"swarm-{name}"
                for name in ("manager-01", "manager-02", "manager-03", "worker-01", "worker-02")
            ],
        ),
    ],
)
def test_fewer_machines_are_a_leader_and_workers_first(vagrant: Vagrant, n: str, names: list[str]) -> None:
    assert list(parse_status(vagrant("status", "--machine-readable", N=n))) == names

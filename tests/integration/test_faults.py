"""An error that nobody foresaw, in every part of the program: what Pulumi shows of it, and the exit code.

No hosts: the project's modules are this one's, each broken by a few lines at the end of one module.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROKEN = '\n\ndef {name}(*_, **__):\n    raise RuntimeError("broken on purpose: swordfish")\n'
# A swarm that is in place, but for a setting: the convergence has work, and nobody joins.
SEEN = """

def observe(settings, *_, **__):
    from tests.unit.builders import cluster, entry, member
    swarm = cluster("", entry("m1", address="127.0.0.1"))
    return {"m1": replace(member("m1", swarm), routes=())}


from dataclasses import replace
"""
CONFIGURATION = """
config:
  swarm:ssh: {privateKeyFile: id, knownHostsFile: known}
  swarm:nodes: [{name: m1, host: 127.0.0.1, role: leader, ssh: {port: 1}}]
  swarm:taskHistoryLimit: 9
  swarm:adopt: true
  swarm:stacks: [{name: play, compose: stacks/play/redis.yaml}]
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose stack is `lab`, with its secret in the configuration."""
    for name in (
        "Pulumi.yaml",
        "__main__.py",
        "lab",
        "hosts",
        "operations",
        "acceptance",
        "benchmarks",
        "stacks",
        "tests",
    ):
        (tmp_path / name).symlink_to(ROOT / name)
    for folder in ("swarm", "components"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.lab.yaml").write_text(CONFIGURATION)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    (tmp_path / "known").write_text(f"[127.0.0.1]:1 {(tmp_path / 'id.pub').read_text()}")
    append(tmp_path, "swarm/observe/probe", SEEN)
    return tmp_path


def append(project: Path, module: str, text: str) -> None:
    """A module of the project's own: this one's, with text at its end."""
    with (project / f"{module}.py").open("a") as file:
        file.write(text)


@pytest.fixture
def run(project: Path) -> Run:
    """Runs a command in the project; its output is in stdout, errors too."""
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{project}/state",
        "PULUMI_CONFIG_PASSPHRASE": "of-this-test-alone",
    }

    def do(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    assert do("pulumi", "stack", "init", "lab").returncode == 0
    do("pulumi", "config", "set", "--secret", "--path", "swarm:secrets.PASSWORD", "swordfish")
    return do


PARTS = [
    ("swarm/declare/load", "load", "reading the configuration"),
    ("swarm/observe/probe", "observe", "probing the hosts"),
    ("swarm/decide/decisions", "decide", "deciding what is to be done"),
    ("components/cluster", "SwarmCluster", "declaring the resources"),
    ("components/stack", "deploy", "declaring the resources"),
    ("components/scripts/manager", "convergence", "declaring the resources"),
]


@pytest.mark.parametrize(
    ("module", "name", "doing"),
    PARTS,
    ids=["configuration", "look", "decisions", "cluster", "stack", "what is done to an Output"],
)
def test_a_fault_is_one_error(project: Path, run: Run, module: str, name: str, doing: str) -> None:
    append(project, module, BROKEN.format(name=name))
    shown = run("pulumi", "preview", "--non-interactive", "--color=never")
    assert shown.returncode != 0
    (told,) = re.findall(r"^    error: (.*)$", shown.stdout, re.M)
    assert re.fullmatch(
        rf"unexpected error while {doing}: RuntimeError: broken on purpose: \[secret\] "
        rf"\({module}\.py, line \d+\)",
        told,
    ), shown.stdout
    assert "To report it, open an issue" in shown.stdout
    assert "exit code: -1" not in shown.stdout
    assert "(most recent call last)" not in shown.stdout
    assert "broken on purpose" in (project / ".swarm/error.txt").read_text()
    assert "swordfish" not in shown.stdout + (project / ".swarm/error.txt").read_text()


@pytest.mark.parametrize("operation", ["operations verify", "operations doctor", "acceptance.play"])
def test_a_fault_of_an_operation_is_one_error(project: Path, run: Run, operation: str) -> None:
    append(project, "swarm/observe/probe", BROKEN.format(name="observe"))
    shown = run(sys.executable, "-m", *operation.split(), "lab")
    assert shown.returncode == 1
    assert shown.stdout.startswith(
        "error: unexpected error while probing the hosts: RuntimeError: broken on purpose: [secret] ("
    )
    assert "(most recent call last)" not in shown.stdout


def test_what_the_engine_says_itself_is_said_once(run: Run) -> None:
    shown = run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never")
    assert shown.returncode != 0
    assert "failed attempts" in shown.stdout  # nobody listens on port 1
    assert "unexpected error" not in shown.stdout

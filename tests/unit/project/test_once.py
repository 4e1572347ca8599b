"""What is written once: the ssh command line, Pulumi's flags, the programs' end."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("swarm", "components", "operations", "acceptance", "benchmarks")
ON_HOSTS = {"operations/doctor/listen.py"}  # a program of its own


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (r'"ssh", "-F"', "swarm/ssh.py"),
        (r"--skip-preview", "operations/pulumi_cli.py"),
        (r"--expect-no-changes", "operations/pulumi_cli.py"),
        (r"SWARM_DESTROY\": ", "operations/pulumi_cli.py"),
        (r"sys\.exit\(", "swarm/faults.py"),
    ],
)
def test_it_is_in_one_place(text: str, where: str) -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if re.search(text, path.read_text("utf-8"))}
    assert found - ON_HOSTS == {where}

"""`python3 -m benchmarks.pulumi`: what Pulumi costs, beside a plain script that does the same.

On a lab of its own, in rounds; in each, all that is compared is measured in turn, so that what the
machine does besides falls on both sides. Writes docs/reports/benchmarks.md. The exit code is 0 only if the
bounds hold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks import reports
from components.scripts import host as host_scripts
from lab import Lab
from operations import pulumi_cli
from swarm import faults, process
from swarm.errors import BenchError

ROOT = Path(__file__).parents[1]
PLAIN = Path(__file__).with_name("plain_swarm.sh")
ROUNDS = 5
LIMIT_SECONDS = 600
STACK = "bench"
FOLDERS = ("swarm", "components", "stacks", "__main__.py")  # of the program
DEMO = {"name": "demo", "compose": "stacks/demo.yaml"}

SCRIPT, UP = "plain script: six nodes from nothing", "`pulumi up`: six nodes from nothing"
EMPTY, CLEAN = "`pulumi preview` of an empty program", "`pulumi preview` of the six nodes, no changes"
DEMO_UP, DEMO_CLEAN = "`pulumi up`: the demo stack added", "`pulumi preview` with it, no changes"
DESTROY = "`make destroy`: six nodes and the demo stack"


@dataclass(frozen=True)
class Ratio:
    """Two rows that are compared, round by round, and how many times the second the first may take."""

    what: str
    row: str
    beside: str
    bound: float

    def rounds(self, seconds: Mapping[str, Sequence[float]]) -> list[float]:
        """The ratio of each round."""
        return [one / other for one, other in zip(seconds[self.row], seconds[self.beside], strict=True)]

    def holds(self, seconds: Mapping[str, Sequence[float]]) -> bool:
        """Whether the median is within the bound."""
        return median(self.rounds(seconds)) <= self.bound


RATIOS = (
    Ratio("`pulumi up` compared with the plain script", UP, SCRIPT, 2.5),
    Ratio("preview without changes compared with an empty program's", CLEAN, EMPTY, 2.0),
)


class Project:
    """A Pulumi project of this one's files, or of an empty program, with a state of its own."""

    def __init__(self, folder: Path, program: str | None = None) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "state").mkdir()
        for name in ("Pulumi.yaml", ".venv", *(() if program else FOLDERS)):
            (folder / name).symlink_to(ROOT / name)
        if program:
            (folder / "__main__.py").write_text(program, encoding="utf-8")
        self.pulumi("stack", "init", STACK)

    def pulumi(self, *arguments: str, **environment: str) -> float:
        """Runs a Pulumi command; gives the seconds that it took. BenchError: it failed."""
        own = {
            "PULUMI_BACKEND_URL": f"file://{self.folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "of this run",
            "REDIS_PASSWORD": "of-this-run",
        }
        return timed(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env={**os.environ, **own, **environment},
        )

    def configure(self, **values: Any) -> None:
        """Writes the configuration anew; the salt in it stays."""
        file = self.folder / f"Pulumi.{STACK}.yaml"
        kept = yaml.safe_load(file.read_text(encoding="utf-8"))
        config = {f"{pulumi_cli.PROJECT}:{key}": value for key, value in values.items()}
        file.write_text(yaml.safe_dump({**kept, "config": config}), encoding="utf-8")

    def up(self) -> float:
        """As `make up` does it."""
        return self.pulumi(*pulumi_cli.UP)

    def preview(self) -> float:
        """As `make preview` does it; a change is an error."""
        return self.pulumi(*pulumi_cli.PREVIEW)

    def destroy(self) -> float:
        """As `make destroy` does it."""
        return self.pulumi(*pulumi_cli.DESTROY, **pulumi_cli.DESTROYING)


def timed(command: Sequence[str], **options: Any) -> float:
    """The seconds that a command took. BenchError: it failed, or took longer than LIMIT_SECONDS."""
    began = time.perf_counter()
    try:
        done = process.run(command, LIMIT_SECONDS, stderr=subprocess.STDOUT, **options)
    except subprocess.TimeoutExpired:
        raise BenchError(f"`{shown(command)}` took more than {LIMIT_SECONDS} s") from None
    if done.returncode:
        raise BenchError(f"`{shown(command)}` failed:\n{done.stdout}")
    return time.perf_counter() - began


def shown(command: Sequence[str]) -> str:
    """A command's first words: its program and what it is to do."""
    return " ".join([Path(command[0]).name, *command[1:2]])


def main() -> int:
    """Measures, writes the page, prints the figures; gives the exit code."""
    lab = Lab.for_tests(STACK)
    try:
        lab.up(3, 3)
        with tempfile.TemporaryDirectory() as folder:
            seconds = measure(lab, Path(folder))
        text = "\n".join(figures(seconds, conditions(lab)))
    finally:
        lab.down()
    reports.write("make bench", text)
    print(text)
    broken = [ratio.what for ratio in RATIOS if not ratio.holds(seconds)]
    for what in broken:
        print(f"over its bound: {what}", file=sys.stderr)
    return 1 if broken else 0


def measure(lab: Lab, folder: Path) -> dict[str, list[float]]:
    """The seconds of every row, a list by rounds; the first round warms up and isn't in it."""
    swarm, empty = Project(folder / "swarm"), Project(folder / "empty", '"""Nothing."""\n')
    empty.up()
    seconds: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):
        print(f"round {number} of {ROUNDS}" if number else "warming up", file=sys.stderr)
        for row, took in one_round(number, lab, swarm, empty):
            print(f"  {took:5.1f} s  {row}", file=sys.stderr, flush=True)
            if number:
                seconds.setdefault(row, []).append(took)
    return seconds


def one_round(number: int, lab: Lab, swarm: Project, empty: Project) -> Iterator[tuple[str, float]]:
    """Every row with its seconds; the hosts are in no swarm before and after."""
    yield SCRIPT, plain_script(lab)
    leave(lab)
    declared = {
        "ssh": {"privateKeyFile": str(lab.private_key), "knownHostsFile": str(lab.known_hosts)},
        "nodes": [
            {"name": node.name, "host": node.address, "role": "leader" if node == lab.nodes[0] else node.role}
            for node in lab.nodes
        ],
    }
    swarm.configure(**declared)
    yield UP, swarm.up()
    previews = [(CLEAN, swarm), (EMPTY, empty)]
    for row, project in previews if number % 2 else reversed(previews):
        yield row, project.preview()
    swarm.configure(**declared, stacks=[DEMO])
    yield DEMO_UP, swarm.up()
    yield DEMO_CLEAN, swarm.preview()
    yield DESTROY, swarm.destroy()


def plain_script(lab: Lab) -> float:
    """The seconds of the plain script on hosts that are in no swarm."""
    managers, workers = (
        " ".join(f"{node.name}={node.address}" for node in lab.nodes if node.role == role)
        for role in ("manager", "worker")
    )
    *ssh, _ = lab.ssh_command(lab.nodes[0].name)
    return timed([str(PLAIN), managers, workers, *ssh])


def leave(lab: Lab) -> None:
    """All hosts out of their swarm: workers, then managers one by one (docs/adr/0006)."""
    with ThreadPoolExecutor() as pool:
        workers = [node.name for node in lab.nodes if node.role == "worker"]
        list(pool.map(partial(leave_one, lab), workers))
    for node in reversed(lab.nodes):
        if node.role == "manager":
            leave_one(lab, node.name)


def leave_one(lab: Lab, name: str) -> None:
    """A host out of its swarm."""
    node_id = lab.run(name, "docker info --format '{{.Swarm.NodeID}}'").strip()
    lab.run(name, f"{host_scripts.leave(node_id)} <<'END'\n{host_scripts.LEAVING}END")


def conditions(lab: Lab) -> str:
    """On what it was measured, in a sentence."""
    return (
        f"{ROUNDS} rounds, on {len(os.sched_getaffinity(0))} cores that six Docker Engines share with the "
        f"client: Pulumi {pulumi_cli.version()}, Docker Engine {engine_version(lab)}, "
        f"Python {sys.version.split()[0]}."
    )


def engine_version(lab: Lab) -> str:
    """The version of the Docker Engines of a lab."""
    return lab.run(lab.nodes[0].name, "docker version --format '{{.Server.Version}}'").strip()


def figures(seconds: Mapping[str, Sequence[float]], where: str) -> Iterator[str]:
    """The lines of the page's figures."""
    yield from (where, "", "| seconds | median | least | most |", "| --- | ---: | ---: | ---: |")
    for row, values in seconds.items():
        yield f"| {row} | {median(values):.1f} | {min(values):.1f} | {max(values):.1f} |"
    yield from ("", "| times | median | least | most | bound | |", "| --- | ---: | ---: | ---: | ---: | - |")
    for ratio in RATIOS:
        values = ratio.rounds(seconds)
        verdict = "holds" if ratio.holds(seconds) else "**broken**"
        numbers = " | ".join(f"{one:.2f}" for one in (median(values), min(values), max(values), ratio.bound))
        yield f"| {ratio.what} | {numbers} | {verdict} |"


if __name__ == "__main__":
    faults.run(main)

"""A Pulumi stack on a lab, driven by the commands that a user types."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from components.scripts.host import SCRIPTS
from lab import Lab
from operations import pulumi_cli
from swarm.errors import LabError
from swarm.script import program
from swarm.waiting import NotYetError, until

ROOT = Path(__file__).parents[2]
UP_SECONDS = 600
PATIENCE = 60  # seconds
PASSING = re.findall(r'[*]"([^"]+)"[*]', program(SCRIPTS / "passes.sh"))


def changed(output: str) -> dict[str, set[str]]:
    """The names of the resources that an up created, updated or deleted; or would, by its preview."""
    found: dict[str, set[str]] = {}
    for name, verb in re.findall(r"^ [-+~]+ +\S+ (\S+) ((?:creat|updat|delet|replac)ed?)\b", output, re.M):
        found.setdefault(verb.removesuffix("d") + "d", set()).add(name)
    return found


@contextmanager
def temporary(suffix: str, managers: int, workers: int) -> Iterator[Lab]:
    """A lab of this process, which is gone afterwards."""
    lab = Lab.for_tests(suffix)
    try:
        lab.up(managers, workers)
        yield lab
    finally:
        lab.down()


@contextmanager
def deployment_on(lab: Lab, folder: Path) -> Iterator[Deployment]:
    """A stack that isn't deployed yet; its hosts are out of any swarm in the end."""
    made = Deployment(lab, folder)
    try:
        yield made
    finally:
        try:
            made.destroy()
        except AssertionError:
            # It fails by itself, and no test after it for that.
            size = Counter(node.role for node in lab.nodes)
            for node in lab.nodes:
                lab.destroy(node.name)
            lab.up(size["manager"], size["worker"])
            raise


class Deployment:
    """A stack on a lab, in a project folder of its own that links to this one's files."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.stack, self.folder = lab, lab.name, folder
        packages = ("swarm", "components", "operations", "acceptance", "benchmarks")
        for name in ("Pulumi.yaml", "__main__.py", "stacks", *packages):
            (folder / name).symlink_to(ROOT / name)
        (folder / "state").mkdir()
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "of-this-test-alone",
            "PULUMI_OPTION_SUPPRESS_PROGRESS": "true",  # its dots may come into a line that `changed` reads
        }
        self.config_file = folder / f"Pulumi.{self.stack}.yaml"
        self.settings: dict[str, Any] = {}
        self.pulumi("stack", "init", self.stack)
        self.declare_all()

    def declare_all(self) -> None:
        """All of the lab's hosts, and the demo."""
        self.configure(
            ssh={"privateKeyFile": str(self.lab.private_key), "knownHostsFile": str(self.lab.known_hosts)},
            nodes=self.nodes(),
            stacks=[{"name": "demo", "compose": "stacks/demo.yaml"}],
        )
        self.pulumi("config", "set", "--secret", "--path", "swarm:secrets.REDIS_PASSWORD", "of-this-test")
        self.keep("secrets")

    def nodes(self) -> list[dict[str, Any]]:
        """The lab's nodes as declared: the first manager leads."""
        roles = ["leader" if node == self.lab.nodes[0] else node.role for node in self.lab.nodes]
        return [
            {"name": node.name, "host": node.address, "role": role}
            for node, role in zip(self.lab.nodes, roles, strict=True)
        ]

    def configure(self, **changes: Any) -> None:
        """Writes the configuration, with other values for some keys of the namespace."""
        self.settings |= {f"swarm:{key}": value for key, value in changes.items()}
        written = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        self.config_file.write_text(yaml.safe_dump({**written, "config": self.settings}))

    def keep(self, key: str) -> None:
        """Keeps what a command wrote for a key of the namespace, when the configuration is written anew."""
        written = yaml.safe_load(self.config_file.read_text())["config"]
        self.settings[f"swarm:{key}"] = written[f"swarm:{key}"]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A Pulumi command, under way, its output to be read."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *arguments: str) -> list[str]:
        return ["pulumi", *arguments, "--non-interactive", "--color=never"]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Any command in the project; its output is in stdout, errors too."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=UP_SECONDS,
        )

    def pulumi(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """The output of a Pulumi command that succeeds, or fails where that is expected."""
        done = self.run(*self.command(*arguments), **environment)
        assert (done.returncode != 0) is fails, done.stdout
        return done.stdout

    def up(self, **options: Any) -> str:
        return self.pulumi(*pulumi_cli.UP, **options)

    def preview(self, *, changes: bool = False) -> str:
        return self.pulumi(*pulumi_cli.PREVIEW, fails=changes)

    def destroy(self, down: Collection[str] = ()) -> str:
        """As `make destroy` does it, while some hosts are down."""
        output = self.pulumi(*pulumi_cli.DESTROY, fails=False, **pulumi_cli.DESTROYING)
        self.restart_broken_engines([node.name for node in self.lab.nodes if node.name not in down])
        return output

    def restart_broken_engines(self, names: Collection[str]) -> None:
        """Restarts engines that kept their gossip port: a defect of Docker's (docs/adr/0006), seldom
        where workers leave before managers, for which a join names this very remedy."""
        for name in names:
            taken = "grep -qs ':1F0A 0*:0000 0A' /proc/net/tcp /proc/net/tcp6"
            if self.lab.run(name, f"{taken} && echo taken || true").strip():
                print(f"restarting the engine of {name}, which kept port 7946")
                self.lab.stop_engine(name, "KILL")
                self.lab.start_engine(name)

    def operation(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of operations/, as the Makefile runs it."""
        return self.run(sys.executable, "-m", "operations", name, self.stack, *arguments)

    def export(self, *arguments: str) -> str:
        return self.pulumi("stack", "export", *arguments)

    def resources(self) -> list[dict[str, Any]]:
        """The state's resources."""
        found = json.loads(self.export())["deployment"].get("resources") or []
        assert isinstance(found, list)
        return found

    def docker(self, command: str, node: str = "swarm-manager-01") -> str:
        """What a docker command prints on a node. Waits, bounded, while its answer is one that passes by
        itself, as of a manager that has just become one."""

        def printed() -> tuple[str]:
            try:
                return (self.lab.run(node, f"docker {command}"),)
            except LabError as error:
                if any(words in str(error) for words in PASSING):
                    raise NotYetError(str(error)) from None
                raise

        (said,) = until(f"docker {command}", printed, PATIENCE)
        return said

    def until_known_down(self, *names: str) -> None:
        """Waits until the managers have these hosts as down. One that comes back at the very moment at which
        they notice can stay down for them for ever, though it is a member (docs/adr/0009)."""
        others = (node["name"] for node in self.declared if node["role"] != "worker")
        asked = next(name for name in others if name not in names)
        listed = "docker node ls --format '{{.Hostname}} {{.Status}}'"
        self.until(f"[ $({listed} | grep -cE '^({'|'.join(names)}) Down') = {len(names)} ]", asked)

    def until(self, condition: str, node: str = "swarm-manager-01") -> None:
        """Waits until a shell command on a node succeeds."""
        loop = shlex.quote(f"until {condition}; do sleep 0.3; done")
        self.lab.run(node, f"timeout {PATIENCE} sh -c {loop} >/dev/null 2>&1")

    def node_list(self, manager: str = "swarm-manager-01") -> list[dict[str, str]]:
        """`docker node ls`, a mapping per node."""
        listed = self.docker("node ls --format '{{json .}}'", manager)
        return [json.loads(line) for line in listed.splitlines()]

    @property
    def names(self) -> list[str]:
        """The names of the nodes in the configuration."""
        return [node["name"] for node in self.declared]

    @property
    def declared(self) -> list[dict[str, Any]]:
        """The nodes in the configuration."""
        nodes = self.settings["swarm:nodes"]
        assert isinstance(nodes, list)
        return nodes

    def declare(self, node: str, /, **changes: Any) -> None:
        """Writes the configuration with other values for one node."""
        self.configure(nodes=[one | changes if one["name"] == node else one for one in self.declared])

    def leader(self) -> str:
        """The name of the manager that leads now; asks all of them, for each may be at a loss."""
        return next(name for name, node in self.roles().items() if node == "Leader")

    def roles(self) -> dict[str, str]:
        """What the managers list: each node's ManagerStatus by its name, empty for workers. Waits for
        a leader."""
        managers = [node["name"] for node in self.declared if node["role"] != "worker"]
        command = "timeout 3 docker node ls --format '{{.Hostname}} {{.ManagerStatus}}'"

        def listed() -> dict[str, str] | None:
            for name in managers:
                with suppress(LabError):
                    lines = self.lab.run(name, command).splitlines()
                    found = dict(line.partition(" ")[::2] for line in lines)
                    if "Leader" in found.values():
                        return found
            return None

        return until("a leader", listed, PATIENCE)

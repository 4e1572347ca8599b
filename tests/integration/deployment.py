"""A Pulumi stack on a lab, driven by the commands that a user types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from lab import Lab

ROOT = Path(__file__).parents[2]
UP_SECONDS = 600


class Deployment:
    """A stack on a lab, in a project folder of its own that links to this one's files."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.stack, self.folder = lab, lab.name, folder
        for name in ("Pulumi.yaml", "__main__.py", "components", "operations", "stacks"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "state").mkdir()
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "of-this-test-alone",
        }
        self.config_file = folder / f"Pulumi.{self.stack}.yaml"
        self.settings: dict[str, Any] = {}
        self.pulumi("stack", "init", self.stack)
        self.configure(
            ssh={"privateKeyFile": str(lab.private_key), "knownHostsFile": str(lab.known_hosts)},
            nodes=self.nodes(),
            stacks=[{"name": "demo", "compose": "stacks/demo.yaml"}],
        )

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
        return self.pulumi("up", "--yes", "--skip-preview", **options)

    def preview(self, *, changes: bool = False) -> str:
        return self.pulumi("preview", "--expect-no-changes", fails=changes)

    def destroy(self) -> str:
        """As `make destroy` does it."""
        arguments = ["--yes", "--skip-preview", "--run-program", "--refresh=false"]
        output = self.pulumi("destroy", *arguments, SWARM_DESTROY="1")
        self.restart_broken_engines()
        return output

    def restart_broken_engines(self) -> None:
        """Restarts engines that kept their gossip port: a defect of Docker's (docs/adr/0006), seldom
        where workers leave before managers, for which a join names this very remedy."""
        for node in self.lab.nodes:
            taken = "grep -qs ':1F0A 0*:0000 0A' /proc/net/tcp /proc/net/tcp6"
            if self.lab.run(node.name, f"{taken} && echo taken || true").strip():
                print(f"restarting the engine of {node.name}, which kept port 7946")
                self.lab.run(node.name, "pkill -9 -x dockerd; while pgrep -x dockerd; do sleep 0.1; done")
                self.lab.run(node.name, "timeout 60 sh -c 'until docker version; do sleep 0.2; done'")

    def operation(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of operations/, as the Makefile runs it."""
        return self.run(sys.executable, "-m", f"operations.{name}", self.stack, *arguments)

    def export(self, *arguments: str) -> str:
        return self.pulumi("stack", "export", *arguments)

    def resources(self) -> list[dict[str, Any]]:
        """The state's resources."""
        found = json.loads(self.export())["deployment"].get("resources") or []
        assert isinstance(found, list)
        return found

    def docker(self, command: str, node: str = "swarm-manager-01") -> str:
        """What a docker command prints on a node."""
        return self.lab.run(node, f"docker {command}")

    def node_list(self) -> list[dict[str, str]]:
        """`docker node ls`, a mapping per node."""
        return [json.loads(line) for line in self.docker("node ls --format '{{json .}}'").splitlines()]

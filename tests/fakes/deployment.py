"""The project on a fleet: a Deployment of tests.integration.deployment without services, on fake hosts."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lab import Lab
from tests.fakes.fleet import Fleet
from tests.fakes.host import Host
from tests.fakes.model import World
from tests.fakes.sshd import PORT
from tests.integration.deployment import ROOT, Deployment


@dataclass(frozen=True)
class Moment:
    """A fleet and a Pulumi stack as they were."""

    world: World
    homes: Path
    files: Path
    settings: dict[str, Any]


class FakeDeployment(Deployment):
    """A stack of nodes alone on a fleet."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        super().__init__(cast(Lab, fleet), folder)

    def declare_all(self) -> None:
        """The fleet's nodes, and no services: no plugin but `command` is needed. Hosts here answer soon."""
        ssh = {"privateKeyFile": self.fleet.private_key, "knownHostsFile": self.fleet.known_hosts}
        way = {key: str(path) for key, path in ssh.items()} | {"port": PORT, "connectTimeout": "2s"}
        self.configure(ssh=way, nodes=self.nodes())

    def hurry(self, **seconds: float) -> None:
        """Has the program wait for seconds where it would for minutes: bounds of the probe, as
        STEADY_SECONDS=3."""
        lines = []
        for bound, value in seconds.items():
            lines += ["import swarm.observe.probe", f"swarm.observe.probe.{bound} = {value}"]
        program = self.folder / "__main__.py"
        program.unlink()
        rest = f"import runpy\nrunpy.run_path({str(ROOT / '__main__.py')!r}, run_name='__main__')\n"
        program.write_text("\n".join(lines) + f"\n{rest}")

    def declare_also(self, host: Host, **more: Any) -> None:
        """One more node, of a host's name; a worker."""
        node = {"name": host.name, "host": host.address, "role": "worker"}
        self.configure(nodes=[*self.declared, node | more])

    def take_out(self, *names: str) -> None:
        """Nodes out of the configuration."""
        self.configure(nodes=[one for one in self.declared if one["name"] not in names])

    def refused(self) -> str:
        """What an up says that refuses; a preview says the same."""
        said = self.up(fails=True)
        assert "refused, nothing was changed" in said, said
        return said

    def restart_broken_engines(self, names: Collection[str]) -> None:
        """Fake engines have nothing that could stay behind."""

    def save(self, folder: Path) -> Moment:
        """How fleet, state and configuration are now; `folder` is made to keep files in."""
        homes, files = folder / "homes", folder / "files"
        for host in self.fleet.hosts.values():
            shutil.copytree(host.sshd.home, homes / host.name)
        shutil.copytree(self.folder / "state", files / "state")
        return Moment(self.fleet.save(), homes, files, dict(self.settings))

    def restore(self, moment: Moment) -> None:
        """All as it was then, within milliseconds."""
        self.fleet.restore(moment.world)
        for host in self.fleet.hosts.values():
            if (kept := moment.homes / host.name).exists():
                shutil.copytree(kept, host.sshd.home, dirs_exist_ok=True)
        shutil.rmtree(self.folder / "state")
        shutil.copytree(moment.files / "state", self.folder / "state")
        self.settings = dict(moment.settings)
        self.configure()

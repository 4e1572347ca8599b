"""The project on a fleet: a Deployment of tests.integration.deployment without services, on fake hosts."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lab import Lab
from tests.fakes.fleet import Fleet
from tests.fakes.model import World
from tests.fakes.sshd import PORT
from tests.integration.deployment import Deployment


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
        """The fleet's nodes, and no services: no plugin but `command` is needed."""
        ssh = {"privateKeyFile": self.fleet.private_key, "knownHostsFile": self.fleet.known_hosts}
        self.configure(ssh={key: str(path) for key, path in ssh.items()} | {"port": PORT}, nodes=self.nodes())

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

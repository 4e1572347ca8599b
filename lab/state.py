"""What a checkout keeps of a lab: its settings, key and known hosts, in .labs/NAME."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hosts import machine
from hosts.machine import CHECKOUT


class State:
    """The state of the lab of this name in a checkout, which may not be there."""

    def __init__(self, name: str, checkout: Path = CHECKOUT) -> None:
        self.name = name
        self.folder = checkout / ".labs" / name
        self.file = self.folder / "lab.json"
        self.private_key = self.folder / "id_ed25519"
        self.known_hosts = self.folder / "known_hosts"

    @property
    def kept(self) -> bool:
        """Whether there is one, as far as we may know."""
        return machine.present(self.file)

    @property
    def settings(self) -> dict[str, Any]:
        """What was last saved; nothing where there is no state."""
        try:
            settings: dict[str, Any] = json.loads(self.file.read_text())
        except OSError:
            return {}
        return settings

    def save(self, settings: dict[str, Any]) -> None:
        """Saves the settings atomically: a killed run leaves no partial file."""
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(settings, indent=2) + "\n")
        draft.rename(self.file)

    def public_key(self) -> str:
        """The public key that nodes let in; made, with its private half, when first asked for."""
        public = self.private_key.with_suffix(".pub")
        if not public.exists():
            self.private_key.unlink(missing_ok=True)
            machine.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.private_key))
        return public.read_text().strip()

    def host_keys(self) -> dict[str, str]:
        """The host keys in known_hosts, by address."""
        lines = self.known_hosts.read_text().splitlines() if self.known_hosts.exists() else []
        return dict(line.split(" ", 1) for line in lines)

    def save_host_keys(self, keys: dict[str, str]) -> None:
        """Writes known_hosts, from keys by address."""
        self.known_hosts.write_text("".join(f"{address} {key}\n" for address, key in keys.items()))

    def ssh_command(self, address: str) -> list[str]:
        """The ssh command that reaches a node, without anything of the user's own settings."""
        return machine.ssh_command(f"root@{address}", self.private_key, self.known_hosts)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The lab for this process alone; its folder exists meanwhile."""
        with machine.lock(self.folder, f"the lab {self.name}"):
            # The folder of all labs keeps itself out of git.
            (self.folder.parent / ".gitignore").write_text("*\n")
            try:
                yield
            finally:
                # Succeeds only where nothing was written into it.
                with suppress(OSError):
                    self.folder.rmdir()

"""The machines of Pulumi.dev.yaml, as a user handles them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from hosts import images, machine
from hosts.machine import AS_ROOT, CACHE, CHECKOUT, run, say, step
from swarm.errors import LabError
from swarm.waiting import until
from vagrant import box, hypervisor
from vagrant.hypervisor import Namespaces

HERE = Path(__file__).parent
# The user's, for the Vagrantfile and Vagrant itself.
PASSED_ON = ("N", "MEMORY", "CPUS")
USER = "vagrant"
RUNNING = "running"  # as Vagrant has it, with VirtualBox and with libvirt
PATIENCE = 300  # seconds that a machine gets to answer


class Machines:
    """All machines of this checkout; they may not be there.

    Every method raises LabError for what a user can mend.
    """

    def __init__(self, folder: Path = CHECKOUT / ".machines") -> None:
        self._folder = folder
        self.known_hosts = folder / "known_hosts"
        self._namespaces = Namespaces(folder / "libvirt")

    @property
    def on_our_own(self) -> bool:
        """Whether the machines are on the libvirt in namespaces; they stay there, whatever is installed."""
        return self._namespaces.init is not None or not self._elsewhere

    def up(self, names: Sequence[str] = ()) -> None:
        """Makes these machines, or all, be there and answer; what is there stays as it is."""
        with self._locked():
            if self.on_our_own:
                self._namespaces.start()
                self._add_box()
            wanted = self._named(names)
            states = self.status()
            missing = [name for name in wanted if states[name] != RUNNING or not self._key(name).exists()]
            # Two at a time: on software emulation more would only be in each other's way.
            for pair in (missing[i : i + 2] for i in range(0, len(missing), 2)):
                with step(f"starting {' and '.join(pair)}"):
                    self._vagrant("up", *pair)
            if self.on_our_own:
                self._namespaces.connect()
            for name in wanted:
                self._wait(name)

    def down(self) -> None:
        """Removes all machines and what was kept of them; the box stays."""
        os.environ.pop("N", None)  # all, however many there were to be
        if not machine.present(self._folder):
            say("no machines: nothing to remove")
            return
        with self._locked(), step("removing the machines"):
            if not self.on_our_own:
                self._vagrant("destroy", "--force")
            self._namespaces.end()
            run(*AS_ROOT, "rm", "-rf", str(self._folder))

    def destroy(self, names: Sequence[str]) -> None:
        """Destroys these machines, disks and all; `up` then makes new ones of the same names."""
        with self._locked():
            self._vagrant("destroy", "--force", *self._named(names))

    def stop(self, name: str) -> None:
        """Takes the machine's power away: nothing on it gets to say goodbye."""
        self._vagrant("halt", "--force", *self._named([name]))

    def start(self, name: str) -> None:
        """Gives the machine its power back, and waits until it answers."""
        self.up([name])

    def status(self) -> dict[str, str]:
        """What Vagrant says of each machine, by its name, in the order of starting."""
        if self.on_our_own and not self._namespaces.init:
            return {}
        return parse_status(self._vagrant("status", "--machine-readable", quiet=True))

    def ssh_command(self, name: str) -> list[str]:
        """The ssh command that logs in to the machine, and may be followed by one to run there."""
        pins = self.known_hosts.read_text() if self.known_hosts.exists() else ""
        addresses = parse_pins(pins)
        if name not in addresses:
            raise LabError(
                f"no key is known of a machine {name}",
                f"known are {', '.join(addresses)}" if addresses else "begin with `python3 -m vagrant up`",
            )
        return machine.ssh_command(f"{USER}@{addresses[name]}", self._key(name), self.known_hosts)

    # How that is done.

    @cached_property
    def _elsewhere(self) -> bool:
        """Whether VirtualBox or the system's libvirt is to run the machines. Those that are there decide."""
        if any((HERE / ".vagrant" / "machines").glob("*/*/id")):
            return True
        return hypervisor.installed() and ("BOX" in os.environ or hypervisor.catalogue_answers())

    def _key(self, name: str) -> Path:
        return self._folder / f"{name}.key"

    def _named(self, names: Sequence[str]) -> list[str]:
        known = list(self.status())
        unknown = [name for name in names if name not in known]
        if unknown:
            raise LabError(f"no machine is called {', '.join(unknown)}", f"there are {', '.join(known)}")
        return [name for name in known if name in (names or known)]

    def _vagrant(self, *arguments: str, quiet: bool = False) -> str:
        """Runs Vagrant where its machines are; gives its stdout if `quiet`, else shows it as progress."""
        environment = {"VAGRANT_CWD": str(HERE)}
        before = ["env", *(f"{key}={value}" for key, value in environment.items())]
        if self.on_our_own:
            before = self._namespaces.command(environment | self._environment())
        if quiet:
            return run(*before, "vagrant", *arguments)
        command = [*before, "vagrant", "--no-tty", *arguments]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if done.returncode:
            raise LabError(f"`vagrant {' '.join(arguments)}` failed", "see its messages above")
        return ""

    def _environment(self) -> dict[str, str]:
        """Vagrant's environment beside our own libvirt."""
        return {
            "HOME": str(Path.home()),
            "VAGRANT_HOME": str(CACHE / "machines" / "vagrant"),
            "VAGRANT_DOTFILE_PATH": str(self._folder / "vagrant"),
            "VAGRANT_DEFAULT_PROVIDER": "libvirt",
            "DRIVER": self._namespaces.driver,
            "BOX": box.NAME,
            "MIRROR": hypervisor.MIRROR,
            # An emulated machine takes minutes for one: before it has anything else to do.
            "IMAGES": " ".join(service.name for service in images.SERVICES),
        } | {name: os.environ[name] for name in PASSED_ON if name in os.environ}

    def _add_box(self) -> None:
        if not (CACHE / "machines" / "vagrant" / "boxes" / box.NAME).exists():
            self._vagrant("box", "add", "--name", box.NAME, str(box.box()))

    def _wait(self, name: str) -> None:
        """Returns when the machine answers SSH and its Docker Engine answers."""
        wait = f"timeout {PATIENCE} sh -c 'until docker version >/dev/null 2>&1; do sleep 1; done'"

        def answers() -> bool:
            run(*self.ssh_command(name), wait, timeout=PATIENCE)
            return True

        until(f"an answer of {name}", answers, PATIENCE, pace=1, passing=LabError)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The machines for this process alone; their folder exists meanwhile."""
        with machine.lock(self._folder, "the machines"):
            # The folder keeps itself out of git.
            (self._folder / ".gitignore").write_text("*\n")
            yield


def parse_status(table: str) -> dict[str, str]:
    """The state of each machine, from `vagrant status --machine-readable`: time,machine,kind,text."""
    rows = (line.split(",", 3) for line in table.splitlines())
    return {row[1]: row[3] for row in rows if len(row) == 4 and row[2] == "state-human-short"}


def parse_pins(known_hosts: str) -> dict[str, str]:
    """The address of each machine, from lines NAME,ADDRESS KEY."""
    return dict(line.split()[0].split(",", 1) for line in known_hosts.splitlines())

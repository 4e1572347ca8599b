"""What runs the machines: VirtualBox or libvirt as this computer has them, where it reaches the public
catalogue of boxes; else a libvirt of our own, for which a box is built.

Ours lives in namespaces of its own, for processes, mounts and network, beside whatever else is here. All of
it, machines included, are children of one process: when that ends, however it ends, the kernel ends
the rest, and the network goes too.
"""

import platform
import shutil
import subprocess
import urllib.request
from contextlib import suppress
from ipaddress import IPv4Interface
from pathlib import Path
from xml.etree import ElementTree

from hosts import machine
from hosts.machine import AS_ROOT, install, run, step
from swarm.errors import LabError, TimedOutError
from swarm.waiting import until
from vagrant import box

HERE = Path(__file__).parent
PACKAGES = {
    *("vagrant", "vagrant-libvirt", "libvirt-daemon", "libvirt-clients"),
    *("qemu-system-x86", "qemu-utils", "dnsmasq-base", "iproute2", "iptables", "util-linux"),
}
SYSTEM = "qemu:///system"
CATALOGUE = "https://vagrantcloud.com/debian/bookworm64"  # of the Vagrantfile's box
NETWORK = "swarm"  # libvirt's name for the machines' network, as in the Vagrantfile
LINK = "swarm-dev"  # this computer's end of the cable to that network
LINK_NUMBER = 2  # its address there; the first is libvirt's
# The registry beside libvirt, as the machines reach it: by the address of their other network, on which
# vagrant-libvirt logs in; the box has it as its name server (vagrant/customize.sh).
MIRROR = "http://192.168.121.1"
PATIENCE = 60  # seconds that libvirt gets to answer
END_PATIENCE = 300  # seconds that the kernel gets to take a network away: over a minute on a busy computer

# A boot sector: it writes 16 to port 0xf4, which ends QEMU with status 33.
BOOT_SECTOR = bytes.fromhex("b010 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
BOOTED = 33


def installed() -> bool:
    """Whether VirtualBox is here, or the system's libvirt, with hardware virtualization."""
    if shutil.which("VBoxManage"):
        return True
    if not shutil.which("virsh"):
        return False
    asked = ["virsh", "--connect", SYSTEM, "domcapabilities", "--virttype", "kvm"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def catalogue_answers() -> bool:
    """Whether boxes can be had from Vagrant's public catalogue."""
    try:
        urllib.request.urlopen(CATALOGUE, timeout=10).close()
    except OSError:  # HTTPError is one
        return False
    return True


def hardware_works(folder: Path) -> bool:
    """Whether a guest boots on hardware virtualization: /dev/kvm may be there and unusable."""
    sector = folder / "boot-sector"
    sector.write_bytes(BOOT_SECTOR)
    command = [*AS_ROOT, "qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-nodefaults"]
    command += ["-display", "none", "-device", "isa-debug-exit,iobase=0xf4"]
    command += ["-drive", f"file={sector},format=raw,if=ide"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == BOOTED


class Namespaces:
    """A libvirt of our own, with what it keeps in a folder; it may not be running."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid_file = folder / "pid"
        self._log = folder / "log"

    @property
    def init(self) -> str | None:
        """The process that all others end with, as `host.process` describes it; None: it is gone."""
        try:
            init = (self._folder / "init").read_text()
        except OSError:
            return None
        return init if machine.alive(init) else None

    @property
    def driver(self) -> str:
        """How libvirt runs machines: kvm where that works, else qemu, which emulates."""
        return (self._folder / "driver").read_text()

    def start(self) -> None:
        """Has it run and answer."""
        if self.init:
            return
        if _link_is_there():
            raise LabError(
                f"machines of another checkout run on this computer (they have the interface {LINK})",
                "run `python3 -m vagrant down` there",
            )
        install(PACKAGES, recommended=False)
        registry = box.registry()
        with step("starting libvirt in namespaces of its own"):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._pid_file.unlink(missing_ok=True)
            driver = "kvm" if hardware_works(self._folder) else "qemu"
            if driver == "qemu":
                _install_faster()
            (self._folder / "driver").write_text(driver)
            command = [*AS_ROOT, "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
            command += ["sh", str(HERE / "init.sh"), str(self._folder), str(registry)]
            with self._log.open("w") as log:
                # Not this terminal's: it goes on when this process ends.
                started = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            with suppress(TimedOutError):
                until("libvirt", lambda: self._pid_file.exists() or started.poll() is not None, PATIENCE)
            if not self._pid_file.exists():
                started.terminate()
                raise LabError("libvirt doesn't start", self._log.read_text()[-1000:])
            init = machine.process(int(self._pid_file.read_text()))
            (self._folder / "init").write_text(init or "")

    def end(self) -> None:
        """Ends it, with all machines, whatever they are doing."""
        if init := self.init:
            run(*AS_ROOT, "kill", "-9", init.partition("-")[0])
            until(
                f"{LINK} gone after its process was killed",
                lambda: not (machine.alive(init) or _link_is_there()),
                END_PATIENCE,
            )
        run(*AS_ROOT, "rm", "-rf", str(self._folder))

    def command(self, environment: dict[str, str]) -> list[str]:
        """The words that go before a command, to run it inside."""
        if not (init := self.init):
            raise LabError("the machines aren't running", "begin with `python3 -m vagrant up`")
        pid = init.partition("-")[0]
        inside = ["nsenter", f"--target={pid}", "--mount", "--net", "--pid"]
        return [*AS_ROOT, *inside, "env", *(f"{k}={v}" for k, v in environment.items())]

    def connect(self) -> None:
        """Lays the cable from this computer to the machines' network, once that is there."""
        inside = self.command({})
        described = run(*inside, "virsh", "--connect", SYSTEM, "net-dumpxml", NETWORK)
        bridge, gateway = parse_network(described)
        if not _link_is_there():
            network = gateway.network
            for taken in machine.routes():
                if taken.overlaps(network):
                    raise LabError(
                        f"the machines' network {network} overlaps {taken}, a route of this computer",
                        "remove that, or give the nodes of Pulumi.dev.yaml other hosts",
                    )
            pid = (self.init or "").partition("-")[0]
            ip = [*AS_ROOT, "ip"]
            run(*ip, "link", "add", LINK, "type", "veth", "peer", "name", "outside", "netns", pid)
            run(*ip, "address", "add", f"{network[LINK_NUMBER]}/{network.prefixlen}", "dev", LINK)
            run(*ip, "link", "set", LINK, "up")
        # libvirt makes the network anew, with another bridge, when its last machine was destroyed.
        run(*inside, "ip", "link", "set", "outside", "master", bridge, "up")


def _install_faster() -> None:
    """The QEMU of Debian 12's backports: it emulates faster than its own."""
    if platform.freedesktop_os_release().get("VERSION_CODENAME") == "bookworm":
        install({"qemu-system-x86"}, recommended=False, backports="bookworm")


def _link_is_there() -> bool:
    return Path(f"/sys/class/net/{LINK}").exists()


def parse_network(xml: str) -> tuple[str, IPv4Interface]:
    """The bridge and the address of the network that libvirt describes."""
    network = ElementTree.fromstring(xml)  # noqa: S314 (libvirt's own)
    bridge, ip = network.find("bridge"), network.find("ip")
    if bridge is None or ip is None:
        raise LabError(f"the network {NETWORK} has no bridge or no address")
    return bridge.attrib["name"], IPv4Interface(f"{ip.attrib['address']}/{ip.attrib['netmask']}")

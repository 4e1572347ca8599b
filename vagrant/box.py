"""What machines without internet need, built from Debian packages: a box, and a registry's files.

Both are kept in the cache by a hash of their recipe.
"""

import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from hosts import images
from hosts.images import Recipe
from hosts.machine import AS_ROOT, CACHE, install, machine_lock, run, step

HERE = Path(__file__).parent
PACKAGES = {*images.PACKAGES, "e2fsprogs", "qemu-utils"}
UNFINISHED = "unfinished-"  # what a killed run leaves
DISK = 8 << 30  # bytes; what isn't written takes no room

MACHINE = Recipe(
    name="machine",
    suite="trixie",
    packages=(
        *("linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev", "dbus", "kmod", "procps"),
        *("iproute2", "iptables", "nftables", "netbase", "ca-certificates"),
        *("openssh-server", "sudo", "docker.io", "docker-cli", "crun"),
    ),
    files={},
    # What the kernel is told: without hardening that is dear in software, and protects nothing here.
    config={
        "Cmd": (
            *("root=/dev/vda", "rw", "console=ttyS0", "quiet", "net.ifnames=0", "apparmor=0"),
            *("mitigations=off", "init_on_alloc=0", "hardened_usercopy=off", "randomize_kstack_offset=off"),
            "psi=0",
        )
    },
    variant="essential",
    excluded=images.UNREAD,
    hooks=((HERE / "customize.sh").read_text(),),
)

NAME = f"swarm-{images.key(MACHINE)}"

# The kernel is started by QEMU itself: no boot loader, and no time for one.
BOX = f"""Vagrant.configure("2") do |config|
  config.vm.provider "libvirt" do |libvirt|
    libvirt.kernel = File.expand_path("vmlinuz", __dir__)
    libvirt.initrd = File.expand_path("initrd.img", __dir__)
    libvirt.cmd_line = "{" ".join(MACHINE.config["Cmd"])}"
  end
end
"""


def box() -> Path:
    """The box, a file for `vagrant box add`; built where this machine hasn't got it."""
    return _cached(f"{NAME}.box", _build_box)


def registry() -> Path:
    """The root file system of a registry that holds the services' images; built likewise."""
    return _cached(f"registry-{images.key(images.REGISTRY, images.SERVICES)}", _build_registry)


def _cached(name: str, build: Callable[[Path], None]) -> Path:
    target = CACHE / "machines" / name
    if not target.exists():
        with machine_lock("machines", f"building {name}"):
            if not target.exists():
                install(PACKAGES, recommended=False)
                target.parent.mkdir(parents=True, exist_ok=True)
                for stale in target.parent.glob(f"{UNFINISHED}*"):
                    run(*AS_ROOT, "rm", "-rf", str(stale))
                with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=target.parent) as folder:
                    build(Path(folder))
                    # Whole or not at all.
                    (Path(folder) / "made").rename(target)
    return target


def _build_registry(folder: Path) -> None:
    made = folder / "made"
    made.mkdir()
    with images.root_file_system(images.REGISTRY, images.SERVICES) as rootfs:
        run(*AS_ROOT, "tar", "--extract", "--directory", str(made), stdin=rootfs)


def _build_box(folder: Path) -> None:
    root, disk, image = folder / "root", folder / "disk", folder / "box.img"
    root.mkdir()
    with images.root_file_system(MACHINE) as rootfs, step("box: its disk"):
        run(*AS_ROOT, "tar", "--extract", "--numeric-owner", "--directory", str(root), stdin=rootfs)
        # Empty: each machine gets an identity of its own when it first starts.
        run(*AS_ROOT, "truncate", "--size=0", f"{root}/etc/machine-id")
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(next((root / "boot").glob(f"{name}-*")), folder / name)
        run(*AS_ROOT, "/usr/sbin/mke2fs", "-q", "-t", "ext4", "-d", str(root), str(disk), str(DISK >> 10))
        run("qemu-img", "convert", "-O", "qcow2", str(disk), str(image))
        run(*AS_ROOT, "rm", "-rf", str(root), str(disk))
    described = {"provider": "libvirt", "format": "qcow2", "virtual_size": DISK >> 30}
    (folder / "metadata.json").write_text(json.dumps(described))
    (folder / "Vagrantfile").write_text(BOX)
    with tarfile.open(folder / "made", "w") as tar:
        for name in ("metadata.json", "Vagrantfile", "vmlinuz", "initrd.img", "box.img"):
            tar.add(folder / name, name)

"""The kernel's neighbor table, which all hosts of all labs share.

A container has a network namespace of its own, and yet its neighbors (the hardware addresses that go with the
addresses it talks to) are in one table with everybody's. When it is full the kernel says "no route to host",
and hosts stay unreachable for minutes. Its limits are sysctls of the machine; proc(5) and the kernel's
ip-sysctl page call them net.ipv4.neigh.default.gc_thresh1 (fewer are never cleared away), 2 (more are cleared
after 5 s) and 3 (no more are taken).
"""

from collections.abc import Mapping
from pathlib import Path

from hosts import machine
from hosts.machine import AS_ROOT, say
from swarm.errors import LabError

FOLDER = Path("/proc/sys/net/ipv4/neigh/default")
PREFIX = "net.ipv4.neigh.default."
SOFT = "gc_thresh2"
# Enough for the largest lab that has addresses, with all that its swarm's networks add.
AMPLE = {"gc_thresh1": 8192, SOFT: 16384, "gc_thresh3": 32768}


def provide(hosts: int) -> None:
    """Raises limits that are too low for so many hosts, where we may; says so, or what to run.

    Limits are never lowered, and stay when the lab is gone.
    """
    have = limits()
    changes = raised(hosts, have)
    if not changes:
        return
    spelled = [f"{PREFIX}{key}={value}" for key, value in changes.items()]
    try:
        # Never asks for a password: the lab works without, up to a size.
        machine.run(*AS_ROOT, *(["-n"] if AS_ROOT else []), "sysctl", "-q", "-w", *spelled)
    except LabError as error:
        say(
            f"this machine's neighbor table is too small for {hosts} hosts: some of them may be "
            f"unreachable for minutes (no route to host). It could not be enlarged ({error}). "
            f"Run as root: sysctl -w {' '.join(spelled)}"
        )
    else:
        told = ", ".join(f"{PREFIX}{key} from {have[key]} to {value}" for key, value in changes.items())
        say(f"enlarged this machine's neighbor table for {hosts} hosts, until it restarts: {told}")


def limits() -> dict[str, int]:
    """The limits as they are; none where the kernel doesn't show them, as in a container."""
    files = {key: FOLDER / key for key in AMPLE}
    return {key: int(file.read_text()) for key, file in files.items() if file.exists()}


def raised(hosts: int, have: Mapping[str, int]) -> dict[str, int]:
    """The limits to set, those alone that are to be higher; none where they do for so many hosts.

    In a swarm each host talks to each other, which is as many entries as the square of their number. The
    networks between tasks add about as many: 51 hosts had 5312. Beyond the second limit the kernel clears
    away entries that are in use.
    """
    needed = 2 * hosts**2
    if have.get(SOFT, needed) >= needed:
        return {}
    return {key: ample for key, ample in AMPLE.items() if have[key] < ample}

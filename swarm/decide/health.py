"""What is well and what isn't on the observed hosts. Pure; previews and the doctor both ask here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from swarm.finding import Finding, failed, unknown, warning
from swarm.observe.facts import PACKAGES
from swarm.observe.model import Host, Observation, SwarmNode, views

OLDEST_ENGINE = (20, 10)  # the first whose API counts a service's tasks
SKEW_WARNED, SKEW_REFUSED = 10, 1800  # seconds; certificates of a join are valid from an hour ago
SETTING = "Set {} (chrony or systemd-timesyncd)"
SWARM_PORTS = "2377/tcp, 7946/tcp and udp, 4789/udp"
FREE_WARNED = 2 * 10**9  # bytes


Judge = Callable[[str, str, str, str], Finding]  # failed or warning


def check(observation: Observation) -> Iterator[Finding]:
    """What previews and the doctor both check."""
    for one in CHECKS:
        yield from one(observation)


def engines(observation: Observation) -> Iterator[Finding]:
    """Versions of the Docker Engines: too old, or different ones."""
    for name, host in looked_at(observation):
        if version(host.engine) < OLDEST_ENGINE:
            yield failed("version", name, f"Docker Engine {host.engine} is older than 20.10", "Upgrade it")
        else:
            yield Finding("version", (name,), f"Docker Engine {host.engine}")
    having = dict(sharing(observation, lambda host: host.engine))
    if len(having) > 1:
        spread = ", ".join(f"{one} ({', '.join(having[one])})" for one in sorted(having, key=version))
        found = f"Docker Engines of different versions: {spread}"
        yield warning("version", (), found, "Upgrade the older ones")


def clocks(observation: Observation) -> Iterator[Finding]:
    """Clocks against this machine's; against their own middle, where most hosts agree that ours is off."""
    skews = [host.skew for _, host in looked_at(observation)]
    off = _ours_is_off(skews)
    if off:
        found = f"this computer's clock is {-off:+.0f} s from the hosts', which agree with each other"
        yield warning("clock", (), found, SETTING.format("the clock here"))
    for name, host in looked_at(observation):
        skew = host.skew - off
        found = f"its clock is {skew:+.0f} s from {'the other hosts' if off else 'here'}"
        if abs(skew) > SKEW_REFUSED:
            found += ", and certificates would not be valid"
            yield failed("clock", name, found, SETTING.format("its clock"))
        elif abs(skew) > SKEW_WARNED:
            yield warning("clock", name, found, SETTING.format("its clock"))
        else:
            yield Finding("clock", (name,), f"within {SKEW_WARNED} s of {'the others' if off else 'here'}")


def _ours_is_off(skews: Sequence[float]) -> float:
    """By how much most hosts, two at least, agree that they are ahead of us; 0 where they don't."""
    middle = median(skews or [0])
    agree = [skew for skew in skews if abs(skew - middle) <= SKEW_WARNED]
    return middle if abs(middle) > SKEW_WARNED and len(agree) > max(1, len(skews) // 2) else 0.0


def tools(observation: Observation) -> Iterator[Finding]:
    """The programs that the scripts of an up need."""
    for name, host in looked_at(observation):
        for tool in host.lacks:
            found = f"no {tool} there that does what an up needs of it"
            yield failed("tools", name, found, f"Install {PACKAGES[tool]}, or the package that has it there")
        if not host.lacks:
            yield Finding("tools", (name,), "all there")


def noise(observation: Observation, managers: Iterable[str]) -> Iterator[Finding]:
    """Managers whose shells print something before each command: the Docker provider, which may go through
    any of them, takes it for the engine's answer."""
    for name in managers:
        host = observation.get(name)
        if host and host.noise:
            yield failed(
                "noise",
                name,
                f"its shell prints {host.noise[:60]!r} before each command, and services can't be managed",
                'Have it printed for interactive shells alone (in .bashrc: [ -z "$PS1" ] || echo ...)',
            )


def cut_off(observation: Observation) -> Iterator[Finding]:
    """Managers that the others don't reach, though we do."""
    for name, host in observation.items():
        if host.cut_off:
            yield warning(
                "cut off",
                name,
                "its SSH answers, and the swarm's other managers, which have a leader, don't reach it",
                f"Let these through between it and them: {SWARM_PORTS}. make doctor tries them",
            )


def memberships(observation: Observation) -> Iterator[Finding]:
    """What engines say of their own membership against what the managers have in their list."""
    entries: dict[str, SwarmNode] = {}
    for cluster in views(observation).values():
        entries |= cluster.entries
    for name, host in looked_at(observation):
        entry = entries.get(host.node_id)
        if entry and host.state == "active":
            if entry.state == "down":
                yield warning(
                    "membership",
                    name,
                    "its Docker Engine is in the swarm, and the managers have it as down",
                    "Restart that engine (systemctl restart docker)",
                )
            else:
                yield Finding("membership", (name,), "the managers have it in their list")


def live_restores(observation: Observation) -> Iterator[Finding]:
    """Docker refuses to be in a swarm and to keep containers alive without it."""
    for name, host in looked_at(observation):
        if host.live_restore and not host.member:
            yield failed(
                "live-restore",
                name,
                "live-restore is on, and Docker joins no swarm with it",
                'Take "live-restore" out of /etc/docker/daemon.json and restart the Docker Engine',
            )
        else:
            yield Finding("live-restore", (name,), "off" if not host.live_restore else "on, and a member")


def disks(observation: Observation) -> Iterator[Finding]:
    """Free space for images and volumes."""
    for name, host in looked_at(observation):
        if host.free is None:
            yield unknown("disk", name, f"free space in {host.data_root or 'its data folder'} isn't known")
        elif host.free < FREE_WARNED:
            yield warning(
                "disk",
                name,
                f"{host.free / 10**9:.1f} GB are free in {host.data_root}, which is little for images",
                "Make room (docker system prune), or a larger disk",
            )
        else:
            yield Finding("disk", (name,), f"{FREE_WARNED // 10**9} GB or more are free")


def kernel(observation: Observation, module: str, lack: str, judge: Judge) -> Iterator[Finding]:
    """Whether kernels have a module, loaded, built in or to be loaded; `lack`: what goes wrong without,
    which `judge` makes a finding of."""
    check = f"kernel: {module}"
    remedy = f"Load it (modprobe {module}), or install the kernel package that has it"
    for name, host in looked_at(observation):
        found = host.kernel.get(module, "unknown")
        if found == "yes":
            yield Finding(check, (name,), "there")
        elif found == "no":
            yield judge(check, name, f"the kernel has no {module}: {lack}", remedy)
        else:
            yield unknown(check, name, "neither in use, nor does the host show its kernel's modules")


def vxlan(observation: Observation) -> Iterator[Finding]:
    """What overlay networks are made of."""
    return kernel(observation, "vxlan", "overlay networks can't work", failed)


def overlay(observation: Observation) -> Iterator[Finding]:
    """What images are put together with."""
    return kernel(observation, "overlay", "images are kept by a slower storage driver", warning)


def clones(observation: Observation) -> Iterator[Finding]:
    """Engines that are told apart by nothing: machines made from one disk."""
    for engine_id, names in sharing(observation, lambda host: host.engine_id):
        if len(names) == 1:
            yield Finding("engine ID", names, "its own")
        else:
            judge = warning if all(observation[name].member for name in names) else failed
            yield judge(
                "engine ID",
                names,
                f"one Docker Engine ID, {engine_id}: one machine under several names, or clones of one",
                "Give each node a machine of its own; on a clone that is in no swarm, stop Docker, remove "
                "/var/lib/docker/engine-id (before 23.0: /etc/docker/key.json), and start it",
            )


def hostnames(observation: Observation) -> Iterator[Finding]:
    """Names that the list of nodes shows."""
    for hostname, names in sharing(observation, lambda host: host.hostname):
        if len(names) == 1:
            yield Finding("hostname", names, "its own")
        else:
            yield warning(
                "hostname",
                names,
                f"all are called {hostname}, and docker node ls can't tell them apart",
                "Give each a name of its own (hostnamectl set-hostname), restart its Docker Engine",
            )


def looked_at(observation: Observation) -> list[tuple[str, Host]]:
    """The hosts whose engine told what there is to tell."""
    return [(name, host) for name, host in observation.items() if host.engine]


def sharing(observation: Observation, key: Callable[[Host], str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of hosts by something that they tell; those that don't tell it are left out."""
    by_key: dict[str, list[str]] = defaultdict(list)
    for name, host in looked_at(observation):
        by_key[key(host)].append(name)
    yield from ((value, tuple(names)) for value, names in by_key.items() if value)


def version(text: str) -> tuple[int, ...]:
    """(26, 1, 5) for 26.1.5+dfsg1."""
    digits = text.split("+")[0].split("-")[0].split(".")
    return tuple(int(part) for part in digits if part.isdigit())


CHECKS: tuple[Callable[[Observation], Iterator[Finding]], ...] = (
    engines,
    clocks,
    tools,
    cut_off,
    memberships,
    live_restores,
    overlay,
    vxlan,
    disks,
    clones,
    hostnames,
)

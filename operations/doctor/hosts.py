"""What one host shows of itself that a preview does not probe. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network

from operations.doctor.ports import Hosts, data_address
from swarm.decide import health, pools
from swarm.declare.setting_rules import is_address
from swarm.finding import Finding, failed, unknown, warning
from swarm.observe.model import Host

FORWARD, BRIDGE = "net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"

REMEDIES = {
    "not found": "Install Docker Engine 20.10 or newer, with its client",
    "permission denied": "Let the SSH user use Docker (usermod -aG docker), who then logs in anew",
}


def check(hosts: Hosts) -> Iterator[Finding]:
    """All checks, one after the other."""
    yield from engines(hosts)
    if untold := [name for name, host in hosts.observation.items() if not host.engine]:
        yield unknown(
            "all that an engine tells",
            untold,
            "version, clock, live-restore, kernel, disk, engine ID, hostname and routes aren't known",
        )
    told = with_disks(hosts)
    yield from health.check(told)
    mesh = "ports published through the routing mesh and services' virtual addresses don't answer"
    yield from health.kernel(told, "br_netfilter", "packets between containers skip the firewall", warning)
    yield from health.kernel(told, "ip_vs", mesh, warning)
    yield from health.kernel(told, "ip_vs_rr", mesh, warning)
    yield from pool(hosts)
    yield from addresses(hosts)
    yield from sysctls(hosts)


def engines(hosts: Hosts) -> Iterator[Finding]:
    """Whether each host answers, and its Docker Engine."""
    for name, host in hosts.observation.items():
        if host.problem and not host.answers:
            yield failed("SSH", name, host.problem, "Start it, and see that it can be reached from here")
            continue
        yield Finding("SSH", (name,), "answers")
        if host.leaderless:
            yield failed(
                "engine", name, "its swarm has no leader", "Start the other managers; see `make preview`"
            )
        elif host.problem:
            yield failed("engine", name, host.problem, engine_remedy(host.problem))
        else:
            yield Finding("engine", (name,), "answers")


def engine_remedy(problem: str) -> str:
    """What to do about an engine, by what was said."""
    for words, remedy in REMEDIES.items():
        if words in problem.lower():
            return remedy
    return "Start its Docker Engine (systemctl start docker)"


def with_disks(hosts: Hosts) -> dict[str, Host]:
    """The observation, free space filled in where the engine has a data folder of its own choice."""
    return {
        name: host if host.free is not None else replace(host, free=hosts.facts[name].free)
        for name, host in hosts.observation.items()
    }


def pool(hosts: Hosts) -> Iterator[Finding]:
    """The swarm's address pool, or the one that it would be started with, against all routes."""
    clusters = [host.cluster for host in hosts.observation.values() if host.cluster]
    found = next((one.address_pool for one in clusters), None)
    starts = not any(host.member for host in hosts.observation.values())
    if not found and starts:
        found = pools.address_pool(hosts.settings, hosts.observation)
    if found:
        yield from pools.check(IPv4Network(found), hosts.observation, starts=starts)
    else:
        why = "none is free on every host" if starts else "no manager tells it"
        yield unknown("address pool", tuple(hosts.observation), why)


def addresses(hosts: Hosts) -> Iterator[Finding]:
    """Whether the addresses that each node is to have are on its host, and on no other's."""
    for node in hosts.nodes:
        for address in dict.fromkeys((node.address, data_address(node))):
            yield place(hosts, node.name, address)


def place(hosts: Hosts, name: str, address: str) -> Finding:
    """Where an address of a node is found."""
    check, facts = "address", hosts.facts[name]
    others = [other for other, told in hosts.facts.items() if other != name and address in told.addresses]
    if others:
        return failed(
            check,
            (name, *others),
            f"{address} is {name}'s, and {', '.join(others)} has it too",
            "Give each host an address of its own",
        )
    if facts.problem:
        return unknown(check, name, "it gives no answer over SSH")
    if not is_address(address):
        return unknown(check, name, "it is declared by name, and the engine chooses its address")
    if address in facts.addresses:
        return Finding(check, (name,), "its own, and no other host's")
    return warning(
        check,
        name,
        f"{address} is on none of its interfaces, and is what it tells the others",
        "Set advertiseAddress, or dataPathAddress, to one that its interfaces have and the others reach",
    )


def sysctls(hosts: Hosts) -> Iterator[Finding]:
    """Settings of the kernel without which containers are cut off."""
    for name, facts in hosts.facts.items():
        if facts.problem:
            yield unknown("sysctl", name, "it gives no answer over SSH")
            continue
        yield sysctl(name, FORWARD, facts.sysctls.get(FORWARD), failed, "containers are cut off")
        if BRIDGE in facts.sysctls:
            lack = "packets between containers skip the firewall"
            yield sysctl(name, BRIDGE, facts.sysctls[BRIDGE], warning, lack)
        else:
            yield unknown("sysctl", name, f"{BRIDGE}: br_netfilter isn't loaded yet; Docker loads it")


def sysctl(name: str, key: str, value: str | None, judge: health.Judge, lack: str) -> Finding:
    """A setting that has to be 1."""
    if value is None:
        return unknown("sysctl", name, f"{key} can't be read")
    if value == "1":
        return Finding("sysctl", (name,), f"{key} is 1")
    return judge(
        "sysctl",
        name,
        f"{key} is {value}: {lack}",
        "Set it to 1 in /etc/sysctl.d, and run sysctl --system there",
    )

"""The kernel's neighbor table, in which every endpoint of an overlay network has entries. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from operations.doctor.ports import Hosts
from swarm.declare.compose import Stack
from swarm.finding import Finding, unknown, warning
from swarm.observe.model import VXLAN_IDS, Cluster

LIMIT = "net.ipv4.neigh.default.gc_thresh3"
# To which Docker's overlay driver raises what is lower, with the first overlay network on a host
# (moby/moby, libnetwork/drivers/overlay/ostweaks_linux.go; moby/libnetwork pull request 1789).
DOCKERS = {
    "net.ipv4.neigh.default.gc_thresh1": 8192,
    "net.ipv4.neigh.default.gc_thresh2": 49152,
    LIMIT: 65536,
}


def check(hosts: Hosts, stacks: Sequence[Stack]) -> Iterator[Finding]:
    """Each host's limit against what the swarm needs."""
    needed = entries(hosts, stacks)
    for name in hosts.facts:
        yield limit(hosts, name, needed)


def entries(hosts: Hosts, stacks: Sequence[Stack]) -> int:
    """The entries that one host's table may need.

    A host that takes part in an overlay network has an entry for every endpoint of that network
    (moby/libnetwork issue 1522: beyond 1024 no more can be added), and one more where its own containers
    talk to it. Endpoints are a service's tasks, on a network of theirs and on ingress, and on each node the
    load balancer of each network. Beside them are the other nodes themselves.
    """
    clusters = [host.cluster for host in hosts.observation.values() if host.cluster]
    nodes = max(len(hosts.nodes), *(len(one.entries) for one in clusters), 0)
    tasks = max(_declared_tasks(stacks, nodes), *map(_tasks, clusters), 0)
    networks = max(_declared_networks(stacks), *map(_networks, clusters), 0)
    return 2 * (2 * tasks + nodes * networks) + nodes


def limit(hosts: Hosts, name: str, needed: int) -> Finding:
    """One host's limit. Before a host is in a swarm it is Docker's to raise."""
    check, facts = "neighbor table", hosts.facts[name]
    if facts.problem:
        return unknown(check, name, "it gives no answer over SSH")
    if LIMIT not in facts.sysctls:
        return unknown(check, name, f"{LIMIT} isn't shown there, as in a container: the machine's own counts")
    have = int(facts.sysctls[LIMIT])
    if have >= needed:
        return Finding(check, (name,), "as large as the nodes and tasks need it")
    if not hosts.observation[name].member:
        return Finding(check, (name,), f"{LIMIT} is {have}; Docker raises it when the host joins")
    lines = ", ".join(f"{key} = {max(value, needed)}" for key, value in DOCKERS.items())
    return warning(
        check,
        name,
        f"{LIMIT} is {have}, and the swarm's nodes and tasks may need {needed} entries: beyond it hosts and "
        "tasks don't reach each other (no route to host)",
        f"Write into a file in /etc/sysctl.d, a line each: {lines}; and run sysctl --system there",
    )


def _tasks(cluster: Cluster) -> int:
    return sum(service.desired for service in cluster.services)


def _networks(cluster: Cluster) -> int:
    return sum(VXLAN_IDS in network.options for network in cluster.networks.values())


def _declared_tasks(stacks: Sequence[Stack], nodes: int) -> int:
    services = (service for stack in stacks for service in stack.services)
    return sum(nodes if service.replicas is None else service.replicas for service in services)


def _declared_networks(stacks: Sequence[Stack]) -> int:
    """Those of the stacks, and ingress."""
    return 1 + sum(not network.external for stack in stacks for network in stack.networks)

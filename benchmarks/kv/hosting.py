"""etcd and Redis on the managers, and the way to all three stores: sockets forwarded over SSH."""

from __future__ import annotations

import http.client
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.kv.stores import Etcd, Redis, Store, Swarm
from benchmarks.pulumi import timed
from hosts import images, machine
from lab import Lab, Node
from swarm import ssh
from swarm.errors import BenchError
from swarm.waiting import until

READY_SECONDS = 60

# Not among the lab's images: nobody else needs it.
ETCD = images.Recipe(
    name="etcd:3.5.16",
    suite="trixie",
    packages=("base-files", "coreutils", "dash", "etcd-server=3.5.16-*"),
    files={},
    config={"Cmd": ["etcd"]},
    excluded=(*images.UNREAD, *images.UNRUN, "/usr/bin/etcdutl"),
)
REDIS = "redis:8.0.2"
# The host's network, and the disk that the swarm's own store is on.
RUN = "docker run --detach --network host --volume /data"

Sockets = Mapping[type[Store], Path]
ADDRESSES = {Swarm: "/var/run/docker.sock", Etcd: "127.0.0.1:2379", Redis: "127.0.0.1:6379"}


def start(lab: Lab, nodes: Sequence[Node]) -> None:
    """Starts etcd on the nodes, and Redis: on the first, with replicas on the others."""
    machine.install(images.PACKAGES)
    with images.bootstrap(ETCD) as rootfs:
        for node in nodes:
            rootfs.seek(0)
            timed([*lab.ssh_command(node.name), f"docker import - {ETCD.name}"], stdin=rootfs)
    members = ",".join(f"{node.name}=http://{node.address}:2380" for node in nodes)
    for node in nodes:
        peer = f"http://{node.address}:2380"
        lab.run(
            node.name,
            f"{RUN} {ETCD.name} etcd --name {node.name} --data-dir /data/etcd --log-level warn "
            f"--initial-cluster {members} --initial-cluster-state new "
            f"--listen-peer-urls {peer} --initial-advertise-peer-urls {peer} "
            "--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379",
        )
        replica = "" if node == nodes[0] else f"--replicaof {nodes[0].address} 6379"
        lab.run(
            node.name,
            f"{RUN} {REDIS} redis-server --dir /data --appendonly yes --appendfsync always --save '' "
            f"--repl-diskless-sync-delay 0 {replica}",
        )


@contextmanager
def leading(lab: Lab, nodes: Sequence[Node]) -> Iterator[Sockets]:
    """Each store as a local socket, once it has all its members: where a write needs no forwarding. The
    swarm's Leader and Redis's primary are on the first node, etcd's leader may be on any.

    TimedOutError: a store lacks members after READY_SECONDS.
    """
    with ExitStack() as stack:
        sockets = {node: stack.enter_context(forwarded(lab, node)) for node in nodes}
        _joined("Redis", lambda: _has_replicas(sockets[nodes[0]][Redis], len(nodes) - 1))
        leader = _joined("etcd", lambda: _etcd_leader([sockets[node][Etcd] for node in nodes]))
        yield {**sockets[nodes[0]], Etcd: leader}


@contextmanager
def forwarded(lab: Lab, node: Node) -> Iterator[Sockets]:
    """The stores on a node as local sockets, all through one SSH session."""
    with tempfile.TemporaryDirectory() as folder:
        sockets = {store: Path(folder, store.name) for store in ADDRESSES}
        addresses = {sockets[store]: address for store, address in ADDRESSES.items()}
        with ssh.forwarded(lab.ssh_command(node.name), addresses):
            yield sockets


def _joined(what: str, found: Callable[[], Path | None]) -> Path:
    # A store that starts closes connections, or says that it isn't ready.
    starting = (OSError, http.client.HTTPException, BenchError)
    return until(f"all members of {what}", found, READY_SECONDS, passing=starting)


def _has_replicas(at: Path, number: int) -> Path | None:
    with Redis(at) as redis:
        _, replicas = redis.ask("SET ready yes", f"WAIT {number} 1000")
    return at if replicas == number else None


def _etcd_leader(members: Sequence[Path]) -> Path | None:
    leader = None
    for at in members:
        with Etcd(at) as etcd:
            etcd.ask("GET", "/health")
            if etcd.leads():
                leader = at
    return leader

"""The load balancer in front of the swarm: HAProxy on chosen nodes, as one more stack of services.

Being a stack, it is observed, settled, verified and destroyed as the others are. docs/edge.md says what it
does and what it doesn't.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from swarm.declare.compose import File, Port, Reference, Service, Stack, Update
from swarm.declare.labels import EDGE_LABEL
from swarm.declare.reader import Reader
from swarm.declare.settings import NAMESPACE, Edge, Node

STACK = "edge"
SERVICE = "haproxy"
FILE = "haproxy.cfg"
# A node that dies is out after FALL * (INTERVAL_SECONDS + ANSWER_SECONDS) at most, and one that answers
# is in again after RISE checks.
INTERVAL_SECONDS = 1
ANSWER_SECONDS = 1
FALL = RISE = 2
STOP_SECONDS = 10  # for requests to end, when a changed list of nodes or the host's engine ends it


def read(reader: Reader, raw: Any, names: Collection[str], nodes: Sequence[Node]) -> Edge | None:
    """The edge as declared; None where it isn't, or isn't whole. `names` are those of all nodes, also of
    those that have a problem and aren't among `nodes`."""
    if raw is None:
        return None
    path = f"{NAMESPACE}edge"
    edge = reader.build(Edge, path, raw)
    fit = {node.name: node.availability == "active" and not node.lost for node in nodes}
    for name in edge.nodes if edge else ():
        if name not in names:
            reader.problem(f"{path}.nodes", name, "there is no node of this name", "Correct it")
        elif not fit.get(name, True):
            rule = "it runs no services: its availability isn't active, or it is lost"
            reader.problem(f"{path}.nodes", name, rule, "Choose another, or set its availability to active")
    return edge


def check_ports(reader: Reader, edge: Edge, stacks: Sequence[Stack]) -> None:
    """Tells the reader of ports behind the edge that no service of the stacks publishes."""
    ports = (port for stack in stacks for service in stack.services for port in service.ports)
    published = {port.published for port in ports if port.protocol == "tcp"}
    for listened, asked in edge.ports.items():
        if asked in edge.ports:
            rule = "the edge listens on this port itself, and would ask itself"
            reader.problem(f"{NAMESPACE}edge.ports.{listened}", asked, rule, "Listen on another one")
        elif asked not in published:
            rule = "no service of the stacks publishes this port"
            remedy = "Give the `published` port of one, in TCP; host mode is better than the mesh"
            reader.problem(f"{NAMESPACE}edge.ports.{listened}", asked, rule, remedy)


def stack(edge: Edge, nodes: Sequence[Node]) -> Stack:
    """A task on each node of the edge, which asks all nodes. Its file is a config, so that another list of
    nodes makes another one, and replaces the tasks one after the other."""
    service = Service(
        SERVICE,
        edge.image,
        replicas=None,
        # In host mode: on the node itself, so that it needs no mesh and sees the clients' addresses.
        ports=tuple(Port(port, port, mode="host") for port in edge.ports),
        configs=(Reference(FILE, f"/usr/local/etc/haproxy/{FILE}"),),
        constraints=(f"node.labels.{EDGE_LABEL} == yes",),
        stop_grace_period=f"{STOP_SECONDS}s",
        update=Update(),
    )
    return Stack(STACK, (service,), configs=(File(FILE, config(edge, nodes).encode()),))


def config(edge: Edge, nodes: Sequence[Node]) -> str:
    """HAProxy's configuration: docs.haproxy.org/3.0/configuration.html has the words."""
    asked = [node for node in nodes if not node.lost]
    return "\n".join(
        (
            GLOBAL,
            DEFAULTS.format(retries=len(asked)),
            MODES[edge.mode],
            *(_listen(listened, port, edge.mode, asked) for listened, port in edge.ports.items()),
        )
    )


def _listen(listened: int, port: int, mode: str, nodes: Sequence[Node]) -> str:
    """A port. Should no node pass its checks, all are asked all the same: a wrong check is no outage."""
    lines = [f"listen port-{listened}", f"    bind :{listened}"]
    if mode == "http":  # HAProxy takes rules here, and not among the defaults
        lines.append("    http-request disable-l7-retry unless METH_GET")
    lines += [f"    server {node.name} {node.address}:{port}" for node in nodes]
    lines += [f"    server {node.name}-unchecked {node.address}:{port} no-check backup" for node in nodes]
    return "\n".join(lines) + "\n"


# The number of connections is said aloud: else HAProxy takes memory for as many files as the engine lets a
# container open. Without a log it still tells of nodes that go and come.
GLOBAL = f"""\
global
    maxconn 8000
    hard-stop-after {STOP_SECONDS - 2}s
"""
# A connection that a node doesn't take goes to the next one at once, until each was asked. One that was taken
# by a node, or by a task behind the mesh, that dies then ends as fast as the checks find it: by the kernel's
# probes. (`on-marked-down shutdown-sessions` would also end those that are on their way to the next node.)
DEFAULTS = f"""\
defaults
    balance roundrobin
    retries {{retries}}
    option redispatch 1
    option allbackups
    timeout connect {ANSWER_SECONDS}s
    timeout check {ANSWER_SECONDS}s
    timeout client 1m
    timeout server 1m
    timeout tunnel 1h
    default-server check inter {INTERVAL_SECONDS}s fall {FALL} rise {RISE}
    default-server init-addr libc,none tcp-ut {FALL * (INTERVAL_SECONDS + ANSWER_SECONDS)}s
    option srvtcpka
    srvtcpka-idle {INTERVAL_SECONDS + ANSWER_SECONDS}s
    srvtcpka-intvl {INTERVAL_SECONDS}s
    srvtcpka-cnt {FALL}"""
# A request has a connection to a node of its own: one that is kept may lead to a node that is dead by now.
# Where that breaks before an answer it is tried again, if twice does no harm: METH_GET has HEAD in it.
MODES = {
    "http": """\
    mode http
    option http-server-close
    retry-on conn-failure empty-response
    option forwardfor
    option httpchk HEAD /
    http-check expect status 200-499
""",
    "tcp": """\
    mode tcp
""",
}

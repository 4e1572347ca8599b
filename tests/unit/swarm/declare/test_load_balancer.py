"""The load balancer in front: what HAProxy is told, and the stack that it becomes."""

import pytest

from swarm.decide.decisions import decide
from swarm.declare import load_balancer, ordering
from swarm.declare.compose import Port, Service, Stack
from swarm.declare.labels import EDGE_LABEL
from swarm.declare.reader import Reader
from swarm.declare.settings import Edge
from tests.unit.builders import KNOWN, cluster, declared, entry, lines, node, observed

EDGE = Edge("haproxy:3.0.11", ("w1",), {80: 8080, 443: 8443})
NODES = declared("m1 w1 w2").nodes


def listens(text: str) -> dict[str, list[str]]:
    """The parts of a configuration by their first line, each a list of lines."""
    return {part[0]: [line.strip() for line in part[1:]] for part in map(str.splitlines, text.split("\n\n"))}


def test_each_port_asks_every_node_by_checks_and_should_none_pass_without() -> None:
    parts = listens(load_balancer.config(EDGE, NODES))
    assert list(parts) == ["global", "defaults", "listen port-80", "listen port-443"]
    assert parts["listen port-80"] == [
        "bind :80",
        "http-request disable-l7-retry unless METH_GET",
        "server m1 10.0.0.11:8080",
        "server w1 10.0.0.21:8080",
        "server w2 10.0.0.22:8080",
        "server m1-unchecked 10.0.0.11:8080 no-check backup",
        "server w1-unchecked 10.0.0.21:8080 no-check backup",
        "server w2-unchecked 10.0.0.22:8080 no-check backup",
    ]
    assert "server w2 10.0.0.22:8443" in parts["listen port-443"]


def test_a_dead_node_is_out_within_two_checks_and_costs_a_connection_one_second_before() -> None:
    lines_ = listens(load_balancer.config(EDGE, NODES))["defaults"]
    assert "default-server check inter 1s fall 2 rise 2" in lines_
    assert "timeout connect 1s" in lines_
    assert "option redispatch 1" in lines_
    assert "retries 3" in lines_, "as many as nodes: each is asked before a request fails"


@pytest.mark.parametrize(("mode", "checked"), [("http", True), ("tcp", False)])
def test_in_tcp_mode_nothing_is_said_of_requests(mode: str, checked: bool) -> None:
    text = load_balancer.config(Edge("haproxy:3.0.11", ("w1",), {80: 80}, mode), NODES)
    assert f"    mode {mode}\n" in text
    assert ("    option httpchk HEAD /\n" in text) is checked
    assert ("http" in text) is checked


def test_a_lost_node_is_not_asked_and_others_are_where_the_nodes_reach_them() -> None:
    nodes = declared(
        "m1", node("w1", lost=True), node("w2", host="w2.example", advertise_address="10.9.0.2")
    ).nodes
    text = load_balancer.config(EDGE, nodes)
    assert "server w1" not in text
    assert "server w2 10.9.0.2:8080\n" in text
    assert "retries 2\n" in text


def test_it_is_a_stack_with_a_task_on_each_of_its_nodes_and_the_file_where_the_image_reads_it() -> None:
    stack = load_balancer.stack(EDGE, NODES)
    (service,), (file,) = stack.services, stack.configs
    assert (stack.full(service.name), service.replicas) == ("edge_haproxy", None)
    assert service.constraints == (f"node.labels.{EDGE_LABEL} == yes",)
    assert service.ports == (Port(80, 80, mode="host"), Port(443, 443, mode="host"))
    assert [(one.source, one.target) for one in service.configs] == [
        (file.name, "/usr/local/etc/haproxy/haproxy.cfg")
    ]
    assert file.content.decode() == load_balancer.config(EDGE, NODES)


def test_its_nodes_carry_its_label_and_lose_it_with_it() -> None:
    settings = declared("m1 w1 w2", edge=EDGE)
    plan = decide(settings, KNOWN, observed(settings, cluster("m1 w1 w2")))
    assert lines(plan.work) == [f"update w1 id-w1 --label-add={EDGE_LABEL}=yes"]
    labelled = entry("w1", labels={**entry("w1").labels, EDGE_LABEL: "yes"})
    swarm = cluster("m1 w2", labelled)
    assert not decide(settings, KNOWN, observed(settings, swarm)).work
    without = declared("m1 w1 w2")
    work = decide(without, KNOWN, observed(without, swarm)).work
    assert lines(work) == [f"update w1 id-w1 --label-rm={EDGE_LABEL}"]


@pytest.mark.parametrize(
    ("ports", "wrong"),
    [
        ((Port(80, 8080), Port(443, 8443, mode="host")), []),
        ((Port(80, 8080), Port(443, 8443, "udp")), ["swarm:edge.ports.443"]),
        ((Port(8080), Port(8443, 443)), ["swarm:edge.ports.80", "swarm:edge.ports.443"]),
    ],
    ids=["both are published", "one is in UDP only", "neither is"],
)
def test_a_port_behind_it_that_nothing_publishes_is_refused(
    ports: tuple[Port, ...], wrong: list[str]
) -> None:
    reader = Reader()
    load_balancer.check_ports(reader, EDGE, [Stack("demo", (Service("page", "x", ports=ports),))])
    assert [one.key for one in reader.problems] == wrong


def test_a_port_in_front_that_a_service_has_on_every_node_is_refused() -> None:
    reader = Reader()
    page = Stack("demo", (Service("page", "x", ports=(Port(80, 80),)),))
    ordering.check_ports(reader, [page, load_balancer.stack(EDGE, NODES)])
    assert [one.value for one in reader.problems] == ["80/tcp"]

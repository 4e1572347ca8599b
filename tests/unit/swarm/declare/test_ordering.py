"""What holds between stacks."""

import pytest

from swarm.declare import ordering
from swarm.declare.compose import Network, Port, Service, Stack
from swarm.declare.reader import Reader


def test_a_stack_comes_after_those_that_it_depends_on_and_whose_networks_it_uses() -> None:
    stacks = [
        Stack("a", depends_on=("b",)),
        Stack("b", networks=(Network("n", "c_n", external=True),)),
        Stack("c", networks=(Network("n", "c_n"),)),
    ]
    assert [one.name for one in ordering.ordered(Reader(), stacks)] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("stacks", "rule"),
    [
        ([Stack("a", depends_on=("b",)), Stack("b", depends_on=("a",))], "none can be first"),
        ([Stack("a", depends_on=("gone",))], "there is no stack of this name"),
    ],
)
def test_a_circle_and_an_unknown_stack_are_refused(stacks: list[Stack], rule: str) -> None:
    reader = Reader()
    assert len(ordering.ordered(reader, stacks)) == len(stacks)
    (problem,) = reader.problems
    assert rule in problem.rule


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        (Port(80, 80), Port(81, 80), 1),
        (Port(80, 80), Port(80, 80, mode="host"), 1),
        (Port(80, 80, mode="host"), Port(80, 80, mode="host"), 0),
        (Port(80, 80), Port(80, 80, "udp"), 0),
        (Port(80), Port(80), 0),
    ],
)
def test_a_port_on_every_node_is_one_service_s_alone(one: Port, other: Port, count: int) -> None:
    reader = Reader()
    stacks = [Stack(n, (Service("p", "x", ports=(port,)),)) for n, port in (("a", one), ("b", other))]
    ordering.check_ports(reader, stacks)
    assert len(reader.problems) == count

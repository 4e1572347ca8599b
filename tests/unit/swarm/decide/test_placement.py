"""What services ask of nodes and networks, and whether it can be had."""

from __future__ import annotations

from typing import Any

import pytest

from swarm.decide.decisions import decide
from swarm.decide.placement import Spot
from swarm.decide.plan import Plan
from swarm.declare.compose import Attachment, Network, Service, Stack, Update
from tests.unit.builders import KNOWN, cluster, declared, entry, node, observed, texts, told


def plan_of(names: str, *networks: Network, **service: Any) -> Plan:
    """What is decided of a swarm of these nodes, w1 with a disk, and a service with this."""
    settings = declared(names, node("w1", labels={"disk": "ssd"}))
    return decide(
        settings,
        KNOWN,
        observed(settings, cluster(names)),
        [Stack("demo", (Service("page", "nginx:1", **service),), networks)],
    )


@pytest.mark.parametrize(
    ("constraint", "fits"),
    [
        ("node.labels.disk == SSD", True),
        ("node.labels.disk!=ssd", False),
        ("node.labels.zone != a", True),
        ("node.labels.zone == a", False),
        ("node.role == worker", True),
        ("node.role == manager", False),
        ("node.hostname == w1", True),
        ("node.hostname == w2", False),
        ("node.id == w2", True),
        ("node.platform.os == plan9", True),
    ],
)
def test_a_node_fits_a_constraint_or_may(constraint: str, fits: bool) -> None:
    assert Spot("worker", {"disk": "ssd"}, "w1").fits(constraint) is fits


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        (("node.labels.disk == ssd",), None),
        (("node.labels.disk == hdd",), "fulfils node.labels.disk == hdd: "),
        (("node.role == manager",), "fulfils node.role == manager: "),
        (
            ("node.labels.disk == ssd", "node.hostname == w2"),
            "fulfils node.labels.disk == ssd and node.hostname == w2: ",
        ),
    ],
)
def test_a_constraint_that_no_node_fulfils_is_warned_of(
    constraints: tuple[str, ...], said: str | None
) -> None:
    warnings = [one for one in texts(plan_of("m1 w1 w2", constraints=constraints).warnings) if "page" in one]
    assert len(warnings) == (said is not None)
    assert (said or "") in "".join(warnings)


def test_a_node_that_nobody_declares_takes_tasks_too() -> None:
    settings = declared("m1 w1", other_nodes=("w9",))
    swarm = cluster("m1 w1", entry("w9", labels={"disk": "hdd"}))
    service = Service("page", "nginx:1", constraints=("node.labels.disk == hdd",))
    assert not told(decide(settings, KNOWN, observed(settings, swarm), [Stack("demo", (service,))]))


@pytest.mark.parametrize(
    ("replicas", "most", "order", "refused"),
    [(2, 1, "start-first", True), (1, 1, "start-first", False), (3, 2, "start-first", False),
     (2, 1, "stop-first", False), (2, 0, "start-first", False)],
)  # fmt: skip
def test_start_first_without_room_for_one_more_task_is_refused(
    replicas: int, most: int, order: str, refused: bool
) -> None:
    plan = plan_of("m1 w1 w2", replicas=replicas, max_replicas=most, update=Update(order=order))
    assert bool(plan.refusals) is refused
    if refused:
        (said,) = texts(plan.refusals)
        assert "2 fitting nodes with 1 each take 2, and 2 replicas run already" in said


@pytest.mark.parametrize(
    ("subnets", "replicas", "mode", "refused"),
    [
        (("10.30.1.0/29",), 2, "vip", False),  # two tasks, their service and two nodes: five of eight
        (("10.30.1.0/29",), 3, "vip", True),
        (("10.30.1.0/29",), 3, "dnsrr", False),
        (("10.30.1.0/29", "10.30.2.0/29"), 3, "vip", False),
        (("fd00::/64",), 300, "vip", False),
        ((), 300, "vip", False),
    ],
)
def test_a_subnet_without_room_is_refused_with_the_arithmetic(
    subnets: tuple[str, ...], replicas: int, mode: str, refused: bool
) -> None:
    plan = plan_of(
        "m1 w1 w2",
        Network("back", "demo_back", subnets=subnets),
        replicas=replicas,
        networks=(Attachment("back"),),
        endpoint_mode=mode,
    )
    assert bool(plan.refusals) is refused
    if refused:
        (said,) = texts(plan.refusals)
        assert "5 addresses" in said
        assert "for 3 tasks, 1 virtual addresses and 2 nodes" in said

"""What speaks against going on, and what should be known before it."""

import pytest

from components import preflight
from components.decisions import decide
from tests.unit.builders import cluster, declared, down, idle, member, node, observed, silent


def plan_of(settings, swarm=None, *hosts, ports=()):
    return decide(settings, observed(settings, swarm, *hosts), ports)


@pytest.mark.parametrize(
    ("settings", "swarm", "hosts", "said"),
    [
        (declared("m1 w1"), None, [], None),
        (declared("m1 w1"), None, [idle("w1", engine="20.10.0")], None),
        (declared("m1 w1"), None, [idle("w1", engine="20.10.24+dfsg1")], None),
        (
            declared("m1 w1"),
            None,
            [idle("w1", engine="19.03.15")],
            "w1: Docker Engine 19.03.15 is older than 20.10. Upgrade it.",
        ),
        (declared("m1 w1"), None, [idle("w1", skew=1800)], None),
        (declared("m1 w1"), None, [idle("w1", skew=1801)], "w1: its clock is +1801 s from here"),
        (declared("m1 w1"), None, [idle("w1", skew=-86400)], "w1: its clock is -86400 s from here"),
        (declared("m1", pool="10.20.0.0/16"), None, [], None),
        (
            declared("m1 w1", pool="10.0.0.0/8"),
            None,
            [
                idle("m1", routes=()),
                idle("w1", routes=("default via 10.0.0.1 dev eth0", "10.0.0.0/24 dev eth0")),
            ],
            "swarm:addressPool 10.0.0.0/8: overlaps 10.0.0.0/24, a network of w1",
        ),
        (declared("m1", pool="10.20.0.0/16"), cluster("m1"), [], None),
        (
            declared("m1", pool="10.40.0.0/16"),
            cluster("m1"),
            [],
            "swarm:addressPool 10.40.0.0/16: the swarm was started with 10.20.0.0/16, which can't be changed",
        ),
        (declared("m1", data_path_port=4789), cluster("m1"), [], None),
        (
            declared("m1", data_path_port=4790),
            cluster("m1"),
            [],
            "swarm:dataPathPort 4790: the swarm was started with 4789, which can't be changed",
        ),
        (
            declared("m1"),
            None,
            [idle("m1", routes=("10.0.0.0/8 dev eth0",))],
            "no address pool is free on every host. Choose one: pulumi config set swarm:addressPool",
        ),
        (
            declared("m1"),
            cluster("m1"),
            [member("m1", cluster("m1"), routes=("10.0.0.0/8 dev eth0",))],
            None,
        ),
        (
            declared("m1", pool="10.20.0.0/16"),
            cluster("m1"),
            [member("m1", cluster("m1"), routes=("10.20.7.0/24 dev br0",))],
            None,
        ),
    ],
    ids=[
        "all is well",
        "the oldest engine that will do",
        "an engine of a distribution",
        "an engine too old",
        "a clock at the limit",
        "a clock beyond it",
        "a clock of yesterday",
        "a pool off the hosts' networks",
        "a pool over a host's network",
        "the swarm's own pool",
        "another pool than the swarm's",
        "the swarm's own port",
        "another port than the swarm's",
        "no pool is free",
        "no pool is free, and none is needed any more",
        "a network came to a host later",
    ],
)
def test_it_is_refused_when(settings, swarm, hosts, said):
    refusals = plan_of(settings, swarm, *hosts).refusals
    assert len(refusals) == bool(said), refusals
    assert all(said in one for one in refusals)


@pytest.mark.parametrize(
    ("routes", "pool"),
    [
        ((), "10.20.0.0/16"),
        (("default via 10.20.0.1 dev eth0",), "10.20.0.0/16"),
        (("10.20.7.0/24 dev eth0",), "10.40.0.0/16"),
        (("10.20.7.9 dev wg0",), "10.40.0.0/16"),
        (("10.0.0.0/10 dev eth0",), "10.80.0.0/16"),
        (("unreachable 10.40.0.0/16",), "10.20.0.0/16"),
    ],
)
def test_the_default_pool_is_off_every_host_s_networks(routes, pool):
    settings = declared("m1 w1")
    assert plan_of(settings, None, idle("w1", routes=routes)).address_pool == pool


def test_a_declared_pool_is_the_pool():
    assert plan_of(declared("m1", pool="172.30.0.0/16")).address_pool == "172.30.0.0/16"


@pytest.mark.parametrize(
    ("settings", "hosts", "ports", "said"),
    [
        (declared("m1 m2 m3 w1"), [], [8080], None),
        (declared("m1 m2 w1"), [], [], "2 managers survive the loss of 0, as 1 do; an odd number is better"),
        (declared("m1 m2 m3 m4"), [], [], "4 managers survive the loss of 1, as 3 do"),
        (declared("m1 m2", node("m2", lost=True)), [], [], None),
        (declared("m1 w1"), [idle("w1", ip_vs=False)], [], None),
        (
            declared("m1 w1"),
            [idle("w1", ip_vs=False)],
            [8081, 8080],
            "no IP_VS in the kernel of w1: ports published through the routing mesh (8080, 8081) ",
        ),
        (declared("m1 w1", allow_unreachable=True), [silent("w1")], [8080], "w1 gives no answer"),
        (declared("m1 w1"), [idle("w1", engine="26.0.0")], [], None),
        (
            declared("m1 w1"),
            [idle("w1", engine="27.5.1")],
            [],
            "Docker Engines of different major versions: 26.1.5+dfsg1, 27.5.1",
        ),
        (declared("m1 w1"), [idle("w1", skew=-10)], [], None),
        (declared("m1 w1"), [idle("w1", skew=-11)], [], "w1: its clock is -11 s from here"),
    ],
    ids=[
        "all is well",
        "two managers",
        "four managers",
        "two managers, one of them lost",
        "no IP_VS, and no port needs it",
        "no IP_VS where ports need it",
        "a silent host's kernel isn't known",
        "engines of one major version",
        "engines of two",
        "a clock at the limit",
        "a clock beyond it",
    ],
)
def test_it_is_told_when(settings, hosts, ports, said):
    plan = plan_of(settings, None, *hosts, ports=ports)
    assert not plan.refusals
    assert len(plan.warnings) == bool(said), plan.warnings
    assert all(said in one for one in plan.warnings)


def test_a_silent_member_is_told_of_with_the_reason():
    (said,) = plan_of(declared("m1 w1"), cluster("m1", down("w1"))).warnings
    assert said.startswith("w1 is a member that gives no answer, and is left alone: it gave no answer")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("26.1.5+dfsg1", (26, 1, 5)),
        ("20.10.0-rc1", (20, 10, 0)),
        ("19.03.15", (19, 3, 15)),
        ("28.0.0", (28, 0, 0)),
    ],
)
def test_engine_versions_are_compared_by_their_numbers(text, parts):
    assert preflight.version(text) == parts


def test_an_engine_that_tells_no_version_number_is_refused_rather_than_a_crash():
    plan = plan_of(declared("m1 w1"), None, idle("w1", engine="dev"))
    assert any("w1" in one and "dev" in one for one in plan.refusals)

"""What speaks against going on, and what should be known before it."""

from collections.abc import Sequence

import pytest

from swarm.decide import health
from swarm.decide.decisions import decide
from swarm.decide.plan import Plan
from swarm.declare.compose import File, Network, Port, Service, Stack
from swarm.declare.settings import Settings
from swarm.observe.model import Cluster, Host, SwarmObject
from tests.unit.builders import KNOWN, cluster, declared, down, idle, member, observed, silent, texts, told


def plan_of(
    settings: Settings, swarm: Cluster | None = None, *hosts: Host, ports: Sequence[int] = ()
) -> Plan:
    page = Service("page", "nginx:1", ports=tuple(Port(80, port) for port in ports))
    return decide(settings, KNOWN, observed(settings, swarm, *hosts), [Stack("demo", (page,))])


def test_what_is_external_and_neither_there_nor_made_by_a_stack_is_refused_with_how_to_make_it() -> None:
    front = Stack("front", networks=(Network("default", "front_default"),))
    shop = Stack(
        "shop",
        networks=(
            Network("front", "front_default", external=True),
            Network("there", "there", external=True),
            Network("gone", "gone", external=True),
        ),
        secrets=(File("key", external="key"),),
        configs=(File("site", external="site"),),
    )
    settings, swarm = declared("m1"), cluster("m1", networks={"there": SwarmObject("n1")})
    plan = decide(settings, KNOWN, observed(settings, swarm), [front, shop])
    refusals = texts(plan.refusals)
    assert [one.partition(", which")[0] for one in refusals] == [
        f"stack shop needs the external {one}" for one in ("network gone", "secret key", "config site")
    ]
    assert "docker network create --driver overlay gone" in refusals[0]


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
            "w1: address pool 10.0.0.0/8 overlaps 10.0.0.0/24, a network there",
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
        (
            declared("m1 w1"),
            cluster("m1"),
            [idle("w1", live_restore=True)],
            "w1: live-restore is on, and Docker joins no swarm with it",
        ),
        (declared("m1"), cluster("m1"), [member("m1", cluster("m1"), live_restore=True)], None),
        (
            declared("m1 w1 w2"),
            None,
            [idle("w1", engine_id="same"), idle("w2", engine_id="same")],
            "w1, w2: one Docker Engine ID, same",
        ),
        (
            declared("m1 w1"),
            None,
            [idle("w1", kernel={"vxlan": "no"})],
            "w1: the kernel has no vxlan: overlay networks can't work",
        ),
        (declared("m1 w1"), None, [idle("w1", kernel={"vxlan": "unknown", "ip_vs": "no"})], None),
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
        "live-restore on a host that is to join",
        "live-restore on a member",
        "clones",
        "a kernel without vxlan",
        "a kernel that nothing is known of",
    ],
)
def test_it_is_refused_when(
    settings: Settings, swarm: Cluster | None, hosts: list[Host], said: str | None
) -> None:
    refusals = texts(plan_of(settings, swarm, *hosts).refusals)
    assert len(refusals) == bool(said), refusals
    assert all(said and said in one for one in refusals)


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
def test_the_default_pool_is_off_every_host_s_networks(routes: tuple[str, ...], pool: str) -> None:
    settings = declared("m1 w1")
    assert plan_of(settings, None, idle("w1", routes=routes)).start.address_pool == pool


def test_a_declared_pool_is_the_pool() -> None:
    assert plan_of(declared("m1", pool="172.30.0.0/16")).start.address_pool == "172.30.0.0/16"


@pytest.mark.parametrize(
    ("settings", "hosts", "ports", "said"),
    [
        (declared("m1 m2 m3 w1"), [], [8080], None),
        (declared("m1 w1"), [idle("w1", ip_vs=False)], [], None),
        (
            declared("m1 w1"),
            [idle("w1", ip_vs=False)],
            [8081, 8080],
            "no IP_VS in the kernel of w1: ports published through the routing mesh (8080, 8081) ",
        ),
        (declared("m1 w1", unreachable=("w1",)), [silent("w1")], [8080], "w1 gives no answer"),
        (
            declared("m1 w1"),
            [idle("w1", engine="26.0.0")],
            [],
            "Docker Engines of different versions: 26.0.0 (w1), 26.1.5+dfsg1 (m1)",
        ),
        (
            declared("m1 w1"),
            [idle("w1", engine="27.5.1")],
            [],
            "Docker Engines of different versions: 26.1.5+dfsg1 (m1), 27.5.1 (w1). Upgrade the older ones.",
        ),
        (declared("m1 w1"), [idle("w1", skew=-10)], [], None),
        (declared("m1 w1"), [idle("w1", skew=-11)], [], "w1: its clock is -11 s from here"),
        (declared("m1 w1"), [idle("w1", free=2 * 10**9)], [], None),
        (declared("m1 w1"), [idle("w1", free=19 * 10**8)], [], "w1: 1.9 GB are free"),
        (declared("m1 w1"), [idle("w1", kernel={"overlay": "no"})], [], "w1: the kernel has no overlay"),
        (
            declared("m1 w1 w2"),
            [idle("w1", hostname="debian"), idle("w2", hostname="debian")],
            [],
            "w1, w2: all are called debian",
        ),
    ],
    ids=[
        "all is well",
        "no IP_VS, and no port needs it",
        "no IP_VS where ports need it",
        "a silent host's kernel isn't known",
        "engines of one major version",
        "engines of two major versions",
        "a clock at the limit",
        "a clock beyond it",
        "room for images",
        "little room for images",
        "a kernel without overlay",
        "one hostname twice",
    ],
)
def test_it_is_told_when(settings: Settings, hosts: list[Host], ports: list[int], said: str | None) -> None:
    plan = plan_of(settings, None, *hosts, ports=ports)
    assert not plan.refusals
    assert len(told(plan)) == bool(said), plan.warnings
    assert all(said and said in one for one in told(plan))


def test_a_silent_member_is_told_of_with_the_reason() -> None:
    (said,) = told(plan_of(declared("m1 w1"), cluster("m1", down("w1"))))
    assert said.startswith("w1 is a member that gives no answer, and is left alone: it gave no answer")


def test_clones_that_are_all_members_are_told_of_and_left_alone() -> None:
    swarm = cluster("m1 w1")
    hosts = [member(name, swarm, engine_id="same") for name in ("m1", "w1")]
    plan = plan_of(declared("m1 w1"), swarm, *hosts)
    assert plan.refusals == ()
    (said,) = told(plan)
    assert said.startswith("m1, w1: one Docker Engine ID, same")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("26.1.5+dfsg1", (26, 1, 5)),
        ("20.10.0-rc1", (20, 10, 0)),
        ("19.03.15", (19, 3, 15)),
        ("28.0.0", (28, 0, 0)),
    ],
)
def test_engine_versions_are_compared_by_their_numbers(text: str, parts: tuple[int, ...]) -> None:
    assert health.version(text) == parts


def test_an_engine_that_tells_no_version_number_is_refused_rather_than_a_crash() -> None:
    plan = plan_of(declared("m1 w1"), None, idle("w1", engine="dev"))
    assert any("w1" in one and "dev" in one for one in texts(plan.refusals))

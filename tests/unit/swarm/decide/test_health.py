"""What is well and what isn't: every verdict of every check, on observed hosts."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from swarm.decide import health
from swarm.finding import Finding, Verdict
from swarm.observe.model import Host
from tests.unit.builders import cluster, down, idle, leaderless, member, silent

SWARM = cluster("m1 w2", down("w1"))
OK, WARNING, FAILED, UNKNOWN = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.UNKNOWN


Check = Callable[..., Iterable[Finding]]


def of(check: Check, *hosts: Host, **more: Any) -> list[tuple[str | Verdict, ...]]:
    found = list(check({host.name: host for host in hosts}, **more))
    assert all(bool(one.remedy) == (one.verdict in (WARNING, FAILED)) for one in found), found
    return [(one.verdict, *one.where) for one in found]


@pytest.mark.parametrize(
    ("check", "hosts", "said"),
    [
        (health.engines, [idle("m1"), silent("w1")], [(OK, "m1")]),
        (health.engines, [idle("m1", engine="19.03.15")], [(FAILED, "m1")]),
        (
            health.engines,
            [idle("m1"), idle("w1", engine="27.5.1")],
            [(OK, "m1"), (OK, "w1"), (WARNING,)],
        ),
        (health.clocks, [idle("m1", skew=10), silent("w1")], [(OK, "m1")]),
        (health.clocks, [idle("m1", skew=-11)], [(WARNING, "m1")]),
        (health.clocks, [idle("m1", skew=1801)], [(FAILED, "m1")]),
        (
            health.clocks,
            [idle("m1", skew=3600), idle("w1", skew=3605)],
            [(WARNING,), (OK, "m1"), (OK, "w1")],
        ),
        (
            health.clocks,
            [idle("m1", skew=-7200), idle("m2", skew=-7200), idle("w1", skew=0)],
            [(WARNING,), (OK, "m1"), (OK, "m2"), (FAILED, "w1")],
        ),
        (
            health.clocks,
            [idle("m1", skew=7200), idle("m2"), idle("w1")],
            [(FAILED, "m1"), (OK, "m2"), (OK, "w1")],
        ),
        (health.clocks, [idle("m1", skew=7200), idle("m2")], [(FAILED, "m1"), (OK, "m2")]),
        (health.clocks, [idle("m1", skew=7200), idle("m2", skew=-7200)], [(FAILED, "m1"), (FAILED, "m2")]),
        (health.tools, [idle("m1"), silent("w1")], [(OK, "m1")]),
        (health.tools, [idle("m1", lacks=("flock", "ip"))], [(FAILED, "m1"), (FAILED, "m1")]),
        (health.cut_off, [idle("m1"), silent("w1"), leaderless("m2")], []),
        (health.cut_off, [replace(leaderless("m2"), cut_off=True)], [(WARNING, "m2")]),
        (health.memberships, [idle("m1"), silent("w1")], []),
        (
            health.memberships,
            [member("m1", SWARM), silent("w1"), member("w2", SWARM)],
            [(OK, "m1"), (OK, "w2")],
        ),
        (health.memberships, [member("m1", SWARM), member("w1", SWARM)], [(OK, "m1"), (WARNING, "w1")]),
        (health.memberships, [member("m1", SWARM), member("w1", SWARM, state="error")], [(OK, "m1")]),
        (health.live_restores, [idle("m1"), silent("w1")], [(OK, "m1")]),
        (health.live_restores, [idle("m1", live_restore=True)], [(FAILED, "m1")]),
        (health.live_restores, [member("m1", cluster("m1"), live_restore=True)], [(OK, "m1")]),
        (health.disks, [idle("m1", free=2 * 10**9), silent("w1")], [(OK, "m1")]),
        (health.disks, [idle("m1", free=2 * 10**9 - 1)], [(WARNING, "m1")]),
        (health.disks, [idle("m1", free=0)], [(WARNING, "m1")]),
        (health.disks, [idle("m1")], [(UNKNOWN, "m1")]),
        (health.vxlan, [idle("m1", kernel={"vxlan": "yes"}), silent("w1")], [(OK, "m1")]),
        (health.vxlan, [idle("m1", kernel={"vxlan": "no"})], [(FAILED, "m1")]),
        (
            health.vxlan,
            [idle("m1", kernel={"vxlan": "unknown"}), idle("w1")],
            [(UNKNOWN, "m1"), (UNKNOWN, "w1")],
        ),
        (health.overlay, [idle("m1", kernel={"overlay": "yes"})], [(OK, "m1")]),
        (health.overlay, [idle("m1", kernel={"overlay": "no"})], [(WARNING, "m1")]),
        (
            health.clones,
            [idle("m1", engine_id="a"), idle("w1", engine_id="b"), idle("w2"), silent("w3")],
            [(OK, "m1"), (OK, "w1")],
        ),
        (
            health.clones,
            [idle("m1", engine_id="a"), idle("w1", engine_id="b"), idle("w2", engine_id="a")],
            [(FAILED, "m1", "w2"), (OK, "w1")],
        ),
        (
            health.clones,
            [member("m1", cluster("m1"), engine_id="a"), idle("w1", engine_id="a")],
            [(FAILED, "m1", "w1")],
        ),
        (
            health.clones,
            [member(name, cluster("m1 w1"), engine_id="a") for name in ("m1", "w1")],
            [(WARNING, "m1", "w1")],
        ),
        (health.hostnames, [idle("m1", hostname="a"), idle("w1", hostname="b")], [(OK, "m1"), (OK, "w1")]),
        (health.hostnames, [idle("m1", hostname="a"), idle("w1", hostname="a")], [(WARNING, "m1", "w1")]),
    ],
)
def test_a_check_gives_each_host_its_verdict(
    check: Check, hosts: list[Host], said: list[tuple[str | Verdict, ...]]
) -> None:
    assert of(check, *hosts) == said


def test_what_a_host_lacks_is_named_with_the_package_that_has_it() -> None:
    (found,) = health.tools({"m1": idle("m1", lacks=("flock",))})
    assert str(found) == (
        "m1: no flock there that does what an up needs of it. Install util-linux, or the package that has it "
        "there."
    )


def test_what_a_manager_s_shell_prints_is_named() -> None:
    hosts = {"m1": idle("m1"), "m2": idle("m2", noise="Welcome!"), "w1": idle("w1", noise="Welcome!")}
    (found,) = health.noise(hosts, ["m1", "m2", "m3"])
    assert (found.where, found.verdict) == (("m2",), FAILED)
    assert "'Welcome!'" in found.what


def test_a_manager_that_is_cut_off_is_named_with_the_ports() -> None:
    (found,) = health.cut_off({"m2": replace(leaderless("m2"), cut_off=True)})
    assert all(port in found.remedy for port in ("2377/tcp", "7946/tcp and udp", "4789/udp"))


def test_a_clock_that_is_off_here_is_said_to_be_ours() -> None:
    ours, *_ = health.clocks({"m1": idle("m1", skew=-3600), "w1": idle("w1", skew=-3600)})
    assert ours.what == "this computer's clock is +3600 s from the hosts', which agree with each other"
